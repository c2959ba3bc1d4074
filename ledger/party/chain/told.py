"""What the chain tells about one listing, license, transfer or claim: its statements, with index and time.

`select` finds in a heap of statements those that a subject rests on and those that follow from it; `gathering` makes
the heap. Only names of statements are read here: a sealed place stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ledger.core.encoding import Json, parse_canonical
from ledger.core.entry import Entry

NAMING = ("listing", "license", "transfer", "claim", "prepared", "request", "disclosure", "statement")
"""The fields by which a statement says what it is about."""


@dataclass(frozen=True)
class Told:
    """One statement of the chain: the entry's index and time (Unix milliseconds), its id and its JSON form."""

    index: int
    time_ms: int
    id: str
    fields: Mapping[str, Json]

    @property
    def type(self) -> str:
        """The statement's type."""
        return str(self.fields["type"])

    @property
    def issuer(self) -> str:
        """Who said it."""
        return str(self.fields["issuer"])

    def name(self, field: str) -> str | None:
        """Return the id or the party's name in a field, if it is there in clear."""
        value = self.fields.get(field)
        return value if isinstance(value, str) else None


def told(entry: Entry) -> Told:
    """Return what an entry tells."""
    return Told(entry.index, entry.time_ms, entry.envelope.id, parse_canonical(entry.envelope.payload))


def subject_of(statement: Told) -> str:
    """Return the id of the listing, license, transfer or claim that a statement is about; its own if it makes one."""
    if statement.type in {"listing.registered", "license.agreed", "transfer.offered", "claim.opened"}:
        return statement.id
    return next((name for field in reversed(NAMING[:5]) if (name := statement.name(field))), statement.id)


def select(heap: Iterable[Told], subject: str) -> list[Told]:
    """Return, in the order of the log, what `subject` rests on and what follows from it.

    Of a listing that is everything about it; of a license, its listing, the licenses over it, and what was done under
    it; of a transfer, its listing and license, and what became of the copy. The listings that data were derived from
    come with their own registrations and amendments, in whatever circle they refer to each other.
    """
    by_id = {statement.id: statement for statement in heap}
    found = _Selection(by_id, sorted(by_id.values(), key=lambda statement: statement.index))
    found.upward(subject)
    found.downward(subject)
    found.origins()
    return [statement for statement in found.ordered if statement.id in found.chosen]


class _Selection:
    """A selection under way."""

    def __init__(self, by_id: Mapping[str, Told], ordered: list[Told]) -> None:
        self.by_id = by_id
        self.ordered = ordered
        self.chosen: set[str] = set()

    def upward(self, subject: str) -> None:
        """Choose what a subject rests on: license, parents, listing, claims' subjects; and how these were changed."""
        waiting, over = [subject], set[str]()
        while waiting:
            statement = self.by_id.get(waiting.pop())
            if statement is None or statement.id in over:
                continue
            over.add(statement.id)
            names = [statement.name(field) for field in (*NAMING[:5], "parent", "disclosure")]
            waiting += [name for name in names if name is not None]
        self.chosen |= over
        for statement in self.ordered:
            about = statement.name("listing") or statement.name("license")
            changes = statement.type in _CHANGES and about in over
            held = statement.type.startswith(("erasure.", "claim.")) and statement.name("license") in over
            if changes or held:
                self.chosen.add(statement.id)
                if held:
                    self.downward(statement.id)

    def downward(self, subject: str) -> None:
        """Choose what follows from a subject, and from that."""
        below = {subject}
        for statement in self.ordered:  # a statement names earlier ones only
            named = {statement.name(field) for field in NAMING} | {statement.name("parent")}
            if named & below:
                below.add(statement.id)
        below |= {name for id_ in below & self.by_id.keys() if (name := self.by_id[id_].name("license")) is not None}
        self.chosen |= below & self.by_id.keys()

    def origins(self) -> None:
        """Choose the listings that chosen ones were derived from, with what was said of them."""
        versions = [statement for statement in self.ordered if statement.type in _VERSIONS]
        while True:
            sources = {
                source
                for statement in versions
                if statement.id in self.chosen
                for source in statement.fields.get("derived_from", ())
            }
            more = {v.id for v in versions if v.id in sources or v.name("listing") in sources} - self.chosen
            if not more:
                return
            self.chosen |= more


_VERSIONS = frozenset({"listing.registered", "listing.amended"})
_CHANGES = frozenset(
    {
        *("classification.changed", "listing.amended", "listing.withdrawn"),
        *("license.amended", "license.ended"),
    }
)


def parties_of(statement: Told) -> set[str]:
    """Return the parties that a statement names, its issuer among them."""
    fields = ("issuer", "licensee", "recipient", "respondent", "tribunal")
    found = {name for field in fields if (name := statement.name(field)) is not None}
    venue = statement.fields.get("venue")
    if isinstance(venue, dict) and isinstance(venue.get("party"), str):
        found.add(venue["party"])
    return found - {""} if statement.type != "usage.reported" else {statement.issuer}
