"""Who the parties are of what an id stands for, and which ids of an entry count (docs/format.md §12.3, §12.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.ids import id_bytes

if TYPE_CHECKING:
    from verifier.rules.examine import Statement

PARTIES_ONLY = 6
"""The version of the rules since which what anybody may name counts only if a party of it names it."""

_OPEN = {
    "transfer.offered": ("listing", "license"),
    "transfer.prepared": ("listing",),
    "transfer.forwarded": ("license", "disclosure"),
    "erasure.attested": ("statement",),
}
"""Where anybody may name anything, beside `derived_from`; elsewhere acceptance asks for a party of it."""
_MAKING = ("listing.registered", "license.agreed", "transfer.offered", "claim.opened", "disclosure.compelled")
_OTHERS = ("licensee", "recipient", "respondent", "tribunal")


class Parties:
    """Who the parties are of what the entries made that were taken so far."""

    def __init__(self) -> None:
        self._of: dict[bytes, set[str]] = {}

    def take(self, statement: Statement) -> None:
        """Take the next entry's statement."""
        body, kind = statement.body, statement.kind
        if kind in _MAKING:
            named = (body.get(name) for name in _OTHERS)
            parties = {statement.issuer, *(name for name in named if type(name) is str)}
            self._of[statement.id] = {statement.issuer} if kind == "disclosure.compelled" else parties
            if kind == "license.agreed":
                self._of.setdefault(body.id("listing"), set()).update(parties)
        elif kind == "erasure.requested":
            self._of[statement.id] = self._of.get(body.subject(), set())

    def foreign(self, statement: Statement, rules: int) -> set[bytes]:
        """Return the ids that a statement names and that do not count under a version of the rules."""
        if rules < PARTIES_ONLY:
            return set()
        body = statement.body
        named = [*body.ids(_OPEN.get(statement.kind, ())), *map(id_bytes, body.get("derived_from", ()))]
        return {name for name in named if statement.issuer not in self._of.get(name, ())}
