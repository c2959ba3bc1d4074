"""A mirror's directory tells what a ledger tells, if it is what its checkpoint signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.merkle import Node, grow, range_hash
from ledger.core.note import ED25519_TYPE, NoteKey
from ledger.core.policy import Policy, parse_policy
from ledger.core.tiles import Tile, format_bundle, format_tile_path
from ledger.party.chain.gathering import story_of
from ledger.party.chain.mirror import read_mirror
from ledger.party.errors import SourceInvalid
from ledger.party.interop.exporting import Format, export
from tests.harness.people import key
from tests.harness.speech import sealed
from tests.party.interop.scenario import Scenario, hand_off

ORIGIN = "mirrored.example/log"


def write_mirror(directory: Path, scenario: Scenario) -> Policy:
    """Write a scenario's entries and signed checkpoint as a mirror has them; return the policy that trusts its log."""
    entries = [entry.raw for entry in scenario.entries]
    for start in range(0, len(entries), 256):
        bundle = entries[start : start + 256]
        path = directory / "tile" / format_tile_path(Tile(None, start // 256, len(bundle)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(format_bundle(bundle))
    hashes: dict[Node, bytes] = {}
    size = grow(hashes, 0, (entry.leaf for entry in scenario.entries))
    log = key("mirrored log")
    head = TreeHead(size, range_hash(0, size, hashes))
    (directory / "checkpoint").write_bytes(sign_checkpoint(ORIGIN, head, log))
    return parse_policy(f"log {NoteKey(ORIGIN, ED25519_TYPE, log.public.raw).vkey()}\nquorum none\n")


def test_a_mirror_tells_the_same_story(tmp_path: Path) -> None:
    story = hand_off()
    for at in range(300):  # past one bundle
        story.say(f"more {at}", "listing.registered", "gamma", title="M", content=sealed(str(at)))
    policy = write_mirror(tmp_path, story)
    told = read_mirror(tmp_path, policy)
    assert told == story.told
    transfer = story.ids["transfer"]
    assert export(story_of(told, transfer), Format.PROV_JSON) == export(
        story_of(story.told, transfer), Format.PROV_JSON
    )


@pytest.mark.parametrize("damage", ["flipped", "short", "long", "missing", "checkpoint", "policy"])
def test_a_mirror_that_is_not_what_was_signed_tells_nothing(tmp_path: Path, damage: str) -> None:
    story = hand_off()
    policy = write_mirror(tmp_path, story)
    (bundle,) = [path for path in (tmp_path / "tile").rglob("*") if path.is_file()]
    raw = bundle.read_bytes()
    if damage == "flipped":
        at = raw.index(b'"time":') + 10
        bundle.write_bytes(raw[:at] + (b"1" if raw[at : at + 1] != b"1" else b"2") + raw[at + 1 :])
    elif damage == "short":
        bundle.write_bytes(raw[:-5])
    elif damage == "long":
        bundle.write_bytes(raw + b"\0\1x")
    elif damage == "missing":
        bundle.unlink()
    elif damage == "checkpoint":
        path = tmp_path / "checkpoint"
        path.write_bytes(path.read_bytes().replace(b"\n22\n", b"\n21\n").replace(b"\n23\n", b"\n22\n"))
    else:
        other = NoteKey(ORIGIN, ED25519_TYPE, key("another log").public.raw)
        policy = parse_policy(f"log {other.vkey()}\nquorum none\n")
    with pytest.raises(SourceInvalid):
        read_mirror(tmp_path, policy)
