"""One story on a ledger of version 2: what a provider, an exchange and two recipients did with data about airports."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.core.entry import ZERO_LINK, Entry
from ledger.party.chain.told import Told, told
from ledger.statements.parse import parse_statement
from tests.harness.agreements import atomic, duration, fixed_members, rule
from tests.harness.people import person
from tests.harness.speech import DAY_MS, START_MS, Speech, sealed, signed

LISTING: dict[str, Json] = {
    "title": "Airports of the United States",
    "description": "Location and time zone of 1,458 airports.\nOne row each.",
    "publisher": "Federal Aviation Administration",
    "rights_holder": "United States Government",
    "version": "1.0",
    "keywords": ["airports", "aviation", "机场"],
    "spatial": ["US"],
    "temporal": {"from_ms": 1_356_998_400_000, "until_ms": 1_388_534_400_000},
    "conforms_to": ["https://www.rfc-editor.org/rfc/rfc4180", "an own schema"],
    "distributions": [
        {
            "access_url": "https://data.example/airports.csv",
            "bytes": 99_841,
            "media_type": "text/csv",
            "sha256": "ab" * 32,
            "title": "airports.csv",
        },
        {"media_type": "application/vnd.apache.parquet"},
    ],
    "sources": [
        {
            "publisher": "OpenFlights",
            "retrieved_ms": 1_388_534_400_123,
            "title": "OpenFlights airports",
            "uri": "https://openflights.org/data",
        },
        {"title": "A list on paper"},
    ],
    "classification": {"as_of_ms": 1_400_000_000_000, "authority": "FAA", "level": "public"},
    "use": {
        "classification": "Public",
        "copyright": "Public domain",
        "intended_purpose": ["research", "maps"],
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "processing_excluded": ["re-identification"],
    },
    "venue": {"name": "Example Exchange", "registration": "EX-17"},
}
"""Every field that a listing can have, but for `derived_from`."""


@dataclass
class Scenario:
    """A chain of entries, which nothing judged but the forms of its statements, and their ids by name."""

    entries: list[Entry] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    speech: Speech = field(default_factory=lambda: Speech("sha256:" + "0" * 64, START_MS, 2))

    def __post_init__(self) -> None:
        """Register everybody."""
        self.people = {name: person(name) for name in ("alpha", "beta", "gamma", "exchange")}
        for who in self.people.values():
            self.chain(who.name, signed(self.speech.party_registered(who), *who.all_keys))

    def chain(self, name: str, envelope: Envelope) -> str:
        """Append an entry, a second after the one before, and remember its statement's id."""
        parse_statement(envelope.payload, 2)
        previous = self.entries[-1].leaf.hex() if self.entries else ZERO_LINK
        self.entries.append(Entry(len(self.entries), previous, envelope, self.speech.now_ms))
        self.speech.now_ms += 1000
        self.ids[name] = envelope.id
        return envelope.id

    def say(self, name: str, kind: str, *issuers: str, **fields: Json) -> str:
        """Append a statement by these parties; return its id."""
        keys = [self.people[issuer].key for issuer in issuers]
        return self.chain(name, signed(self.speech.say(kind, self.people[issuers[0]], keys, **fields), *keys))

    @property
    def told(self) -> list[Told]:
        """Everything on the chain."""
        return [told(entry) for entry in self.entries]

    @property
    def raw(self) -> list[bytes]:
        """The entries' bytes."""
        return [entry.raw for entry in self.entries]


def hand_off() -> Scenario:
    """Return the whole story: derived both ways, licensed twice, handed over, used, forwarded, claimed, erased."""
    story = Scenario()
    say = story.say
    venue = {"party": "exchange", "registration": "EX-17"}
    planes = say("planes", "listing.registered", "beta", title="Planes", content=sealed("p"))
    listing = say(
        "listing",
        "listing.registered",
        "alpha",
        content=sealed("t"),
        derived_from=[planes],
        **(LISTING | {"venue": venue}),
    )
    say("circle", "listing.amended", "beta", listing=planes, derived_from=[listing], version="2")
    say("hidden", "listing.amended", "alpha", listing=listing, description=sealed("d"), version="1.1")
    term = story.speech.term()
    terms = {
        "permission": [rule("use", atomic("purpose", "isAnyOf", ["ResearchAndDevelopment"]))],
        "obligation": [rule("delete", atomic("elapsedTime", "lteq", duration("P30D")))],
    }
    agreed = fixed_members(listing, "alpha", "beta") | terms
    license_id = say(
        "license", "license.agreed", "alpha", "beta", listing=listing, licensee="beta", terms=agreed, **term
    )
    sub_terms = fixed_members(listing, "beta", "gamma") | terms
    sublicense = say(
        "sublicense",
        "license.agreed",
        "beta",
        "gamma",
        listing=listing,
        licensee="gamma",
        parent=license_id,
        terms=sub_terms,
        **term,
    )
    transfer = say(
        "transfer",
        "transfer.offered",
        "alpha",
        listing=listing,
        license=license_id,
        recipient="beta",
        content=sealed("c"),
    )
    say("acknowledged", "transfer.acknowledged", "beta", transfer=transfer, content=sealed("k"))
    say(
        "usage",
        "usage.reported",
        "beta",
        license=license_id,
        transfer=transfer,
        action="derive",
        purpose=sealed("secret"),
        derivatives=[{"title": "Map of airports", "listing": planes}, {"title": sealed("x")}],
    )
    demand = say("demand", "disclosure.compelled", "beta", transfer=transfer, authority="A Court", instrument="Order 7")
    say("forwarded", "transfer.forwarded", "beta", transfer=transfer, recipient="gamma", license=sublicense)
    say("leaked", "transfer.forwarded", "beta", transfer=transfer, outsider="A Newspaper", disclosure=demand)
    claim = say("claim", "claim.opened", "alpha", license=license_id, respondent="beta", clause="forwarding")
    say("answer", "claim.answered", "beta", claim=claim, position="denied")
    say("settled", "claim.determined", "alpha", "beta", claim=claim, outcome="settled")
    say("license end", "license.ended", "alpha", license=license_id, code="breach")
    due = story.speech.now_ms + DAY_MS
    request = say("request", "erasure.requested", "alpha", transfer=transfer, basis="contract", erase_by_ms=due)
    say(
        "erased",
        "erasure.attested",
        "beta",
        transfer=transfer,
        request=request,
        basis="contract",
        destroyed=["data", "derivatives"],
    )
    say("other", "listing.registered", "gamma", title="Weather", content=sealed("w"))
    return story
