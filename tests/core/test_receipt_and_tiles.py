"""Receipts and tiles: proofs and files that any C2SP client reads (docs/format.md §11)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, LedgerError, NoteError, ProofError
from ledger.core.hashing import leaf_hash
from ledger.core.merkle import Node, grow, inclusion_ranges, nodes_of, prove
from ledger.core.policy import parse_policy
from ledger.core.receipt import format_receipt, open_receipt, parse_receipt
from ledger.core.tiles import Tile, format_bundle, format_tile_path, node_in_tile, parse_tile_path, tile_of
from tests.harness.forger import Scene

SCENE = Scene()
POLICY = parse_policy(SCENE.policy())
MANY = settings(max_examples=300, derandomize=True, deadline=None)


def path_of(index: int) -> list[bytes]:
    ranges = inclusion_ranges(index, SCENE.size)
    return prove(ranges, {node: SCENE._hashes[node] for node in nodes_of(ranges)})


RECEIPT = format_receipt(5, path_of(5), SCENE.checkpoint())


def test_every_entry_has_a_receipt() -> None:
    for index, entry in enumerate(SCENE.entries):
        receipt, checkpoint = open_receipt(format_receipt(index, path_of(index), SCENE.checkpoint()), entry, POLICY)
        assert (receipt.index, checkpoint.head.size) == (index, SCENE.size)


def test_a_receipt_is_of_one_entry_at_one_index() -> None:
    for raw, entry in (
        (RECEIPT, SCENE.entries[4]),
        (RECEIPT, SCENE.entries[5] + b" "),
        (RECEIPT.replace(b"index 5", b"index 4"), SCENE.entries[5]),
        (RECEIPT.replace(b"index 5", b"index 99"), SCENE.entries[5]),
        (format_receipt(5, path_of(5)[:-1], SCENE.checkpoint()), SCENE.entries[5]),
        (format_receipt(5, [*path_of(5), bytes(32)], SCENE.checkpoint()), SCENE.entries[5]),
        (format_receipt(5, path_of(5), SCENE.checkpoint(8)), SCENE.entries[5]),
    ):
        with pytest.raises(ProofError):
            open_receipt(raw, entry, POLICY)


def test_a_receipt_needs_the_logs_signature() -> None:
    with pytest.raises(NoteError):
        open_receipt(format_receipt(5, path_of(5), Scene("another").checkpoint()), SCENE.entries[5], POLICY)


def test_an_extra_line_means_nothing() -> None:
    extra = RECEIPT.replace(b"index 5", b"extra AAAA\nindex 5")
    assert parse_receipt(extra) == parse_receipt(RECEIPT)


HASH = b64encode(bytes(32)).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        RECEIPT.replace(b"@v1", b"@v2"),
        RECEIPT.replace(b"\n", b"\r\n"),
        RECEIPT.replace(b"index 5", b"index 05"),
        RECEIPT.replace(b"index 5", b"index -5"),
        RECEIPT.replace(b"index 5", b"index 9007199254740992"),
        RECEIPT.replace(b"index 5\n", b""),
        RECEIPT.replace(b"index 5", b"extra AAB=\nindex 5"),
        RECEIPT.replace(b"index 5", b"extra AAAA\nextra AAAA\nindex 5"),
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + HASH[:-1] + b"\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + (HASH + b"\n") * 54 + b"\nx",
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + HASH + b"\n",
        b"x" * 131_073,
    ],
)
def test_no_receipt(raw: bytes) -> None:
    with pytest.raises(FormatError):
        parse_receipt(raw)


@MANY
@given(st.integers(0, len(RECEIPT) - 1), st.integers(0, 255))
@example(0, 0xFF)
def test_a_changed_receipt_is_refused(at: int, byte: int) -> None:
    """Whatever byte changes, the receipt says the same or it is refused with a typed error."""
    raw = RECEIPT[:at] + bytes([byte]) + RECEIPT[at + 1 :]
    try:
        receipt, checkpoint = open_receipt(raw, SCENE.entries[5], POLICY)
    except LedgerError:
        return
    assert (receipt.index, checkpoint.head) == (5, SCENE.head())


@MANY
@given(st.binary(max_size=100))
def test_arbitrary_bytes(raw: bytes) -> None:
    for data in (raw, b"c2sp.org/tlog-proof@v1\n" + raw, b"c2sp.org/tlog-proof@v1\nindex 1\n" + raw):
        try:
            open_receipt(data, b"entry", POLICY)
        except LedgerError:
            continue


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("0/000", Tile(0, 0, 256)),
        ("0/000.p/1", Tile(0, 0, 1)),
        ("1/x001/x234/067", Tile(1, 1_234_067, 256)),
        ("0/x001/000.p/255", Tile(0, 1000, 255)),
        ("entries/x001/x234/067.p/7", Tile(None, 1_234_067, 7)),
        ("63/999", Tile(63, 999, 256)),
    ],
)
def test_tile_paths(path: str, tile: Tile) -> None:
    assert parse_tile_path(path) == tile
    assert format_tile_path(tile) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "0/", "0/0", "0/00", "00/000", "01/000", "64/000", "99/000", "-1/000", "0/1000", "0/x000/001",
        "0/001/002", "0/x001", "0/x01/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/1000", "0/000.p/",
        "0/000.p", "/0/000", "tile/0/000", "Entries/000", "entries/000/", "0/000\n", "0/٠٠٠", "data/000", "0/x001/x000",
        "0/../000",
    ],
)  # fmt: skip
def test_no_tile_path(path: str) -> None:
    with pytest.raises(FormatError):
        parse_tile_path(path)


@MANY
@given(
    st.builds(Tile, st.none() | st.integers(0, 63), st.integers(0, 2**53), st.integers(1, 256)),
)
def test_tile_paths_round_trip(tile: Tile) -> None:
    assert parse_tile_path(format_tile_path(tile)) == tile


@MANY
@given(st.text(max_size=20) | st.text("0123456789x/.pentris", max_size=20))
def test_arbitrary_paths(path: str) -> None:
    try:
        assert format_tile_path(parse_tile_path(path)) == path
    except LedgerError:
        return


def test_bundle() -> None:
    assert format_bundle([b"", b"ab", bytes(65_535)]) == b"\0\0\0\2ab\xff\xff" + bytes(65_535)


def test_every_node_is_in_its_tile() -> None:
    """A stored node of any level is found in, or computed from, the one tile that `tile_of` names."""
    hashes: dict[Node, bytes] = {}
    size = grow(hashes, 0, [leaf_hash(b"%d" % index) for index in range(700)])
    for node, value in hashes.items():
        level, position = tile_of(node)
        width = min(256, (size >> (8 * level)) - 256 * position)
        tile = b"".join(hashes[Node(8 * level, 256 * position + at)] for at in range(width))
        assert node_in_tile(node, tile) == value
    with pytest.raises(IndexError):
        node_in_tile(Node(3, 0), bytes(7 * 32))
