"""A batch in the making: statements are judged in order, each on the log with all that was taken before it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ledger.core.entry import Entry
from ledger.core.merkle import perfect_nodes, range_hash
from ledger.registry.acceptance import Candidate, check, record
from ledger.registry.facts import LEDGER_KEY, View
from ledger.registry.finding import Moment
from ledger.server.log.intake.checking import remember
from ledger.server.log.intake.submission import Waiting
from ledger.server.log.state.errors import UnavailableError
from ledger.server.log.state.frontier import Frontier
from ledger.server.log.state.identity import Identity
from ledger.server.log.state.loading import complete, load
from ledger.server.store.contract import NewEntry, Store
from ledger.statements.ledger import LedgerLogKeyAdded

_MAX_CACHED_ROOTS = 4_096


class Drafting:
    """Begins drafts; remembers the roots that statements have seen, most of which many of them share."""

    def __init__(self, store: Store, identity: Identity) -> None:
        """Load what statements need from `store`, for the log that `identity` signs."""
        self.store = store
        self.identity = identity
        self._roots: OrderedDict[int, bytes] = OrderedDict()

    async def begin(self, frontier: Frontier, items: Collection[Waiting], time_ms: int) -> Draft:
        """Begin after `frontier`, which stays as it is, with all at hand that `items` need; raise StoreError."""
        candidates = [item.candidate for item in items]
        statements = [candidate.statement for candidate in candidates]
        view = await load(self.store, statements, [candidate.envelope.id for candidate in candidates])
        return Draft(self, view, frontier.copy(), time_ms, await self._seen_roots(candidates, frontier.size))

    async def _seen_roots(self, candidates: Collection[Candidate], below: int) -> dict[int, bytes]:
        """Return the roots at all stored sizes that a `seen` names."""
        seen = (getattr(candidate.statement, "seen", None) for candidate in candidates)
        roots = {}
        for size in {value.size for value in seen if value is not None and value.size < below}:
            root = self._roots.get(size)
            if root is None:
                root = range_hash(0, size, await self.store.nodes(perfect_nodes(0, size)))
            remember(self._roots, size, root, _MAX_CACHED_ROOTS)
            roots[size] = root
        return roots


@dataclass
class Draft:
    """`frontier` and `view` are the log with all `entries` that were taken; nothing is stored. Made by `Drafting`."""

    made_by: Drafting
    view: View
    frontier: Frontier
    time_ms: int
    """The time of every entry of the batch."""
    roots: Mapping[int, bytes]
    entries: list[NewEntry] = field(default_factory=list)

    @property
    def changes_ledger(self) -> bool:
        """Tell whether what follows has to be read anew: the rules, or the log's keys, may be others now."""
        return LEDGER_KEY in self.view.changed

    async def take(self, item: Waiting) -> Entry:
        """Judge a statement as the next entry and take it, or leave everything as it is.

        Raises Duplicate, Refused, StoreError, or UnavailableError for a log key that this server does not hold: no
        checkpoint could follow its entry.
        """
        candidate, statement = item.candidate, item.candidate.statement
        await complete(self.made_by.store, self.view, statement)
        check(self.view, candidate, self.frontier.size, self.time_ms, self._root_at)
        # Only now: whoever may not say it is refused by the rules, and does not learn which keys this server holds.
        if isinstance(statement, LedgerLogKeyAdded) and statement.log_key not in self.made_by.identity.signers:
            raise UnavailableError(
                f"this server does not hold the log key {statement.log_key[:120]}, and could sign nothing after its "
                "entry: stop it, and run 'ledger log-key add DIR FILE', which records this and puts the key in place"
            )
        subjects = record(self.view, statement, Moment(candidate.envelope.id, self.frontier.size, self.time_ms))
        entry = self.frontier.append(candidate.envelope, self.time_ms)
        self.entries.append(NewEntry(entry.index, candidate.envelope.id, entry.raw, subjects))
        return entry

    def _root_at(self, size: int) -> bytes:
        return self.roots[size] if size in self.roots else self.frontier.root_at(size)
