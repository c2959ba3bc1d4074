"""What strangers say about a listing, however much of it, makes evidence neither impossible nor slow."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.core.encoding import canonical
from ledger.core.keys import Signer
from ledger.core.policy import parse_policy
from ledger.party.evidence.finishing import Built
from ledger.party.evidence.parts.errors import TooLarge
from ledger.party.evidence.parts.gathering import Gathered, Scope, gather
from ledger.party.evidence.parts.mirror_source import MirrorSource
from tests.cli.running import serving, verifier
from tests.conformance.effort import rounds
from tests.harness.builder import ORIGIN
from tests.harness.bundle_story import Story
from tests.harness.people import Person
from tests.harness.speech import Speech, signed
from tests.party.evidence.leaked import Leak

FEW, MANY = 3, 1_100
"""So many that they are taken along, and so many that they are not."""
CROWD = rounds(10_000)
"""On a mirror, where nothing has to be signed: with PROVENANCE_TEST_EFFORT=50, half a million."""


class Scene(NamedTuple):
    """A leak on a served ledger, and somebody who has nothing to do with it."""

    leak: Leak
    stranger: Person
    said: Speech

    def flood(self, count: int) -> None:
        """Record so many statements of the stranger's about the listing."""
        listing, license_id = self.leak.ids["listing"], self.leak.ids["license beta"]
        named = {"license": license_id, "content": {"sealed": "ab" * 32}, "recipient": "delta", "listing": listing}
        lines = []
        for number in range(count):
            keys = [self.stranger.key]
            if number % 2:
                statement = self.said.listing_registered(self.stranger, f"{number}", derived_from=[listing])
            else:
                statement = self.said.say("transfer.offered", self.stranger, keys, **named)
            lines.append(canonical(signed(statement, *keys).document()) + b"\n")
        request = urllib.request.Request(
            f"{self.leak.url}/v1/statements", b"".join(lines), {"content-type": "application/jsonl"}
        )
        with urllib.request.urlopen(request) as reply:
            answers = reply.read().splitlines()
        assert answers[-1] == b'{"done":%d}' % count, answers[:3]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = tmp_path_factory.mktemp("crowds")
    with serving(directory / "operator") as url:
        leak = Leak(directory, url, (directory / "operator" / "policy.txt").read_text())
        asyncio.run(leak.tell())
        asyncio.run(leak.register("stranger.example"))
        ledger = asyncio.run(_identity(leak))
        speech = Speech(ledger, int(time.time() * 1000), rules=5)
        yield Scene(leak, leak.people["stranger.example"], speech)


async def _identity(leak: Leak) -> str:
    async with (alpha := leak.speaker("alpha")).client:
        return (await alpha.client.identity()).id


def checked(scene: Scene, built: Built, tmp_path: Path) -> str:
    """Return what the verifier says of a bundle that it believes."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(built.archive)
    ended = verifier("bundle", path, "--policy", scene.leak.directory / "operator" / "policy.txt")
    assert ended.code == 0, ended
    return ended.out


def issuers(built: Built) -> set[str]:
    return {told.issuer for told in built.documents.gathered.told()}


def test_strangers_are_left_out_by_the_rules_few_or_many(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since version 6 what they say concerns them, so that the case is complete without it."""
    scene.flood(FEW)
    few = asyncio.run(scene.leak.build())
    scene.flood(MANY)
    many = asyncio.run(scene.leak.build())
    for built in (few, many):
        assert "stranger.example" not in issuers(built)
        assert "complete according to the operator" in checked(scene, built, tmp_path)
    assert many.verdict == few.verdict
    monkeypatch.setattr("ledger.party.evidence.parts.ledger_source.MAX_ENTRIES", 10)
    with pytest.raises(TooLarge) as refused:
        asyncio.run(scene.leak.build())
    assert "--case-only" in refused.value.advice
    case = asyncio.run(scene.leak.build(scope=Scope.CASE))
    assert "omissions possible" in checked(scene, case, tmp_path)
    assert case.verdict == few.verdict
    kinds = [told.type for told in case.documents.gathered.told()]
    assert kinds.count("transfer.acknowledged") == kinds.count("license.agreed") == 2
    assert "stranger.example" not in issuers(case)


class Unsigned:
    """A key in whose name nobody signs: whoever makes a bundle of a mirror does not ask."""

    def __init__(self, name: Signer) -> None:
        self.public = name.public

    def sign(self, _message: bytes) -> bytes:
        return bytes(64)


def test_half_a_million_strangers_on_a_mirror(tmp_path: Path) -> None:
    story = Story(rules=5)
    names = [story.said[label].id for label in ("transfer bob.example", "transfer carol.example", "claim")]
    alone = asyncio.run(_gathered(story, tmp_path / "alone", names, Scope.LISTING))
    dave, silent = story.dave, Unsigned(story.dave.key)
    for _ in range(CROWD):
        statement = story.speech.listing_registered(dave, derived_from=[story.listing])
        story.force(signed(statement, silent))
    for scope in (Scope.LISTING, Scope.CASE):
        gathered = asyncio.run(_gathered(story, tmp_path / scope.name, names, scope))
        assert [entry.raw for entry in gathered.entries] == [entry.raw for entry in alone.entries]


async def _gathered(story: Story, directory: Path, names: list[str], scope: Scope) -> Gathered:
    policy = parse_policy(story.policy())
    source = await MirrorSource.open(story.write(directory), policy, story.listing, origin=ORIGIN)
    return await gather(source, names, scope=scope)
