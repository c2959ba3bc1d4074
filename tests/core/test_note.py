"""Signed notes, vkeys and checkpoints (docs/format.md §10.1–10.4)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.core.checkpoint import Checkpoint, TreeHead, format_checkpoint, parse_checkpoint, sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, LedgerError, NoteError
from ledger.core.hashing import EMPTY_ROOT
from ledger.core.note import COSIGNATURE_TYPE, ED25519_TYPE, NoteKey, open_note, parse_note, parse_vkey, sign_note
from tests.harness import edwards
from tests.harness.people import key
from tests.harness.vectors import load
from tests.harness.witness import Witness

LOG = NoteKey("ledger.example/log", ED25519_TYPE, key("log").public.raw)
TEXT = b"ledger.example/log\n3\n" + b64encode(bytes(32)).encode() + b"\n"
NOTE = sign_note(TEXT, LOG.name, key("log"))
MANY = settings(max_examples=300, derandomize=True, deadline=None)


def test_a_note_signed_in_go_opens() -> None:
    vectors = load("note-go-sumdb.json")
    signer = parse_vkey(vectors["vkey"])
    assert signer.vkey() == vectors["vkey"]
    assert open_note(parse_note(vectors["note"].encode()), [signer]) == [signer]


@pytest.mark.parametrize("kind", [ED25519_TYPE, COSIGNATURE_TYPE, 0x05])
def test_a_vkey_reads_back(kind: int) -> None:
    """Types that nobody here can check are read all the same."""
    item = NoteKey("a.example/b", kind, key("a").public.raw)
    assert parse_vkey(item.vkey()) == item


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "wrong-value"),
        ("name", "wrong-value"),
        (LOG.vkey().replace("+", " ", 1), "wrong-value"),
        (LOG.vkey().replace(LOG.id.hex(), "00000000"), "wrong-value"),
        (LOG.vkey().upper(), "wrong-value"),
        (LOG.vkey()[:-1], "bad-base64"),
        (LOG.vkey() + "\n", "wrong-value"),
        (NoteKey("a", ED25519_TYPE, bytes(31)).vkey(), "wrong-value"),
        (NoteKey("a", ED25519_TYPE, bytes(33)).vkey(), "wrong-value"),
        (NoteKey("a b", ED25519_TYPE, LOG.raw).vkey(), "wrong-value"),
        (NoteKey("a", ED25519_TYPE, edwards.encode(edwards.IDENTITY)).vkey(), "weak-key"),
        (NoteKey("a", COSIGNATURE_TYPE, edwards.encode(edwards.IDENTITY)).vkey(), "weak-key"),
    ],
)
def test_no_vkey(text: str, reason: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_vkey(text)
    assert caught.value.reason == reason


def test_lines_of_strangers_are_ignored() -> None:
    """An unknown name, or a known name with an unknown key id, is neither trusted nor an error (§10.3)."""
    other = sign_note(TEXT, LOG.name, key("another key of that name")).rpartition(b"\n\n")[2]
    assert open_note(parse_note(NOTE + other), [LOG]) == [LOG]
    assert open_note(parse_note(TEXT + b"\n" + other), [LOG]) == []


def test_a_wrong_line_of_a_known_key_spoils_the_note() -> None:
    line = NOTE.rpartition(b"\n\n")[2]
    for text in (TEXT.replace(b"3", b"4"), TEXT + b"more\n"):
        with pytest.raises(NoteError):
            open_note(parse_note(text + b"\n" + line), [LOG])


def test_a_cosignature_covers_its_time() -> None:
    witness = Witness("w.example")
    note = witness.cosign(NOTE, 1_700_000_000)
    assert open_note(parse_note(note), [LOG, witness.note_key]) == [LOG, witness.note_key]
    later = note.replace(witness.line(TEXT, 1_700_000_000), _with_time(witness, 1_700_000_000, 1_700_000_001))
    with pytest.raises(NoteError):
        open_note(parse_note(later), [witness.note_key])


def _with_time(witness: Witness, signed_unix_s: int, told_unix_s: int) -> bytes:
    line = parse_note(TEXT + b"\n" + witness.line(TEXT, signed_unix_s)).signatures[0]
    data = line.key_id + told_unix_s.to_bytes(8, "big") + line.signature[8:]
    return f"— {line.name} {b64encode(data)}\n".encode()


def test_short_signatures() -> None:
    """A line may hold any number of bytes; a known key's must be the right one."""
    witness = Witness("w.example")
    for item in (LOG, witness.note_key):
        for length in (1, 8, 63, 65, 72, 73):
            line = f"— {item.name} {b64encode(item.id + bytes(length))}\n".encode()
            with pytest.raises(NoteError):
                open_note(parse_note(TEXT + b"\n" + line), [item])


def test_a_type_that_cannot_be_checked_is_not_passed_over() -> None:
    strange = NoteKey("pq.example", 0x05, bytes(32))
    line = f"— pq.example {b64encode(strange.id + bytes(64))}\n".encode()
    with pytest.raises(NoteError):
        open_note(parse_note(TEXT + b"\n" + line), [strange])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        TEXT,
        TEXT + b"\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace("—".encode(), b"-"),
        NOTE.replace(b"\n\n", b"\n\t\n"),
        NOTE + b"\xff\n",
        NOTE + "— a AAAA\n".encode(),
        NOTE + "— a AAAAAAB=\n".encode(),
        NOTE + "— a+b AAAAAAAA\n".encode(),
        NOTE + "—  AAAAAAAA\n".encode(),
        NOTE + NOTE.rpartition(b"\n\n")[2] * 64,
        b"x" * 65_536 + NOTE,
    ],
)
def test_no_note(raw: bytes) -> None:
    with pytest.raises(NoteError):
        parse_note(raw)


def test_text_and_signatures_part_at_the_last_empty_line() -> None:
    text = b"one\n\ntwo\n"
    note = parse_note(sign_note(text, LOG.name, key("log")))
    assert note.text == text
    assert open_note(note, [LOG]) == [LOG]


@MANY
@given(st.binary(max_size=200))
def test_arbitrary_notes(raw: bytes) -> None:
    try:
        note = parse_note(raw)
        open_note(note, [LOG])
        parse_checkpoint(note.text)
    except LedgerError:
        return


@MANY
@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
@example(b"\xff\n1\nx\n")
def test_arbitrary_checkpoint_texts(raw: bytes) -> None:
    try:
        checkpoint = parse_checkpoint(raw)
    except LedgerError:
        return
    assert raw.startswith(format_checkpoint(checkpoint.origin, checkpoint.head))


@MANY
@given(st.text(max_size=60))
def test_arbitrary_vkeys(text: str) -> None:
    try:
        assert parse_vkey(text).vkey() == text
    except LedgerError:
        return


@MANY
@given(st.integers(1, 2**53 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size: int, root: bytes) -> None:
    head = TreeHead(size, root)
    note = parse_note(sign_checkpoint(LOG.name, head, key("log")))
    assert parse_checkpoint(note.text) == Checkpoint(LOG.name, head)
    assert open_note(note, [LOG]) == [LOG]


def test_the_empty_checkpoint() -> None:
    assert parse_checkpoint(format_checkpoint("a", TreeHead(0, EMPTY_ROOT))).head.size == 0
    with pytest.raises(NoteError):
        parse_checkpoint(format_checkpoint("a", TreeHead(0, bytes(32))))


ROOT = b64encode(bytes(32))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n١\n{ROOT}\n",
        f"a\n9007199254740992\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{b64encode(bytes(31))}\n",
        f"a\n1\n{ROOT}\n\n",
    ],
)
def test_no_checkpoint(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text.encode())


def test_extension_lines_are_allowed() -> None:
    assert parse_checkpoint(f"a\n1\n{ROOT}\nmore\nand more\n".encode()).head.size == 1
