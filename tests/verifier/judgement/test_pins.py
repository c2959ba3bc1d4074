"""Every party is marked: pinned, evidenced by somebody, or name only (docs/statements.md §2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.verifier.builder import Builder, key_from, keyid, public
from tests.verifier.replay.test_replay import checks, code
from tests.verifier.rules.test_consequences import damaged
from verifier.core.policy import parse_policy
from verifier.judgement.pins import Pins
from verifier.replay.replay import replay
from verifier.replay.report import describe_replay, format_replay
from verifier.replay.result import Replay

NEW = key_from("acme/new")


def ledger(admission: str = "open") -> Builder:
    """Make a ledger of two companies, the first of which has changed its signing key."""
    builder = Builder(admission=admission)
    builder.create()
    builder.register("acme")
    builder.register("birch")
    old, recovery = builder.keys("acme")
    builder.append("party.key_added", "acme", [recovery, NEW], key=public(NEW), use="signing")
    builder.append("party.key_revoked", "acme", [recovery], keyid=keyid(old))
    return builder


def run(source: Path, builder: Builder, pins: Pins = ()) -> Replay:
    policy = parse_policy(builder.policy().encode())
    return replay(str(source), policy, policy.logs[0], pins=pins, progress=lambda *_: None)


def parties(result: Replay) -> dict[str, tuple[str, str | None]]:
    report: dict[str, Any] = describe_replay(result, code(result))
    return {party["name"]: (party["status"], party["by"]) for party in report["parties"]}


@pytest.mark.parametrize(
    ("admission", "expected"), [("open", ("name only", None)), ("operator", ("evidenced", "operator"))]
)
def test_a_registration_that_the_operator_signed_is_evidence(
    admission: str, expected: tuple[str, str | None], tmp_path: Path
) -> None:
    """The operator vouches for those whom it admits, and not for itself."""
    builder = ledger(admission)
    result = run(builder.write(tmp_path / "log"), builder)
    assert (code(result), parties(result)["birch"]) == (0, expected)
    assert parties(result)["operator"] == ("name only", None)
    assert f"birch: {expected[0]}" + (" by operator" if expected[1] else "") in format_replay(result, 0)


def test_a_pin_wins_over_evidence(tmp_path: Path) -> None:
    """What this verifier was given itself is better than what somebody says."""
    builder = ledger("operator")
    log = builder.write(tmp_path / "log")
    for key in builder.keys("birch"):  # a recovery key names a company as well
        result = run(log, builder, (("birch", keyid(key)),))
        assert parties(result) == {
            "operator": ("name only", None),
            "acme": ("evidenced", "operator"),
            "birch": ("pinned", None),
        }
        assert f"birch: pinned, {'signing' if key == builder.keys('birch')[0] else 'recovery'} key {keyid(key)}" in (
            format_replay(result, 0)
        )


def test_a_revoked_key_still_pins_and_is_shown(tmp_path: Path) -> None:
    """It says who the name was; that no pinned key can sign any more is a warning."""
    builder = ledger()
    log = builder.write(tmp_path / "log")
    old = keyid(builder.keys("acme")[0])
    result = run(log, builder, (("acme", old),))
    report = describe_replay(result, 0)
    [acme] = [party for party in report["parties"] if party["name"] == "acme"]
    assert acme["status"] == "pinned"
    assert acme["pins"] == [{"keyid": old, "use": "signing", "revoked_index": 4}]
    assert [words for words in report["warnings"] if "every key that is pinned for acme is revoked" in words]
    text = format_replay(result, 0)
    assert f"acme: pinned, signing key {old} (revoked at entry 4)" in text
    assert "every key that is pinned for acme is revoked" in text
    both = describe_replay(run(log, builder, (("acme", old), ("acme", keyid(NEW)))), 0)
    assert not [words for words in both["warnings"] if "revoked" in words]


def test_a_key_that_was_not_seen_contradicts_no_pin(tmp_path: Path) -> None:
    """Where the entry that may register it could not be judged, a pin is not known to be wrong."""
    builder = ledger()
    pins = (("acme", keyid(NEW)), ("birch", keyid(builder.keys("birch")[0])))
    result = run(damaged(builder, tmp_path / "log", 3), builder, pins)
    assert ("pin", "pin-mismatch", 1) not in checks(result)
    assert ("pin", "key-not-seen") in {(doubt.check.slug, doubt.reason) for doubt in result.doubts}
    assert parties(result)["acme"] == ("name only", None)
    assert parties(result)["birch"] == ("pinned", None)
    wrong = run(builder.write(tmp_path / "whole"), builder, (("acme", "0" * 64),))
    assert checks(wrong) == {("pin", "pin-mismatch", 1)}
