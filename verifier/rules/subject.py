"""The entries of a replay that concern one subject (docs/format.md §12.3), and those that they rest on.

What concerns the subject can be told while the log runs by. What it rests on (its listing, its license as amended, who
the parties are) stands before it or names only those: such entries are kept until it is known whether they are needed,
but of hand-offs, of which a ledger has the most, only until the subject is met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.core.ids import id_bytes
from verifier.rules.parties import Parties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.rules.body import Body
    from verifier.rules.examine import Statement

CARRYING = ("listing", "license", "transfer", "claim", "prepared")
"""Fields with an id, all of whose entry's subjects are the naming entry's too."""
_NAMING = ("parent", "disclosure", "request", "statement")
_PARTIES = ("licensee", "recipient", "respondent", "tribunal", "venue")
_HAND_OFFS = ("transfer.offered", "transfer.acknowledged")
_CHANGING = (
    *("listing.amended", "listing.withdrawn", "classification.changed", "license.amended", "license.ended"),
    *("transfer.acknowledged", "transfer.refused"),
)
"""Types that change what they name, so that what rests on it rests on them."""


@dataclass(frozen=True, slots=True)
class Told:
    """One accepted entry."""

    index: int
    time_ms: int
    statement: Statement

    @property
    def kind(self) -> str:
        """The type of its statement."""
        return self.statement.kind

    @property
    def issuer(self) -> str:
        """Who says it."""
        return self.statement.issuer

    @property
    def body(self) -> Body:
        """What it says; of hand-offs, what is kept of that."""
        return self.statement.body

    def all_ids(self) -> Iterator[bytes]:
        """Yield every id that it names."""
        yield from self.body.ids((*CARRYING, *_NAMING))
        yield from map(id_bytes, self.body.get("derived_from", ()))

    def parties(self) -> set[str]:
        """Return its issuer and every party that it names; of a use, what stands as recipient may be none."""
        body, parties = self.body, {self.issuer}
        for name in _PARTIES:
            value = body.get(name)
            value = value.get("party") if type(value) is dict else value
            if type(value) is str:
                parties.add(value)
        return parties


class Observed:
    """What a replay met of a subject: a statement's id (`sha256:` and hex), or a party's name.

    Entries later than `as_of_ms` (Unix milliseconds) are counted and not kept; None takes all. `rules` is the version
    by which all entries are taken; None: as entry 0 and the changes of the rules say, which are then all among them.
    """

    def __init__(self, subject: str, as_of_ms: int | None = None, *, rules: int | None = None) -> None:
        self.subject = subject
        self.as_of_ms = as_of_ms
        self.subject_id = id_bytes(subject) if subject.startswith("sha256:") else None
        self.concerning: dict[int, Told] = {}
        """Entries that concern the subject, by index."""
        self.later_count = 0
        """Entries after the moment, whatever they concern."""
        self.is_later = False
        """The subject's own entry is after the moment."""
        self._learns_rules = rules is None
        self._rules = rules or 0
        self._parties = Parties()
        self._others: dict[bytes, Told] = {}
        self._waiting: dict[bytes, Told] = {}
        """Hand-offs that the subject may turn out to rest on."""
        self._touching: set[bytes] = set()
        """Ids of entries that concern the subject."""
        self._resting: set[bytes] = set()
        """Ids that the subject rests on, itself included."""
        self._owners: dict[str, str] = {}
        """Keyid to the party that brought it."""

    @property
    def own(self) -> Told | None:
        """The subject's own entry; None if there was none, and for a party."""
        first = min(self.concerning, default=None)
        told = None if first is None else self.concerning[first]
        return told if told is not None and told.statement.id == self.subject_id else None

    def take(self, index: int, time_ms: int, statement: Statement) -> None:
        """Take the accepted entry at `index`; for `replay(…, observe=…)`."""
        if self.later_count or (self.as_of_ms is not None and time_ms > self.as_of_ms):
            self.later_count += 1
            self.is_later = self.is_later or statement.id == self.subject_id
            return
        for key in statement.introduced:
            self._owners[key.keyid] = statement.issuer
        told = Told(index, time_ms, statement)
        if statement.id == self.subject_id:
            self._meet(told)
        foreign = self._parties.foreign(statement, self._rules)
        self._parties.take(statement)
        if self._learns_rules and statement.kind in ("ledger.created", "ledger.rules_changed"):
            self._rules = statement.body["rules"]
        if self._concerns(told, foreign):
            self._touching.add(statement.id)
            self.concerning[index] = told
        elif statement.kind not in _HAND_OFFS:
            self._others[statement.id] = told
        elif self.subject_id is not None and (not self._resting or self._decides(told)):
            self._waiting[statement.id] = told

    def _decides(self, told: Told) -> bool:
        """Tell whether it acknowledges a hand-off that the subject rests on."""
        return told.kind == "transfer.acknowledged" and not self._resting.isdisjoint(told.body.ids(("transfer",)))

    def _concerns(self, told: Told, foreign: set[bytes]) -> bool:
        if told.statement.id == self.subject_id or not self._touching.isdisjoint(
            set(told.body.ids(CARRYING)) - foreign
        ):
            return True
        if self.subject_id is not None:
            return self.subject_id in set(told.all_ids()) - foreign
        owners = {self._owners.get(keyid) for keyid in told.statement.signers}
        return self.subject in told.parties() | owners

    def _meet(self, own: Told) -> None:
        """Forget the hand-offs that the subject does not rest on: nothing later can make it."""
        self._resting = {own.statement.id}
        reached = [own]
        while reached:
            for name in reached.pop().all_ids():
                told = self._others.get(name) or self._waiting.get(name)
                if told is not None and name not in self._resting:
                    self._resting.add(name)
                    reached.append(told)
        self._waiting = {
            name: told for name, told in self._waiting.items() if name in self._resting or self._decides(told)
        }

    def issuers(self) -> dict[int, str]:
        """Return who issued each entry that is kept, by index."""
        entries = (*self._others.values(), *self._waiting.values(), *self.concerning.values())
        return {told.index: told.issuer for told in entries}

    def background(self) -> list[Told]:
        """Return the entries that the subject rests on and that do not concern it, but for registrations of parties."""
        entries = [*self._others.values(), *self._waiting.values()]
        venues = {
            venue["party"]
            for told in (*entries, *self.concerning.values())
            if told.statement.id in self._resting or not self._resting.isdisjoint(told.body.ids(("listing",)))
            if type(venue := told.body.get("venue")) is dict and "party" in venue
        }
        found = [
            told
            for told in entries
            if told.statement.id in self._resting
            or (told.kind in _CHANGING and not self._resting.isdisjoint(told.body.ids(CARRYING)))
            or (told.kind == "venue.status" and told.body["venue"] in venues)
        ]
        return sorted(found, key=lambda told: told.index)

    def of_parties(self, names: set[str]) -> list[Told]:
        """Return what registered these parties, and what revoked keys of theirs."""
        kinds = ("ledger.created", "party.registered", "party.key_revoked")
        entries = (*self._others.values(), *self.concerning.values())
        found = [told for told in entries if told.kind in kinds and told.issuer in names]
        return sorted(found, key=lambda told: told.index)
