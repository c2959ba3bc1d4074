"""Deriving facts, subjects and findings again from the entries, for which they were made by other software."""

from __future__ import annotations

import logging

from ledger.core.entry import Entry, parse_entry
from ledger.core.errors import FormatError
from ledger.registry.acceptance import record
from ledger.registry.facts import View
from ledger.registry.finding import Moment
from ledger.registry.refusal import Refused
from ledger.registry.things import FACTS_VERSION
from ledger.server.log.state.loading import complete, load
from ledger.server.store.contract import Derived, IntegrityError, Rebuild, Store
from ledger.statements.common import Statement
from ledger.statements.ledger import LedgerCreated, LedgerRulesChanged
from ledger.statements.parse import InForce, parse_payload, read_statement

_CHUNK = 512
_logger = logging.getLogger(__name__)


async def rebuild_if_needed(store: Store, size: int) -> bool:
    """Rebuild what is derived if other software derived it; tell whether it was. Raises IntegrityError, StoreError."""
    version = await store.derived_version()
    if version == FACTS_VERSION:
        return False
    _logger.info("facts of %d entries were derived by version %d: deriving them again", size, version)
    await rebuild(store, size)
    return True


async def rebuild(store: Store, size: int) -> None:
    """Derive everything again from the first `size` entries, in one transaction; raise IntegrityError, StoreError.

    The entries were accepted once, and are under the signed root: only their effects are taken, no check.
    """
    async with store.rebuild(FACTS_VERSION) as fresh:
        in_force = View().in_force
        for start in range(0, size, _CHUNK):
            raws = await store.entries(start, min(start + _CHUNK, size))
            while raws:
                some = _read_some(raws, in_force)
                in_force = await _derive(fresh, some)
                raws = raws[len(some) :]


def _read_some(raws: list[bytes], in_force: InForce) -> list[tuple[Entry, Statement]]:
    """Read entries up to and including the first that may change the rules by which the next are read."""
    found: list[tuple[Entry, Statement]] = []
    for raw in raws:
        try:
            entry = parse_entry(raw)
            kind = parse_payload(entry.envelope.payload, in_force.types)["type"]
            statement = read_statement(kind, entry.envelope.payload, in_force.version)
        except FormatError as error:
            raise IntegrityError(f"an entry does not parse under version {in_force.version}: {error}") from error
        found.append((entry, statement))
        if isinstance(statement, LedgerCreated | LedgerRulesChanged):
            break
    return found


async def _derive(fresh: Rebuild, some: list[tuple[Entry, Statement]]) -> InForce:
    """Derive what follows from entries; return what is in force after them."""
    view = await load(fresh, [statement for _, statement in some], [entry.envelope.id for entry, _ in some])
    subjects = []
    for entry, statement in some:
        await complete(fresh, view, statement)
        name = entry.envelope.id
        try:
            concerned = record(view, statement, Moment(name, entry.index, entry.time_ms))
        except Refused as error:
            raise IntegrityError(f"entry {entry.index} refers to what is not there: {error}") from error
        subjects.append((entry.index, name, concerned))
    await fresh.put(Derived(subjects, list(view.changed.values()), view.findings))
    return view.in_force
