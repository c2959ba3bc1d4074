"""What an entry concerns: itself, parties, and what it names (docs/format.md §12.3)."""

from __future__ import annotations

from ledger.registry.facts import KeyFact, Thing, View, key_key
from ledger.statements.common import Statement


def concerns(view: View, statement: Statement, statement_id: str) -> list[str]:
    """Return the subjects that the statement's entry concerns, sorted (docs/format.md §12.3)."""
    subjects = {statement_id, statement.issuer, *statement.named_parties, *statement.named_ids}
    subjects.update(statement.mentioned_ids)
    for keyid in statement.signers:
        key = view.get(KeyFact, key_key(keyid))
        if key is not None:
            subjects.add(key.party)
    for name in statement.named_ids:
        thing = view.get(Thing, name)
        if thing is not None:
            subjects.update(thing.subjects)
    return sorted(subjects)
