"""Loading the facts that statements need, from a store or from what is being rebuilt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ledger.registry.facts import View
from ledger.registry.loading import further_facts, needed_facts, needed_ids
from ledger.statements.common import Statement


class Loader(Protocol):
    """What a view is loaded from."""

    async def view(self, keys: Collection[str], statement_ids: Collection[str]) -> View:
        """Load the facts with these keys, and the indexes of those ids that are recorded."""


async def load(loader: Loader, statements: Sequence[Statement], statement_ids: Sequence[str]) -> View:
    """Load what many statements need at once: one read, and one more for each 64 licenses of the longest chain."""
    keys = set().union(*(needed_facts(statement) for statement in statements))
    view = await loader.view(keys, [*statement_ids, *(name for each in statements for name in needed_ids(each))])
    while missing := set().union(*(further_facts(view, statement) for statement in statements)):
        view.add(await loader.view(missing, []))
    return view


async def complete(loader: Loader, view: View, statement: Statement) -> None:
    """Load what else a statement needs now: what it names may have come with the same batch."""
    while missing := further_facts(view, statement):
        view.add(await loader.view(missing, []))
