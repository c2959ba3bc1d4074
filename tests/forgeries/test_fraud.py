"""Every kind of fraud proof: a true one is believed, a bent one is not, and nobody honest can be accused."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ledger.core.encoding import b64encode, canonical
from tests.harness import frauds_of_entries  # noqa: F401 - importing them fills FRAUDS
from tests.harness.forger import Scene
from tests.harness.frauds import FRAUDS, HISTORY, PROMISE, REFUSAL, FraudFile, Tell, consistency, take_back
from tests.harness.speech import signed
from tests.harness.verify import Verdict, run_verifier
from verifier.cli.main import main
from verifier.core.policy import parse_policy
from verifier.fraud.form import KINDS
from verifier.fraud.fraud import verify_fraud

ALSO = {"rewrite": {"fork"}, "rollback": {"unlawful-entry"}}
"""What some frauds are besides."""


def check(tmp_path: Path, raw: bytes, policy: str) -> Verdict:
    (tmp_path / "fraud.json").write_bytes(raw)
    (tmp_path / "policy.txt").write_text(policy)
    return run_verifier("fraud", str(tmp_path / "fraud.json"), "--policy", str(tmp_path / "policy.txt"))


@pytest.mark.parametrize("tell", FRAUDS, ids=lambda tell: tell.__name__)
def test_a_true_proof_convicts(tmp_path: Path, tell: Tell) -> None:
    """It says what the operator did, when, and how sure that is; the same words for people."""
    scene = Scene()
    told = tell(scene)
    verdict = check(tmp_path, told.file.raw, told.policy or scene.policy())
    assert (verdict.exit_code, verdict.report["reason"]) == (0, None), verdict.report
    words = " ".join(verdict.report[name] for name in ("what", "when", "sure"))
    assert all(part in words for part in told.words), words
    [vkey] = verdict.report["log_keys"]
    assert f"the log key {vkey.rpartition('+')[0]}: whoever held that did it" in words


@pytest.mark.parametrize("tell", FRAUDS, ids=lambda tell: tell.__name__)
def test_a_bent_proof_convicts_nobody(tell: Tell) -> None:
    """Whatever value of the file is changed: it proves nothing any more."""
    scene = Scene()
    told = tell(scene)
    policy = parse_policy((told.policy or scene.policy()).encode())
    log = policy.pick_log(None)
    assert verify_fraud(told.file.raw, policy, log).exit_code == 0
    for place, bent in _bent(told.file.value):
        verdict = verify_fraud(canonical(bent) + b"\n", policy, log)
        assert verdict.exit_code == (3 if place == ("kind",) else 1), (place, verdict)
        assert verdict.proof is None
    for kind in set(KINDS) - ALSO.get(told.file.kind, set()) - {told.file.kind}:
        assert verify_fraud(canonical(told.file.value | {"kind": kind}) + b"\n", policy, log).exit_code == 1, kind


def _bent(value: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for place in _leaves(value):
        bent: Any = deepcopy(value)
        inner = bent
        for step in place[:-1]:
            inner = inner[step]
        old = inner[place[-1]]
        inner[place[-1]] = old + 1000 if isinstance(old, int) else _bend(old)
        yield place, bent


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name in value:
            yield from _leaves(value[name], (*place, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, (*place, at))
    else:
        yield place


def _bend(text: str) -> str:
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


@pytest.mark.parametrize("tell", FRAUDS, ids=lambda tell: tell.__name__)
def test_a_part_left_out(tell: Tell) -> None:
    """Every part is needed; without any one of them nothing is proven."""
    scene = Scene()
    told = tell(scene)
    policy = parse_policy((told.policy or scene.policy()).encode())
    log = policy.pick_log(None)
    needed = [name for name in told.file.value if name not in {"type", "kind", "origin", "heads"}]
    for name in needed:
        rest = {other: value for other, value in told.file.value.items() if other != name}
        assert verify_fraud(canonical(rest) + b"\n", policy, log).exit_code == 1, name


def test_every_kind_is_told() -> None:
    assert {tell(Scene()).file.kind for tell in FRAUDS} == set(KINDS)


def test_another_log_is_not_accused(tmp_path: Path) -> None:
    """The policy names a log of the same name with another key."""
    told = FRAUDS[0](Scene())
    verdict = check(tmp_path, told.file.raw, Scene("second").policy())
    assert (verdict.exit_code, verdict.report["reason"]) == (1, "no-log-signature")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "provenance-ledger.fraud/v2"}, 3),
        ({"kind": "bribery"}, 3),
        ({"type": "something"}, 1),
        ({"surplus": 1}, 1),
        ({"heads": []}, 1),
        ({"entries": [{"entry": "AA==", "head": 9, "index": 0, "path": []}]}, 1),
    ],
)
def test_what_is_no_fraud_proof(tmp_path: Path, change: dict[str, Any], code: int) -> None:
    scene = Scene()
    told = FRAUDS[0](scene)
    assert check(tmp_path, canonical(told.file.value | change) + b"\n", scene.policy()).exit_code == code


@pytest.mark.parametrize("raw", [b"", b"\n", b"{}", b"{}\n", b"[]\n", b"\xff\xfe\n", b"[" * 9999 + b"\n", b'"a"\n'])
def test_garbage(tmp_path: Path, raw: bytes) -> None:
    """Nothing, something else, bytes of no text, nesting without end: it proves nothing."""
    assert check(tmp_path, raw, Scene().policy()).exit_code == 1


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policy.txt").write_text(Scene().policy())
    assert main(["fraud", str(tmp_path / "none"), "--policy", str(tmp_path / "policy.txt")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_rules_that_nobody_knows(tmp_path: Path) -> None:
    """Whether an entry under later rules is lawful cannot be told here."""
    scene = Scene(rules=3)
    scene.force_said(scene.speech.rules_changed(scene.operator, 99), scene.operator.key)
    at = scene.force_said(scene.speech.listing_registered(scene.carol), scene.carol.key)
    file = FraudFile("unlawful-entry", scene, {"index": at})
    file.prefix(scene.size, file.head())
    assert check(tmp_path, file.raw, scene.policy()).exit_code in {1, 3}


# The honest are not accused


def honest(scene: Scene, file: FraudFile) -> None:
    policy = parse_policy(scene.policy().encode())
    verdict = verify_fraud(file.raw, policy, policy.pick_log(None))
    assert (verdict.exit_code, verdict.reason) == (1, "no-contradiction"), verdict


def test_a_log_that_grew_is_no_fork() -> None:
    scene = Scene()
    file = FraudFile("fork", scene)
    file.head()
    old = scene.size
    scene.go_on()
    file.head()
    file.value["consistency"] = {"path": consistency(scene, old, scene.size), "root": scene.root_at(old).hex()}
    honest(scene, file)


def test_a_promise_that_was_kept() -> None:
    scene = Scene()
    promised = signed(scene.speech.listing_registered(scene.carol, "Promised"), scene.carol.key)
    file = FraudFile("omission-after-promise", scene)
    deadline_ms = scene.now_ms + 60_000
    file.said(PROMISE, statement_id=promised.id, deadline_ms=deadline_ms, time=scene.now_ms)
    scene.record(promised, deadline_ms)
    scene.record(signed(scene.speech.listing_registered(scene.carol), scene.carol.key), deadline_ms + 1)
    file.said(HISTORY, subjects=[promised.id], indexes=[scene.size - 2])
    file.prefix(scene.size, file.head())
    honest(scene, file)


def test_a_deadline_that_has_not_passed() -> None:
    scene = Scene()
    promised = signed(scene.speech.listing_registered(scene.carol, "Promised"), scene.carol.key)
    file = FraudFile("omission-after-promise", scene)
    deadline_ms = scene.now_ms + 60_000
    file.said(PROMISE, statement_id=promised.id, deadline_ms=deadline_ms, time=scene.now_ms)
    scene.record(signed(scene.speech.listing_registered(scene.carol), scene.carol.key), deadline_ms)
    file.said(HISTORY, subjects=[promised.id], indexes=[])
    file.prefix(scene.size, file.head())
    honest(scene, file)


def test_a_history_of_somebody_else() -> None:
    """An entry that does not concern the subject need not be listed; one behind the history's end cannot be."""
    scene = Scene()
    at = scene.view.recorded[scene.license]
    for subjects, size in ((["carol"], scene.size), ([scene.listing], at)):
        file = FraudFile("left-out-of-history", scene, {"index": at})
        file.said(HISTORY, subjects=subjects, indexes=[], size=size, root=scene.root_at(size).hex())
        file.prefix(scene.size, file.head())
        honest(scene, file)


def test_a_refusal_that_is_right() -> None:
    scene = Scene()
    again = signed(scene.speech.transfer_refused(scene.bob, scene.done), scene.bob.key)
    file = FraudFile("refusal-contradicts-log", scene, {"statement": b64encode(again.recorded)})
    file.said(REFUSAL, reason="already-decided", statement_id=again.id, time=scene.now_ms)
    file.prefix(scene.size, file.head())
    honest(scene, file)


def test_a_refused_statement_that_was_recorded_later() -> None:
    """A refusal does not forbid recording it later."""
    scene = Scene()
    later = signed(scene.speech.listing_registered(scene.carol), scene.carol.key)
    file = FraudFile("refusal-contradicts-log", scene)
    file.said(REFUSAL, reason="wrong-role", statement_id=later.id, time=scene.now_ms)
    scene.record(later)
    head = file.head()
    file.entry(0, head)
    file.entry(scene.size - 1, head)
    honest(scene, file)


def test_an_entry_recorded_after_a_refusal() -> None:
    """The log went on, and time with it; a clock that is set back by less than five minutes convicts nobody."""
    scene = Scene()
    for ahead_ms in (0, 300_000):
        file = FraudFile("rollback", scene, {"index": scene.size})
        file.said(REFUSAL, reason="expired", statement_id=scene.open, time=scene.now_ms + ahead_ms)
        scene.record(signed(scene.speech.listing_registered(scene.carol), scene.carol.key))
        head = file.head()
        file.entry(0, head)
        file.entry(scene.size - 1, head)
        honest(scene, file)
        take_back(scene)


def test_lawful_entries_are_not_unlawful() -> None:
    """No entry of an honest log, shown alone or with all before it, under any kind."""
    scene = Scene()
    scene.go_on()
    policy = parse_policy(scene.policy().encode())
    for kind in ("unlawful-entry", "unsigned-statement", "time", "rollback", "rewrite"):
        for at in range(scene.size):
            for is_whole in (False, True):
                file = FraudFile(kind, scene, {"index": at, "keys": [scene.carol.key.public.document()]})
                head = file.head()
                file.entry(at, head)
                if is_whole:
                    file.prefix(scene.size, head)
                assert verify_fraud(file.raw, policy, policy.pick_log(None)).exit_code == 1
