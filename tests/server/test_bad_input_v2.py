"""Bad input under the newest version gets a clear problem document and changes nothing (docs/statements.md)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ledger.core.encoding import Json
from ledger.server.log.intake.workers import Workers
from ledger.server.log.state.errors import SignedRefusalError
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.running import House, running, submit_all
from tests.harness.speech import signed
from tests.server.faults_v2 import DECIDED, EXCLUSIVE, REFERENCES, ROLES, TERMS
from tests.server.forms_v2 import allowed, refused
from tests.server.good_v2 import good
from tests.server.scene_v2 import Scene, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(workers: Workers) -> AsyncIterator[Scene]:
    """Give a ledger on which nothing is decided any more: only what is refused is posted to it."""
    async with staged(workers) as scene:
        yield scene


def is_at(found: str | None, field: str) -> bool:
    """Tell whether a place is the one expected, or lies in it."""
    return (found or "") == field or (found or "").startswith(f"{field}/")


def check_said(problem: Json) -> None:
    """Check that a problem document says nothing of our insides."""
    assert set(problem) <= {"type", "title", "status", "detail", "field", "refusal"}, problem
    assert problem["title"]
    text = json.dumps(problem)
    assert not [words for words in ("Traceback", ".py", "pydantic", "\\u0000") if words in text], problem


async def test_every_malformed_field_of_every_type_is_told_with_its_place(scene: Scene) -> None:
    size = scene.size
    originals = good(scene.stage)
    cases = list(refused())
    results = await scene.post_many(change.apply(originals[change.kind]) for change, _, _ in cases)
    assert scene.size == size
    wrong = []
    for (change, reasons, field), result in zip(cases, results, strict=True):
        problem = result.get("problem", {"status": 201, "title": "recorded", "type": "recorded"})
        check_said(problem)
        if (problem["status"], problem["type"] in reasons) != (400, True) or not is_at(problem.get("field"), field):
            wrong.append((change, problem))
    assert not wrong, wrong[:5]
    assert len(cases) > 1500


async def test_what_is_at_the_edge_sealed_or_left_out_is_recorded(workers: Workers) -> None:
    """What can happen once only is decided by the first of these: then the others are too late, and well formed."""
    async with staged(workers) as scene:
        cases = list(allowed())
        # Made anew for each: every statement has its own nonce.
        results = await scene.post_many(change.apply(good(scene.stage)[change.kind]) for change in cases)
    late = [result.get("problem", {}).get("type") == "already-decided" for result in results]
    wrong = [
        (change, result["problem"])
        for change, result, is_late in zip(cases, results, late, strict=True)
        if "problem" in result and not is_late
    ]
    assert not wrong, wrong[:5]
    assert late.count(False) > 500


FAULTS = {
    f"{table}: {name}": fault
    for table, faults in {
        "exclusive": EXCLUSIVE,
        "terms": TERMS,
        "references": REFERENCES,
        "roles": ROLES,
        "decided": DECIDED,
    }.items()
    for name, fault in faults.items()
}


@pytest.mark.parametrize("name", FAULTS)
async def test_what_is_told_wrongly_is_refused_and_changes_nothing(scene: Scene, name: str) -> None:
    fault = FAULTS[name]
    size, statement = scene.size, fault.make(scene.stage)
    status, problem = await scene.post(statement)
    assert (status, problem["type"]) == (fault.status, fault.reason), problem
    assert is_at(problem.get("field"), fault.field), problem
    # What is no statement at all is refused by form alone, and nothing is signed.
    assert ("refusal" in problem) is not name.startswith(("exclusive", "terms"))
    check_said(problem)
    assert scene.size == size


async def test_of_two_acknowledgements_at_once_one_is_recorded(workers: Workers) -> None:
    async with staged(workers) as scene:
        size = scene.size
        posts = [good(scene.stage)["transfer.acknowledged"] for _ in range(8)]
        answers = await asyncio.gather(*(scene.post(statement) for statement in posts))
        assert sorted(status for status, _ in answers) == [201] + [409] * 7
        assert {problem["type"] for status, problem in answers if status == 409} == {"already-decided"}
        assert scene.size == size + 1
        state = await scene.get(f"/v1/transfers/{scene.stage.offer}")
        (index,) = [document["index"] for status, document in answers if status == 201]
        assert (state["state"], state["decided_index"]) == ("acknowledged", index)


async def test_a_license_of_version_1_is_not_amended(workers: Workers) -> None:
    """What was agreed under version 1 keeps its meaning, also once version 2 is in force."""
    house = House("from version 1 on")
    alpha, beta = person("alpha"), person("beta")
    story = house.story(alpha, beta)
    async with running(MemoryStore(), house, workers) as log:
        await submit_all(log, [house.created, *story])
        changed = signed(house.speech.rules_changed(house.operator, 2), house.operator.key)
        await submit_all(log, [changed])
        both = [alpha.key, beta.key]
        amended = house.speech.say("license.amended", alpha, both, license=story[3].id, forum="Ulm")
        with pytest.raises(SignedRefusalError) as caught:
            await submit_all(log, [signed(amended, *both)])
    assert (caught.value.refused.reason, caught.value.refused.field) == ("wrong-value", "/license")
