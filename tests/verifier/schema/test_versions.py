"""Which version of the rules an entry is read by: the one in force at its index, whatever a worker took it for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.builder import (
    PAYLOAD_TYPE,
    START_MS,
    TYPES,
    Builder,
    agreement,
    canonical,
    envelope,
    forms_of,
    small_ledger,
)
from tests.verifier.rules.test_rules import outcome, run
from tests.verifier.rules.test_rules_v2 import SEAL, World
from verifier.core.policy import parse_policy
from verifier.replay.replay import replay
from verifier.replay.result import Replay
from verifier.replay.state import format_state, parse_state
from verifier.schema.versions import NEWEST_RULES

VECTORS = Path(__file__).parents[2] / "vectors"
MARKS = {"bound": "0.001", "method": "tardos", "seal": SEAL, "threshold_millibits": 20_000}


def again(builder: Builder, directory: Path, **options: Any) -> Replay:
    """Replay a log with options."""
    builder.write(directory)
    policy = parse_policy(builder.policy().encode())
    return replay(str(directory), policy, policy.logs[0], **({"progress": lambda *_: None} | options))


def named(builder: Builder) -> tuple[str, str]:
    """Return the ids of the listing and the license of a small ledger."""
    kinds: dict[str, dict[str, Any]] = {}
    for raw in builder.entries:
        payload = parse(raw)
        kinds.setdefault(payload["type"], payload)
    offer = kinds["transfer.offered"]
    return offer["listing"], offer["license"]


def parse(raw: bytes) -> dict[str, Any]:
    import base64

    fields: dict[str, Any] = json.loads(base64.b64decode(json.loads(raw)["statement"]["payload"]))
    return fields


def changing(before: int, after: int) -> tuple[Builder, list[tuple[str, str, int]]]:
    """Return a ledger that goes over to version 2, then 3; statements of other versions here and there are refused."""
    builder = small_ledger(transfers=before)
    listing, terms = named(builder)
    lies: list[tuple[str, str, int]] = []

    def lie(because: str, kind: str, /, **fields: Any) -> None:
        builder.say(kind, "acme", **fields)
        lies.append(("payload" if because == "unknown-type" else "fields", because, len(builder.entries) - 1))

    offer = {"listing": listing, "recipient": "birch.example", "content": SEAL}
    lie("unknown-field", "transfer.offered", **offer, acknowledge_by_ms=START_MS)
    lie("unknown-type", "usage.reported", license=terms, action="read")
    builder.change_rules()
    for number in range(after):
        made = builder.offer("acme", "birch.example", listing, license=terms, acknowledge_by_ms=START_MS + number)
        if number % 3 == 0:
            builder.decide("birch.example", made, "transfer.refused")
        if number % 100 == 50:
            lie("missing-field", "transfer.refused", transfer=made, reason="as under version 1")
            lie("unknown-field", "license.ended", license=terms, code="other", note="x")
            lie("unknown-field", "transfer.offered", **offer, marks=MARKS)
    builder.change_rules()
    for number in range(after // 2):
        builder.offer("acme", "birch.example", listing, license=terms, marks=MARKS if number % 5 == 0 else None)
        if number % 100 == 50:
            lie("wrong-value", "transfer.offered", **offer, marks=MARKS | {"bound": "0.0"})
    return builder, lies


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("before", [3, 140])
def test_every_entry_is_read_by_the_version_in_force_at_its_index(before: int, processes: int, tmp_path: Path) -> None:
    """Whichever bundle the change falls into, and whoever examines those after it, the outcome is the same."""
    builder, lies = changing(before, 1500)
    result = again(builder, tmp_path, processes=processes)
    assert outcome(result) == lies
    assert (result.doubts, result.is_complete, result.registry.rules) == ([], True, builder.rules)
    assert [finding for finding in result.findings if finding.slug == "transfer-without-license"] == []


def test_bytes_that_change_while_they_are_read_again_are_a_doubt(tmp_path: Path) -> None:
    """Between two looks at one bundle a source can lie: nothing is concluded from what it says then."""
    builder, lies = changing(20, 100)
    change_at = lies[1][2] + 1

    def swap(index: int, _time_ms: int, _statement: object) -> None:
        if index == change_at:
            [bundle] = tmp_path.glob("tile/entries/000.p/*")
            raw = bundle.read_bytes()
            at = raw.index(b'"index":%d,' % (change_at + 1))
            bundle.write_bytes(raw[: at + 60] + bytes([raw[at + 60] ^ 1]) + raw[at + 61 :])

    result = again(builder, tmp_path, observe=swap)
    assert outcome(result) == lies[:2]
    assert [(doubt.check.slug, doubt.reason) for doubt in result.doubts] == [("available", "changed while it was read")]


@pytest.mark.parametrize("far", [0, 256])
def test_only_the_listed_types_are_allowed(far: int, tmp_path: Path) -> None:
    """An unlisted type is unknown, even where its fields are wrong, too; one of no type at all is as wrong as ever."""
    builder = small_ledger()
    listing, terms = named(builder)
    builder.change_rules([kind for kind in TYPES if kind not in {"usage.reported", "listing.registered"}])
    for _ in range(far):  # into a bundle that is read by version 2 from the start
        builder.offer("acme", "birch.example", listing, license=terms)
    expected: list[tuple[str, str, int]] = []

    def expect(check: str, reason: str) -> None:
        expected.append((check, reason, len(builder.entries) - 1))

    builder.say("usage.reported", "birch.example", license=terms, action="read")
    expect("payload", "unknown-type")
    builder.say("usage.reported", "birch.example", license=terms, action="burn", more=1)
    expect("payload", "unknown-type")
    builder.say("venue.status", "acme", venue="acme", status="asleep")
    expect("fields", "wrong-value")
    builder.record(envelope(b'{"type":1.5}', [builder.keys("acme")[0]]))
    expect("payload", "float")
    builder.list_dataset("acme")
    expect("payload", "unknown-type")
    builder.say("venue.status", "acme", venue="acme", status="closed")
    builder.offer("acme", "birch.example", listing, license=terms)
    for processes in (1, 2):
        result = again(builder, tmp_path, processes=processes)
        assert outcome(result) == expected
        assert (result.doubts, result.is_complete) == ([], True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"statement_types": ["transfer.offered"]}, None),
        ({"payload_types": [PAYLOAD_TYPE, "z"]}, "wrong-value"),
        ({"payload_types": ["z"]}, "wrong-value"),
        ({"signature_forms": ["ed448"]}, "wrong-value"),
        ({"statement_types": ["party.registered", "transfer.sold"]}, "wrong-value"),
        ({"rules": 3}, "wrong-rules-version"),
    ],
)
@pytest.mark.parametrize("before", range(1, NEWEST_RULES))
def test_the_lists_of_a_change_are_those_of_its_version(
    change: dict[str, Any], reason: str | None, before: int, tmp_path: Path
) -> None:
    """What a change allows is what the next version has, or less (docs/statements.md §1.3)."""
    builder = small_ledger()
    while builder.rules < before:
        builder.change_rules()
    own = {"payload_types": [PAYLOAD_TYPE], "statement_types": TYPES, "signature_forms": forms_of(before + 1)}
    skipped = {"rules": before + change.get("rules", 2) - 1}
    builder.say("ledger.rules_changed", "operator", **(own | change | skipped))
    at = len(builder.entries) - 1
    builder.offer("acme", "birch.example", named(builder)[0])
    result = run(builder, tmp_path)
    assert outcome(result) == ([("reference", reason, at)] if reason else [])
    assert result.registry.rules == (before if reason else before + 1)


def test_what_was_agreed_under_version_1_keeps_its_meaning(tmp_path: Path) -> None:
    """It can be ended, held and sub-licensed by the words of version 2, but not amended."""
    builder = small_ledger()
    listing, terms = named(builder)
    builder.change_rules()
    builder.say("license.amended", "acme", "birch.example", license=terms, valid_from_ms=5)
    amended_at = len(builder.entries) - 1
    builder.license("birch.example", "cedar", listing, parent=terms)
    offer = builder.offer("acme", "birch.example", listing, license=terms, acknowledge_by_ms=START_MS)
    builder.say("claim.opened", "acme", license=terms, respondent="birch.example", clause=SEAL, legal_hold=True)
    builder.say("erasure.attested", "birch.example", transfer=offer, basis="contract", destroyed=["data"])
    held_at = len(builder.entries) - 1
    builder.say("license.ended", "acme", license=terms, code="breach")
    result = run(builder, tmp_path)
    assert outcome(result) == [("reference", "wrong-value", amended_at), ("reference", "legal-hold", held_at)]


@pytest.mark.parametrize("version", range(1, NEWEST_RULES))
def test_a_ledger_made_under_an_earlier_version_still_verifies(version: int) -> None:
    """Kept as it was made: the same findings, and nothing else."""
    ledger = VECTORS / f"ledger-v{version}"
    policy = parse_policy((ledger / "policy.txt").read_bytes())
    result = replay(str(ledger / "mirror"), policy, policy.logs[0], progress=lambda *_: None)
    assert result.exit_code() == 0
    then = json.loads((ledger / "replay.json").read_bytes())
    assert [(item.slug, item.index) for item in result.findings] == [
        (item["slug"], item["index"]) for item in then["findings"]
    ]
    assert result.registry.counts == then["statements"]


@pytest.mark.parametrize("processes", [1, 3])
def test_a_version_newer_than_the_newest_is_not_known(processes: int, tmp_path: Path) -> None:
    """From the entry that brings it on, bundles and bundles of it are hashed and not judged: exit 3."""
    builder = small_ledger(transfers=200)
    builder.change_to_unknown_rules()
    changed_at = len(builder.entries) - 1
    for _ in range(1500):
        builder.record(envelope(b"whatever", [builder.keys("acme")[0]]))
    result = again(builder, tmp_path / "log", processes=processes)
    assert outcome(result) == []
    assert [(doubt.check.slug, doubt.index) for doubt in result.doubts] == [("rules-version", changed_at + 1)]
    assert result.exit_code() == 3
    first = Builder()
    first.create(rules=NEWEST_RULES + 1)
    result = run(first, tmp_path / "first")
    assert [doubt.reason for doubt in result.doubts] == ["unknown-rules"]


def test_an_entry_0_that_is_none_is_read_by_the_newest_version(tmp_path: Path) -> None:
    """Whatever stands there, it is refused for what it is, and no worker trips over it."""
    for payload, reason in (
        (canonical({"type": "ledger.created", "rules": "2"}), "missing-field"),
        (canonical({"type": "usage.reported"}), "missing-field"),
        (b"[]", "not-an-object"),
        (b"\xff", "not-json"),
    ):
        builder = Builder()
        builder.record(envelope(payload, [builder.keys("operator")[0]]))
        assert [reason for _, reason, _ in outcome(run(builder, tmp_path))] == [reason]


def whole_life() -> Builder:
    """Return a ledger with everything that later statements can refer to, in all its states."""
    world = World()
    world.say("listing.amended", "acme", listing=world.listing, version="2", venue={"party": "dogwood"})
    other = world.list_dataset("birch", derived_from=[world.listing], title=SEAL)
    world.say("listing.withdrawn", "birch", listing=other)
    below = world.sublicense(terms=agreement(world.listing, "birch", "cedar"))
    world.amend(valid_until_ms=START_MS + 10**9)
    world.decide("birch", world.offered)
    second = world.offer("acme", "birch", world.listing, license=world.terms, acknowledge_by_ms=START_MS)
    world.forward(license=below, disclosure=world.compelled())
    world.use(transfer=world.offered, count=SEAL, fulfils=["attribute"])
    world.say("venue.status", "dogwood", venue="dogwood", status="closed")
    held = world.claim(legal_hold=True, answer_by_ms=START_MS, tribunal="cedar")
    open_ = world.claim("birch", transfer=second, respondent="acme", legal_hold=True)
    world.answer(held)
    request = world.request()
    world.end(effective_ms=START_MS)
    world.attest("birch", statement=other, pointers=["/title"], destroyed=["salts"])
    world.determine(held, "upheld", "cedar")
    world.time_ms += 10**6
    world.determine(open_, "withdrawn", "birch")
    world.attest(request=request)
    world.offer("acme", "birch", world.listing, license=world.terms)
    return world


def test_a_replay_of_everything_resumes_from_every_size(tmp_path: Path) -> None:
    """What is remembered is enough to judge all that comes after, and is itself what a whole replay remembers."""
    world = whole_life()
    policy = parse_policy(world.policy().encode())
    whole = run(world, tmp_path / "whole")
    assert (outcome(whole), whole.doubts) == ([], [])
    for size in range(1, len(world.entries)):
        early = run(Builder(entries=world.entries[:size], leaves=world.leaves[:size]), tmp_path / str(size))
        saved = parse_state(format_state(early.state()), policy, policy.logs[0])
        resumed = again(world, tmp_path / "whole", state=saved)
        assert (outcome(resumed), resumed.doubts, resumed.is_complete) == ([], [], True)
        assert format_state(resumed.state()) == format_state(whole.state()), size
        assert resumed.findings == whole.findings


def test_a_hold_is_remembered(tmp_path: Path) -> None:
    """An attestation that the hold forbids is refused behind a resumed replay, too."""
    world = World()
    world.claim(legal_hold=True)
    early = run(Builder(entries=world.entries[:], leaves=world.leaves[:]), tmp_path / "early")
    policy = parse_policy(world.policy().encode())
    saved = format_state(early.state())
    world.attest()
    resumed = again(world, tmp_path / "log", state=parse_state(saved, policy, policy.logs[0]))
    assert outcome(resumed) == [("reference", "legal-hold", len(world.entries) - 1)]
