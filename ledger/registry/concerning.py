"""What the entries of a log concern, told from the statements alone (docs/format.md §12.3)."""

from __future__ import annotations

from collections.abc import Callable

from ledger.statements.common import Statement

PARTIES_ONLY = 6
"""The version of the rules since which what anybody may name counts only if a party of it names it."""

_OPEN = {
    "erasure.attested": ("statement",),
    "listing.amended": ("derived_from",),
    "listing.registered": ("derived_from",),
    "transfer.forwarded": ("license", "disclosure"),
    "transfer.offered": ("listing", "license"),
    "transfer.prepared": ("listing",),
}
"""The fields in which anybody may name anything; in all others the rules of acceptance ask for a party of it."""


def counted(statement: Statement, rules: int, is_party: Callable[[str, str], bool]) -> tuple[list[str], list[str]]:
    """Return the ids that a statement names, and those that it mentions, as far as its entry concerns them.

    `is_party(id, name)` tells whether a party is one of what the id stands for (docs/format.md §12.4).
    """
    named, mentioned = statement.named_ids, statement.mentioned_ids
    if rules < PARTIES_ONLY:
        return named, mentioned
    foreign: set[str] = set()
    for field in _OPEN.get(statement.type, ()):
        value = getattr(statement, field)
        ids = [value] if isinstance(value, str) else value or []
        foreign.update(name for name in ids if not is_party(name, statement.issuer))
    return [name for name in named if name not in foreign], [name for name in mentioned if name not in foreign]


class Parties:
    """Who the parties are of what the statements made that were taken so far."""

    def __init__(self) -> None:
        """Know nobody."""
        self._of: dict[str, tuple[str, ...]] = {}
        self._granted: set[tuple[str, str]] = set()

    def include(self, name: str, party: str) -> bool:
        """Tell whether a party is one of what an id stands for."""
        return party in self._of.get(name, ()) or (name, party) in self._granted

    def take(self, statement: Statement, statement_id: str) -> None:
        """Take the next statement."""
        match statement.type:
            case "listing.registered" | "disclosure.compelled":
                self._of[statement_id] = (statement.issuer,)
            case "license.agreed":
                self._of[statement_id] = (statement.issuer, *statement.named_parties)
                [listing] = statement.named_ids
                self._granted.update((listing, party) for party in self._of[statement_id])
            case "transfer.offered" | "claim.opened":
                self._of[statement_id] = (statement.issuer, *statement.named_parties)
            case "erasure.requested":
                [subject] = statement.named_ids
                self._of[statement_id] = self._of.get(subject, ())


class Followed:
    """Which entries concern an id, as they are taken in the order of the log; what is not taken did not happen."""

    def __init__(self, subject: str) -> None:
        """Follow what `subject`, a statement's id, stands for."""
        self.subject = subject
        self._touching = {subject}
        self._parties = Parties()

    def take(self, statement: Statement, statement_id: str, rules: int) -> bool:
        """Take the next entry's statement; tell whether it concerns the subject under a version of the rules."""
        named, mentioned = counted(statement, rules, self._parties.include)
        concerns = statement_id == self.subject or not self._touching.isdisjoint(named) or self.subject in mentioned
        if concerns:
            self._touching.add(statement_id)
        self._parties.take(statement, statement_id)
        return concerns
