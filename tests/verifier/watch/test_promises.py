"""A monitor looks after the promises in a vault: what is broken is told once, with a proof that needs no operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.builder import b64, canonical, envelope, key_from, keyid, statement_name
from tests.verifier.watch.test_watch import Scene
from verifier.core.policy import parse_policy
from verifier.fraud.form import PROMISE
from verifier.fraud.fraud import verify_fraud


class Owed(Scene):
    """A monitored log that promised a listing by a minute from now."""

    def __init__(self, tmp_path: Path, signed_by: str = "service", lie: dict[str, object] | None = None) -> None:
        self.folder = tmp_path / "promises"
        self.folder.mkdir()
        super().__init__(tmp_path, promises=self.folder, fraud_dir=str(tmp_path / "frauds"))
        log = self.log
        self.deadline_ms = log.time_ms + 60_000
        fields = {"title": "Airports", "content": {"sealed": "ab" * 32}}
        self.promised = log.statement("listing.registered", "acme", [log.keys("acme")[0]], **fields)
        self.name = statement_name(self.promised)
        payload = {
            "deadline_ms": self.deadline_ms, "ledger": log.ledger, "root": log.root().hex(), "size": len(log.leaves),
            "statement_id": self.name, "time": log.time_ms, "type": "provenance-ledger.promise/v1",
        }  # fmt: skip
        raw, key = canonical(payload | (lie or {})), key_from(signed_by)
        signature = key.sign(b"DSSEv1 %d %s %d %s" % (len(PROMISE), PROMISE.encode(), len(raw), raw)).signature
        signatures = [{"keyid": keyid(key), "sig": b64(signature)}]
        document = {"payload": b64(raw), "payloadType": PROMISE, "signatures": signatures}
        (self.folder / f"{self.name[7:]}.json").write_bytes(canonical(document) + b"\n")

    def go_on(self, until_ms: int) -> list[str]:
        """Have the log record something of somebody else, and look."""
        self.log.time_ms = until_ms
        self.log.list_dataset("cedar")
        self.write()
        return self.look()


def test_a_broken_promise_is_told_once_with_its_proof(tmp_path: Path) -> None:
    scene = Owed(tmp_path)
    assert scene.look() == ["started"]
    assert scene.go_on(scene.deadline_ms) == []
    for more in range(1, 4):
        assert scene.go_on(scene.deadline_ms + more) == (["promise-broken"] if more == 1 else [])
    [alarm] = [alarm for alarm in scene.said if alarm["kind"] == "promise-broken"]
    assert (alarm["statement"], alarm["severity"]) == (scene.name, "alarm")
    [path] = alarm["proofs"]
    policy = parse_policy(scene.log.policy().encode())
    verdict = verify_fraud(Path(path).read_bytes(), policy, policy.logs[0])
    assert (verdict.exit_code, verdict.kind) == (0, "omission-after-promise")
    scene.restart()
    assert scene.look() == []


def test_a_promise_that_is_kept_is_not_told(tmp_path: Path) -> None:
    scene = Owed(tmp_path)
    scene.look()
    scene.own.add(scene.name)
    scene.log.record(envelope(scene.promised, [scene.log.keys("acme")[0]]))
    assert scene.go_on(scene.deadline_ms + 1) == []


@pytest.mark.parametrize("lie", [{"ledger": "sha256:" + "0" * 64}, {"statement_id": "x"}, {"more": 1}])
def test_what_is_no_promise_of_this_ledger_is_passed_over(tmp_path: Path, lie: dict[str, object]) -> None:
    scene = Owed(tmp_path, lie=lie)
    for name, raw in (("empty", b""), ("noise", b"\xff"), ("list", b"[]\n")):
        (scene.folder / f"{name}.json").write_bytes(raw)
    scene.look()
    assert scene.go_on(scene.deadline_ms + 1) == []


def test_a_promise_that_somebody_else_signed_proves_nothing(tmp_path: Path) -> None:
    """Under another key it is passed over; under the ledger's, it is told as it is, and no proof is made of it."""
    scene = Owed(tmp_path, signed_by="stranger")
    scene.look()
    assert scene.go_on(scene.deadline_ms + 1) == []
    path = scene.folder / f"{scene.name[7:]}.json"
    path.write_bytes(
        path.read_bytes().replace(keyid(key_from("stranger")).encode(), keyid(key_from("service")).encode())
    )
    assert scene.look() == ["promise-broken"]
    assert scene.said[-1]["proofs"] == []
    assert "no proof could be made" in scene.said[-1]["sentence"]
