"""Tells the course of an example to a ledger, and remembers what the page expects of every entry."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.registry.refusal import Refused
from ledger.statements.parse import NEWEST_RULES
from tests.harness.agreements import fixed_members
from tests.harness.forger import Forger
from tests.harness.people import Person, person
from tests.harness.sealing import seal
from tests.harness.speech import sealed, signed
from tests.terms_examples.page import milliseconds

PEOPLE = ("licensor", "licensee", "partner", "court")
DAY_MS = 86_400_000
IDS = {"license", "listing", "transfer", "parent", "claim", "disclosure", "request"}
"""Fields whose value on the page is the name of an earlier statement."""
NOT_FIELDS = {"time", "by", "name", "sealed", "decision", "disclosed", "finding", "findings", "refused"}
Finding = tuple[str, int, str, int]
"""Slug, index, party and since: what the page says of a finding."""


class Course:
    """One example on a ledger of its own."""

    def __init__(self, block: dict[str, Any], until_ms: int | None = None) -> None:
        """Tell the course, up to and including a moment where one is given."""
        self.block = block
        self.until_ms = until_ms
        self.start_ms = milliseconds(block.get("term", ["2026-01-01T00:00:00Z"])[0])
        self.ledger = Forger("example", rules=NEWEST_RULES)
        self.people = {name: person(name) for name in PEOPLE}
        self.ids: dict[str, str] = {}
        self.indexes: dict[str, int] = {}
        self.issuers: dict[int, str] = {}
        self.disclosures: list[dict[str, Json]] = []
        self.findings: list[Finding] = []
        """What the page expects at entries, whatever is disclosed."""
        self.decisions: dict[int, tuple[str, str, str]] = {}
        """Index to the decision without and with disclosures, and the slug of a prohibited one."""
        for who in self.people.values():
            self._say(self.ledger.speech.party_registered(who), who.all_keys, self.start_ms)
        licensor = self.people["licensor"]
        listing = self.ledger.speech.listing_registered(licensor, **block.get("listing", {}))
        self.ids["listing"] = self._say(listing, licensor.keys, self.start_ms)
        if "terms" in block:
            own = {"licensee": "licensee", "term": block["term"], "terms": block["terms"]}
            event = {"by": "licensor", "name": "license", "license.agreed": own, "sealed": block.get("sealed", [])}
            self._tell(event | {"time": block["term"][0]})
        for event in block.get("course", []):
            if until_ms is None or milliseconds(event["time"]) <= until_ms:
                self._tell(event)

    def tick(self, time_ms: int) -> None:
        """Record something that decides nothing, at a moment, so that it is the newest entry's."""
        who = self.people["court"]
        said = self.ledger.speech.say("venue.status", who, who.keys, venue=who.name, status="operating")
        self._say(said, who.keys, time_ms)

    def party_of(self, slug: str, name: str) -> str:
        """Return who is at fault in a finding that waited for a moment: of licenses, always the licensee."""
        assert slug in {"license-ended-without-erasure", "duty-unfulfilled"}, slug
        assert name == "license", name
        return "licensee"

    def _tell(self, event: dict[str, Any]) -> None:
        kind, own = self._kind_and_fields(event)
        who = self.people[event.get("by", "licensee")]
        time_ms = milliseconds(event["time"])
        statement, keys = self.statement(kind, who, own)
        disclosures = seal(statement, *event.get("sealed", []))
        if "refused" in event:
            with pytest.raises(Refused) as caught:
                self._say(statement, keys, time_ms)
            assert caught.value.reason == event["refused"], event
            return
        name = self._say(statement, keys, time_ms)
        index = self.ledger.size - 1
        self.ids[event.get("name", name)] = name
        self.indexes[event.get("name", name)] = index
        self.issuers[index] = who.name
        self.disclosures += [item | {"statement_id": name} for item in disclosures]
        self.findings += [(slug, index, who.name, time_ms) for slug in event.get("findings", [])]
        if "decision" in event:
            slug = event.get("finding", "usage-prohibited")
            self.decisions[index] = (event["decision"], event.get("disclosed", event["decision"]), slug)

    def _kind_and_fields(self, event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        (kind,) = event.keys() - NOT_FIELDS
        if kind == "use":
            return "usage.reported", {"license": "license"} | event["use"]
        return kind, dict(event[kind])

    def statement(self, kind: str, who: Person, own: dict[str, Any]) -> tuple[dict[str, Json], list[Signer]]:
        """Return a statement with what the page leaves out, and the keys that sign it."""
        fields: dict[str, Any] = {
            name: self.ids[value] if name in IDS else value for name, value in deepcopy(own).items()
        }
        signing = [who]
        match kind:
            case "license.agreed":
                term = [milliseconds(text) for text in fields.pop("term")]
                fields |= {"listing": self.ids["listing"], "valid_from_ms": term[0], "valid_until_ms": term[1]}
                fields["terms"] |= fixed_members(self.ids["listing"], who.name, fields["licensee"])
                signing.append(self.people[fields["licensee"]])
            case "license.amended":
                if "terms" in fields:
                    fields["terms"] |= fixed_members(self.ids["listing"], "licensor", "licensee")
                signing = [self.people["licensor"], self.people["licensee"]]
            case "transfer.offered":
                fields |= {"listing": self.ids["listing"], "content": sealed("sent")}
            case "transfer.acknowledged":
                fields |= {"content": sealed("received"), "opens": sealed("sent")["sealed"]}
        keys = [one.key for one in signing]
        return dict(self.ledger.speech.say(kind, who, keys, **fields)), keys

    def _say(self, statement: dict[str, Json], keys: list[Signer], time_ms: int) -> str:
        """Record a statement as issued at its entry's time, whatever it was sealed under: nothing commits to that."""
        statement |= {"issued_ms": time_ms, "not_after_ms": time_ms + DAY_MS}
        return self.ledger.record(signed(statement, *keys), time_ms)
