"""Traces that were edited by hand: whatever is done to one, the answer is a sentence about the trace."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.encoding import Json, parse_json
from ledger.core.errors import LedgerError
from ledger.party.chain.told import Told
from ledger.party.evidence import building
from ledger.party.evidence.building import BundleRequest
from ledger.party.evidence.parts.case import Case
from ledger.party.evidence.parts.checking import checked_numbers
from ledger.party.evidence.parts.errors import NotOfThisCase
from ledger.party.evidence.parts.traced import choose_transfer, read_trace
from ledger.party.trace import scoring
from ledger.party.vault.disclosures import Disclosure
from tests.cli.running import serving
from tests.party.evidence.leaked import Leak

STRANGE: list[Json] = [None, True, 0, 1, -1, 2**53 - 1, "", "x", "AAAA", [], {}, [0], {"row": 0}, [[]], [None]]


class Stage(NamedTuple):
    """All that numbers are checked with, as a real build had it, and the trace that it was of."""

    leak: Leak
    case: Case
    told: Mapping[str, Told]
    disclosures: list[Disclosure]
    document: dict[str, Json]

    def check(self, document: Json) -> dict[str, Json]:
        """Return the evidence that is made of a trace."""
        path = self.leak.directory / "edited.json"
        path.write_text(json.dumps(document))
        trace = read_trace(path)
        transfer = self.leak.ids["transfer beta"]
        assert choose_transfer(trace, transfer, None) == transfer
        trace.entry(transfer)
        request = BundleRequest(path, withheld=frozenset({self.leak.ids["transfer gamma"]}), found=self.leak.found)
        maker = building._Builder(self.leak.speaker("alpha"), request)
        evidence = maker.evidence(trace, self.told, self.case)
        closed = {self.told[name].fields["marks"]["prepared"] for name in request.withheld}
        disclosures = [item for item in self.disclosures if item.statement_id not in closed]
        paid = {item["transfer"]: item["marks"].get("paid_millibits", 0) for item in trace.entries()}
        return checked_numbers(evidence, self.case, self.told.values(), disclosures, paid)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    directory = tmp_path_factory.mktemp("edited")
    taken: list[tuple[Case, list[Told], list[Disclosure]]] = []

    def take(
        evidence: dict[str, Json], case: Case, told: list[Told], disclosures: list[Disclosure], paid: dict[str, int]
    ) -> dict[str, Json]:
        taken.append((case, list(told), disclosures))
        return checked_numbers(evidence, case, told, disclosures, paid)

    with pytest.MonkeyPatch.context() as patch, serving(directory / "operator") as url:
        patch.setattr(building, "checked_numbers", take)
        # Few records, as each edit has all of them opened and checked again.
        leak = Leak(directory, url, (directory / "operator" / "policy.txt").read_text(), share=0.1)
        asyncio.run(leak.tell())
        asyncio.run(leak.build(claim=None, transfer=leak.ids["transfer beta"]))
    case, told, disclosures = taken[0]
    document = parse_json(leak.traced.read_bytes())
    return Stage(leak, case, {one.id: one for one in told}, disclosures, document)


def places(value: Json) -> Iterator[tuple[Json, str | int]]:
    """Yield every place of a document, as what holds it and its name there; of long lists, a few."""
    names = (
        list(value) if isinstance(value, dict) else list(range(min(len(value), 4))) if isinstance(value, list) else []
    )
    for name in names:
        yield value, name
        yield from places(value[name])


def edit(document: Json, some: random.Random) -> None:
    """Change a document at one place, in one way."""
    inside, name = some.choice(list(places(document)))
    match some.randrange(4):
        case 0:
            del inside[name]
        case 1:
            inside[name] = deepcopy(some.choice(STRANGE))
        case 2:
            other, elsewhere = some.choice(list(places(document)))
            inside[name] = deepcopy(other[elsewhere])
        case _ if isinstance(inside[name], int) and not isinstance(inside[name], bool):
            inside[name] += some.choice([-1, 1, 1000])
        case _ if isinstance(inside[name], list) and inside[name]:
            inside[name].append(deepcopy(some.choice(inside[name])))
        case _:
            inside[name] = str(inside[name])


def test_the_trace_as_it_is_gives_its_evidence(stage: Stage) -> None:
    evidence = stage.check(stage.document)
    assert evidence["conclusion"]["is_enough"]
    assert evidence["matches"]


@given(st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_whatever_is_edited_is_answered_by_a_sentence(stage: Stage, seed: int, edits: int) -> None:
    some, document = random.Random(seed), deepcopy(stage.document)
    for _ in range(edits):
        edit(document, some)
    with suppress(LedgerError):
        stage.check(document)


def test_what_is_no_trace_any_more_says_where(stage: Stage) -> None:
    document = deepcopy(stage.document)
    del document["transfers"][0]["marks"]["status"]
    with pytest.raises(NotOfThisCase, match="/transfers/0/marks/status"):
        stage.check(document)


def test_a_fault_of_ours_is_not_blamed_on_the_trace(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def conclusion(*_: object, **__: object) -> dict[str, Json]:
        raise AttributeError("a fault of ours")

    monkeypatch.setattr(scoring, "conclusion", conclusion)
    with pytest.raises(AttributeError, match="ours"):
        stage.check(stage.document)
