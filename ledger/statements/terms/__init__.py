"""The machine terms of licenses: what they may say, and what follows from that alone (docs/terms.md §1–§3, §6.2).

What they decide on the ledger is in `ledger.registry.terms`.
"""

from ledger.statements.terms.agreement import Agreement, from_version_1
from ledger.statements.terms.constraints import Constraint
from ledger.statements.terms.implication import implies
from ledger.statements.terms.rules import Action, Duty, Obligation, Permission, Prohibition, Rules
from ledger.statements.terms.truth import Truth

__all__ = [
    "Action",
    "Agreement",
    "Constraint",
    "Duty",
    "Obligation",
    "Permission",
    "Prohibition",
    "Rules",
    "Truth",
    "from_version_1",
    "implies",
]
