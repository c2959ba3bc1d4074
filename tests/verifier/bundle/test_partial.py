"""A replay of some entries of a log: what a bundle may leave out makes no true entry false (docs/bundle.md §2, §6)."""

from __future__ import annotations

import json
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from ledger.core.dsse import statement_id
from ledger.core.encoding import b64decode
from tests.conformance.effort import rounds
from tests.conformance.tale import Tale
from tests.harness.builder import LedgerBuilder
from tests.harness.judged import Judging, verifier_judged
from tests.harness.reference import ReferenceTree, entry_leaf
from verifier.bundle.checks import Outcome
from verifier.bundle.entries import Chain, verify_chain
from verifier.bundle.form import Bundle
from verifier.core.policy import parse_policy
from verifier.sealed.disclosures import Disclosures

IDS = ("listing", "license", "transfer", "claim", "prepared", "parent", "disclosure", "request", "statement")
PARTIES = ("issuer", "licensee", "recipient", "respondent", "tribunal", "venue")


class Needs:
    """Which entries each entry of a log cannot be checked without (docs/bundle.md §2)."""

    def __init__(self, ledger: LedgerBuilder) -> None:
        """Read the log once."""
        self.said = [json.loads(b64decode(json.loads(raw)["statement"]["payload"])) for raw in ledger.entries]
        self.by_id: dict[str, int] = {}
        self.registered: dict[str, int] = {}
        self.keys: dict[str, int] = {}
        self.requested: dict[str, int] = {}
        for index, (raw, said) in enumerate(zip(ledger.entries, self.said, strict=True)):
            self.by_id[ledger.id if index == 0 else _id_of(raw)] = index
            if said["type"] == "transfer.requested":
                self.requested.setdefault(said["prepared"], index)
            if said["type"] in {"ledger.created", "party.registered"}:
                self.registered[said["issuer"]] = index
            for key in [*said.get("keys", ()), *said.get("recovery_keys", ()), *[said.get("key")]]:
                if key is not None:
                    self.keys[_keyid(key)] = index

    def of(self, index: int) -> set[int]:
        said = self.said[index]
        venue = said["venue"].get("party") if isinstance(said.get("venue"), dict) else said.get("venue")
        names = [said.get(name) for name in PARTIES if name != "venue"] + [venue]
        ids = [said.get(name) for name in IDS] + said.get("derived_from", [])
        needed = {self.registered[name] for name in names if isinstance(name, str) and name in self.registered}
        needed |= {self.by_id[name] for name in ids if isinstance(name, str) and name in self.by_id}
        prepared = said["marks"].get("prepared") if "marks" in said else None
        needed |= {at[prepared] for at in (self.by_id, self.requested) if prepared in at}
        needed |= {self.keys[keyid] for keyid in said["signers"]}
        owners = {self.said[at]["issuer"] for at in needed}
        return needed | {self.registered[owner] for owner in owners if owner in self.registered}

    def closed(self, chosen: set[int]) -> list[int]:
        """Return a choice of entries with everything that a bundle of them must have."""
        rules = {at for at, said in enumerate(self.said) if said["type"] in {"ledger.created", "ledger.rules_changed"}}
        reached, waiting = set[int](), chosen | rules
        while waiting:
            index = waiting.pop()
            reached.add(index)
            waiting |= self.of(index) - reached
        return sorted(reached)


def _id_of(raw: bytes) -> str:
    return statement_id(b64decode(json.loads(raw)["statement"]["payload"]))


def _keyid(document: dict[str, Any]) -> str:
    return sha256(f"{document['alg']}\n".encode() + b64decode(document["public_key"])).hexdigest()


def examined(ledger: LedgerBuilder, indexes: list[int]) -> tuple[Chain, Outcome]:
    """Check these entries of a log as a bundle's."""
    note, tree = ledger.checkpoint(), ReferenceTree([entry_leaf(raw) for raw in ledger.entries])
    bundle, outcome = Bundle(note=note), Outcome()
    bundle.entries = {index: ledger.entries[index] for index in indexes}
    bundle.inclusion = b"".join(tree.shared(indexes, ledger.size))
    policy = parse_policy(ledger.policy().encode())
    return verify_chain(bundle, policy, policy.logs[0], outcome), outcome


@pytest.mark.parametrize("seed", range(rounds(12)))
def test_what_is_left_out_accuses_nobody(seed: int) -> None:
    tale, pick = Tale(seed), Random(seed)
    for _ in range(70):
        tale.step()
    ledger = tale.ledger
    needs, size = Needs(ledger), ledger.size
    for _ in range(3):
        chosen = set(pick.sample(range(size), pick.randrange(1, size)))
        indexes = needs.closed(chosen)
        chain, outcome = examined(ledger, indexes)
        doubted = [fault.reason for fault in outcome.doubts]
        assert set(doubted) <= {"legal-hold", "wrong-value", "wrong-signers"}
        counts = doubted.count("wrong-signers")  # of a key that was revoked elsewhere
        assert len(chain.told) + len(doubted) - counts == len(indexes)
        assert chain.is_whole == (len(indexes) == size)
        chain.judge(Disclosures()).close(chain.registry.newest_time_ms)


@pytest.mark.parametrize("seed", range(rounds(6)))
def test_a_whole_log_is_judged_as_by_a_replay(seed: int) -> None:
    tale = Tale(seed)
    for _ in range(70):
        tale.step()
    chain, outcome = examined(tale.ledger, list(range(tale.ledger.size)))
    assert (outcome.failures, outcome.doubts, chain.is_whole) == ([], [], True)
    judged = chain.judge(Disclosures()).close(tale.ledger.times[-1])
    assert verifier_judged(judged) == verifier_judged(Judging(tale.ledger).close())
