"""Random bundles with pools: the verifier computes what the story knows, and sees every number that was edited."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.conformance.effort import rounds
from tests.harness.bundle_pool import AGREED, BOB, PoolMaker, pooled
from tests.harness.bundles import document, finished, with_manifest, zipped
from verifier.bundle.bundle import Examination, verify_bundle
from verifier.core.policy import parse_policy

NUMBERS = {"marks": "score", "controls": "control", "conclusion": "score", "counts": "score", "hypotheses": "score"}
"""Members of evidence.json that hold numbers, and the check that is named for them."""

CLAIMED = {"exclusive", "shared", "records_found", "records"}
"""Counts of records beside those that are shown: the claimant's word (docs/bundle.md §3)."""


def random_pool(pick: Random) -> PoolMaker:
    """Return a bundle of any method: the file has few marks, all or none, and more or less is opened."""
    method = pick.choice(["canary", "omission", "tardos"])
    how: dict[str, Any] = {
        "shape": pick.choice(["changed", "exact"]), "spent": pick.choice([0, 0, 1, 3]),
        "copies": pick.choice([1, 1, 2]), "retires": pick.random() < 0.3,
        "marks": pick.choice([0, 1, 2, 3, 5, 8]), "base": pick.choice([44] if method == "omission" else [1, 20, 40]),
        "withheld": frozenset(name for name in (BOB, "carol.example") if pick.random() < 0.15),
    }  # fmt: skip
    if pick.random() < 0.3:
        how["agreed"] = AGREED | {"method": method, "recipients": pick.choice([3, 4])}
    return pooled(method, **how)


def examined(raw: bytes, policy_text: str) -> Examination:
    policy = parse_policy(policy_text.encode())
    return verify_bundle(raw, policy, policy.logs[0])


def numbers(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every number within a value."""
    if isinstance(value, int):
        yield at
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in items:
        yield from numbers(member, (*at, name))


def edit(evidence: dict[str, Any], way: tuple[str | int, ...], pick: Random) -> None:
    """Change a number by more than two programs may differ, or turn a truth round."""
    value: Any = evidence
    for step in way[:-1]:
        value = value[step]
    old = value[way[-1]]
    more = pick.choice([1000, 5000]) if str(way[-1]).endswith("millibits") else 1
    value[way[-1]] = (
        not old if isinstance(old, bool) else old + more if old < more or pick.random() < 0.5 else old - more
    )


@pytest.mark.parametrize("seed", range(rounds(12)))
def test_random_pools(seed: int) -> None:
    pick = Random(seed)
    maker = random_pool(pick)
    raw, policy = finished(maker)
    said = json.loads(maker.files()["evidence.json"])
    outcome = examined(raw, policy)
    assert (outcome.outcome.exit_code, outcome.outcome.failures) == (0, [])
    for member, check in NUMBERS.items():
        ways = [way for way in numbers(said[member], (member,)) if way[-1] not in CLAIMED]
        for way in pick.sample(ways, min(3, len(ways))):
            files, edited = maker.files(), json.loads(json.dumps(said))
            edit(edited, way, pick)
            files["evidence.json"] = document(edited)
            caught = {fault.check.slug for fault in examined(zipped(with_manifest(files)), policy).outcome.failures}
            assert caught & {check, "bundle-form"}, (way, caught)
