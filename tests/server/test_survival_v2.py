"""What is extreme but allowed is recorded, judged, and answered as fast as anything else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.encoding import MAX_INTEGER, Json
from ledger.server.log.intake.workers import Workers
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.agreements import atomic, duration, rule
from tests.harness.speech import sealed
from tests.server.scene_v2 import Scene, staged

HISTORY = 10_000
DEPTH = 200
QUICK_S = 0.5


async def quickest(scene: Scene, path: str) -> tuple[float, Json]:
    """Return how long a call takes at best of three, and what it says."""
    times, document = [], None
    for _ in range(3):
        start = time.perf_counter()
        document = await scene.get(path)
        times.append(time.perf_counter() - start)
    return min(times), document


async def test_ten_thousand_statements_about_one_listing(workers: Workers, tmp_path: Path) -> None:
    store = await SQLiteStore.open(tmp_path / "ledger.db")
    async with staged(workers, store) as scene:
        stage = scene.stage

        def life() -> Iterator[Json]:
            for number in range(HISTORY // 4):
                yield stage.say("listing.amended", stage.alpha, listing=stage.listing, version=f"2.{number}")
                yield stage.say("usage.reported", stage.beta, license=stage.license, action="read", count=2)
                fields = {"listing": stage.listing, "recipient": "beta", "content": sealed("x")}
                yield stage.say("transfer.offered", stage.alpha, **fields)
                yield stage.agreement(stage.alpha, stage.beta)

        ids = await scene.record_many(life())
        assert len(ids) == HISTORY
        took_s, listing = await quickest(scene, f"/v1/listings/{stage.listing}")
        assert took_s < QUICK_S
        assert listing["version"] == f"2.{HISTORY // 4 - 1}"
        for path in (f"licenses/{stage.license}", f"licenses/{ids[-1]}", f"transfers/{ids[2]}", "listings?limit=2"):
            assert (await quickest(scene, f"/v1/{path}"))[0] < QUICK_S, path
        history = await scene.get(f"/v1/history?subject={stage.listing}")
        assert history["payload"]
        found = await scene.findings("alpha")
        # No license was named.
        assert len([slug for slug, _ in found if slug == "transfer-without-license"]) == HISTORY // 4
    await store.close()


async def test_two_hundred_sub_licenses_deep(workers: Workers, tmp_path: Path) -> None:
    """Nothing that is said on the way down takes back what the root prohibits."""
    async with staged(workers) as scene:
        stage = scene.stage
        terms = stage.terms(permission=[rule("use")], prohibition=[rule("train")])
        chain = [await scene.record(stage.agreement(stage.alpha, stage.beta, terms=terms))]
        root, wider = scene.size - 1, scene.size
        sides = (stage.beta, stage.gamma)
        for level in range(DEPTH):
            licensor, licensee = sides[level % 2], sides[1 - level % 2]
            chain.append(await scene.record(stage.agreement(licensor, licensee, parent=chain[-1])))
        for action in ("read", "train"):
            await scene.record(stage.say("usage.reported", stage.beta, license=chain[-1], action=action))
        train = scene.size - 1
        expected = [("sublicense-wider-than-parent", wider), ("usage-prohibited", train)]
        assert await scene.findings("beta") == expected
        report = await scene.replay(tmp_path)
        (finding,) = [item for item in report["findings"] if item["slug"] == "usage-prohibited"]
        assert finding["entries"] == [root, train]
        await scene.record(stage.say("license.ended", stage.alpha, license=chain[0], code="convenience"))
        await scene.record(stage.say("usage.reported", stage.beta, license=chain[-1], action="read"))
        assert await scene.findings("beta") == [*expected, ("usage-prohibited", scene.size - 1)]


async def test_two_hundred_constraints(workers: Workers, tmp_path: Path) -> None:
    async with staged(workers) as scene:
        stage = scene.stage
        constraints = [atomic("purpose", "neq", f"p{number}") for number in range(200)]
        terms = stage.terms(permission=[rule("use", *constraints)])
        license_id = await scene.record(stage.agreement(stage.alpha, stage.beta, terms=terms))
        for purpose in ("p0", "p199", "p200"):
            await scene.record(
                stage.say("usage.reported", stage.beta, license=license_id, action="read", purpose=purpose)
            )
        expected = [("usage-prohibited", scene.size - 3), ("usage-prohibited", scene.size - 2)]
        assert await scene.findings("beta") == expected
        await scene.replay(tmp_path)


@pytest.mark.parametrize("word", ["气象研究", "البحث العلمي", "e\u0301tude", "🛰️ 数据"])
async def test_terms_in_any_language(workers: Workers, tmp_path: Path, word: str) -> None:
    async with staged(workers) as scene:
        stage = scene.stage
        terms = stage.terms(permission=[rule("use", atomic("purpose", "isAnyOf", [word, "其他"]))])
        license_id = await scene.record(
            stage.agreement(stage.alpha, stage.beta, terms=terms, governing_law="中华人民共和国法律", forum="الرياض")
        )
        for purpose in (word, f"{word}。"):
            await scene.record(
                stage.say("usage.reported", stage.beta, license=license_id, action="read", purpose=purpose)
            )
        assert await scene.findings("beta") == [("usage-prohibited", scene.size - 1)]
        await scene.replay(tmp_path)


async def test_times_at_the_edges(workers: Workers, tmp_path: Path) -> None:
    async with staged(workers) as scene:
        stage = scene.stage
        obligation = rule("delete", atomic("elapsedTime", "lteq", duration("P999999DT999999H999999M999999S")))
        terms = stage.terms(permission=[rule("use", atomic("count", "lteq", MAX_INTEGER))], obligation=[obligation])
        eternal = await scene.record(
            stage.agreement(stage.alpha, stage.beta, terms=terms, valid_from_ms=0, valid_until_ms=MAX_INTEGER)
        )
        moment = await scene.record(stage.agreement(stage.alpha, stage.beta, valid_from_ms=0, valid_until_ms=1))
        for count in (MAX_INTEGER, 1):
            await scene.record(stage.say("usage.reported", stage.beta, license=eternal, action="read", count=count))
        beyond = scene.size - 1
        await scene.record(stage.say("usage.reported", stage.beta, license=moment, action="read"))
        late = scene.size - 1
        for due in (0, MAX_INTEGER):
            fields = {"listing": stage.listing, "license": eternal, "recipient": "beta", "content": sealed("t")}
            await scene.record(stage.say("transfer.offered", stage.alpha, acknowledge_by_ms=due, **fields))
            claim = {"license": eternal, "respondent": "beta", "clause": "x", "answer_by_ms": due}
            await scene.record(stage.say("claim.opened", stage.alpha, **claim))
            request = {"license": eternal, "basis": "other", "erase_by_ms": due}
            await scene.record(stage.say("erasure.requested", stage.alpha, **request))
        ended = {"license": eternal, "code": "other", "effective_ms": MAX_INTEGER}
        await scene.record(stage.say("license.ended", stage.alpha, **ended))
        found = await scene.findings("beta")
        assert [index for slug, index in found if slug == "usage-beyond-count"] == [beyond]
        assert [index for slug, index in found if slug == "usage-prohibited"] == [late]
        for slug, index in [("not-acknowledged-in-time", late + 1), ("claim-unanswered", late + 2)]:
            assert [at for name, at in found if name == slug] == [index]
        assert [at for name, at in found if name == "erasure-late"] == [late + 3]
        assert "license-ended-without-erasure" not in dict(found)
        await scene.replay(tmp_path)


async def test_a_cycle_of_derivations(workers: Workers, tmp_path: Path) -> None:
    async with staged(workers) as scene:
        stage = scene.stage
        names = [stage.alpha, stage.beta, stage.gamma]
        circle = [
            await scene.record(stage.say("listing.registered", who, title=who.name, content=sealed(who.name)))
            for who in names
        ]
        for number, who in enumerate(names):
            before = [circle[number - 1]]
            await scene.record(stage.say("listing.amended", who, listing=circle[number], derived_from=before))
        own = [circle[0]]
        await scene.record(stage.say("listing.amended", stage.alpha, listing=circle[0], derived_from=own))
        for item in circle:
            assert (await quickest(scene, f"/v1/listings/{item}"))[0] < QUICK_S
            assert (await scene.get(f"/v1/history?subject={item}"))["payload"]
        for who in names:
            found = await scene.findings(who.name)
            assert len([slug for slug, _ in found if slug == "derived-from-unlicensed"]) == 1
        await scene.replay(tmp_path)
