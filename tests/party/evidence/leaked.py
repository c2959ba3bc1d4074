"""A real hand-off on a real ledger, a leak of it, and a trace: what a disputes team has before it builds a bundle."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ledger.cli.demo.story import EXAMPLES
from ledger.core.encoding import Json
from ledger.core.policy import parse_policy
from ledger.party.acts import claims, handoff, licensing, listings, marking, opening
from ledger.party.acts.enrolment import register
from ledger.party.client.client import LedgerClient
from ledger.party.digests import document
from ledger.party.evidence.building import BundleRequest, build
from ledger.party.evidence.finishing import Built
from ledger.party.marks.pooling import PoolWish
from ledger.party.speaking.countersigning import submit_draft
from ledger.party.speaking.speaker import Speaker, now_ms
from ledger.party.trace.tracing import Examination, trace
from ledger.party.vault.vault import Config, Vault
from tests.harness.people import Person, person
from tests.party.trace.vaults import Silent

PLANES = EXAMPLES / "planes.csv"
AIRPORTS = PLANES.with_name("airports.csv")
SECRET = "the internal reference 7731"  # sealed, and never chosen to be disclosed
PURPOSE = "ResearchAndDevelopment"


@dataclass
class Leak:
    """Alpha gave marked copies of planes.csv to beta and gamma; a part of beta's turned up, rewritten."""

    directory: Path
    url: str
    policy: str
    people: dict[str, Person] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    """Who gets a marked copy of another table of the same listing, too."""
    share: float = 0.4
    """How much of beta's copy turned up."""

    def speaker(self, name: str, clock: Callable[[], int] = now_ms) -> Speaker:
        """Return a party with its home; use its client as a context manager."""
        who = self.people.setdefault(name, person(name))
        vault = Vault(self.directory / "secret-home" / name)
        return Speaker(LedgerClient(self.url, parse_policy(self.policy), vault), vault, name, who.key, clock)

    @property
    def found(self) -> Path:
        return self.directory / "leak.csv"

    @property
    def traced(self) -> Path:
        return self.directory / "trace.json"

    async def tell(self, method: str = "canary") -> None:
        """Tell everything up to the claim."""
        for name in ("alpha", "beta", "gamma", "delta"):
            await self.register(name)
        alpha = self.speaker("alpha")
        async with alpha.client:
            offered = await listings.register(
                alpha, [PLANES], title="Planes", description=SECRET, seal=["/description"]
            )
            self.ids["listing"] = offered.statement_id
        async with (delta := self.speaker("delta")).client:
            elsewhere = await listings.register(delta, [PLANES], title="Something else entirely")
            self.ids["elsewhere"] = elsewhere.statement_id
        for name in ("beta", "gamma"):
            await self._hand_over(name, method)
        for name in self.also:
            await self._hand_over(name, method, AIRPORTS)
        self._leak()
        async with (alpha := self.speaker("alpha")).client:
            self._trace(alpha)
            claim = await claims.open_claim(
                alpha,
                respondent="beta",
                clause="4.2: no onward transfer",
                transfer=self.ids["transfer beta"],
                evidence=document(self.traced),
                seal=["/evidence"],
            )
            self.ids["claim"] = claim.statement_id

    async def build(self, clock: Callable[[], int] = now_ms, **more: Json) -> Built:
        """Build the bundle of the claim, with the found file where nothing else is said."""
        alpha = self.speaker("alpha", clock)
        async with alpha.client:
            request = BundleRequest(self.traced, claim=self.ids["claim"], found=self.found)
            return await build(alpha, replace(request, **more))

    def _trace(self, alpha: Speaker) -> None:
        examination = Examination("J. Doe", now_ms(), "ledger trace leak.csv", "downloaded from a forum")
        done = trace(self.found, alpha.vault, alpha.locker, examination, Silent())
        self.traced.write_bytes(done.raw)

    async def register(self, name: str) -> None:
        """Have a party join, with a home of its own."""
        speaker = self.speaker(name)
        async with speaker.client:
            await register(speaker.client, name, speaker.key, self.people[name].recovery, now_ms)
        key = str(speaker.vault.directory / "key.json")
        speaker.vault.keep_config(
            Config(key=key, recovery_key=key, ledger_url=self.url, party=name, policy=self.policy)
        )

    async def _hand_over(self, name: str, method: str, table: Path = PLANES) -> None:
        alpha, recipient = self.speaker("alpha"), self.speaker(name)
        name_here = name if table == PLANES else f"{name} {table.stem}"
        place = self.directory / f"for {name_here}"
        place.mkdir()
        async with alpha.client, recipient.client:
            terms = {"permission": [{"action": "use", "constraint": [
                {"leftOperand": "purpose", "operator": "isA", "rightOperand": PURPOSE}]}]}  # fmt: skip
            deal = licensing.Deal(
                rules=terms, valid_from_ms=now_ms() - 1000, valid_until_ms=now_ms() + 10**9, marking_consent=True
            )
            drafted = await licensing.draft(alpha, self.ids["listing"], name, deal)
            drafted = await recipient.sign_draft(await alpha.sign_draft(drafted))
            license_id = (await submit_draft(alpha, drafted, licensing.review)).statement_id
            copy = place / table.name
            marks = None
            if method:
                marks = await self._mark((alpha, recipient), table, copy, license_id)
            else:
                copy.write_bytes(table.read_bytes())
            offered = await handoff.offer(
                alpha,
                [copy],
                listing=self.ids["listing"],
                license_id=license_id,
                recipient=name,
                manifest_path=place / "manifest.json",
                marks=marks,
            )
            received = await handoff.receive(recipient, place / "manifest.json", [copy])
            acknowledged = await handoff.acknowledge(recipient, received)
            await opening.hand_back(recipient, acknowledged, sender="alpha", path=place / "opening.json")
            await opening.keep(alpha, place / "opening.json")
        self.ids |= {f"license {name_here}": license_id, f"acknowledged {name_here}": acknowledged.statement_id}
        self.ids |= {f"transfer {name_here}": offered.statement_id}

    async def _mark(self, sides: tuple[Speaker, Speaker], table: Path, copy: Path, license_id: str) -> Json:
        """Seal a pool, have it requested, and write the copy that was drawn."""
        (alpha, recipient), listing = sides, self.ids["listing"]
        planned = await marking.plan(alpha, [table], PoolWish("canary", 20, "0.000001"), listing=listing)
        prepared = await marking.prepare(alpha, planned, listing=listing, recipient=recipient.name)
        await marking.request(recipient, await marking.preparation(recipient, prepared.statement_id))
        found = await marking.design(
            alpha,
            [table],
            copy=copy,
            listing=listing,
            license_id=license_id,
            recipient=recipient.name,
            prepared=prepared.statement_id,
        )
        return await marking.write(found)

    def _leak(self) -> None:
        """Shuffle, cut, reorder and rewrite a part of beta's copy."""
        with (self.directory / "for beta" / "planes.csv").open(newline="") as file:
            _names, *rows = csv.reader(file)
        some = random.Random(7)
        rows = [row for row in rows if some.random() < self.share]
        some.shuffle(rows)
        order = [3, 0, 1, 4, 6]
        with self.found.open("w", newline="") as out:
            writer = csv.writer(out, delimiter=";")
            writer.writerow([f"c{column}" for column in order])
            writer.writerows([row[column].lower() for column in order] for row in rows)
