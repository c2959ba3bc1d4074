"""Judging what licenses allow, from what is known of them (docs/terms.md §5–§7): no store, no clock."""

from ledger.registry.terms.decision import Answer, Decision, decide, permits, prohibitions_met
from ledger.registry.terms.duties import (
    NO_HOLD,
    DutyAnswer,
    DutyState,
    Hold,
    due_ms,
    duty_states,
    erasure_due_ms,
)
from ledger.registry.terms.evaluation import Place
from ledger.registry.terms.situation import SEALED, SEALED_COUNT, Count, Request, Seal, Standing, Stated
from ledger.registry.terms.states import ProhibitionAnswer, permission_states, prohibition_state
from ledger.registry.terms.stored import read_rules
from ledger.registry.terms.sublicense import Width, is_wider
from ledger.statements.terms import Truth

__all__ = [
    "NO_HOLD",
    "SEALED",
    "SEALED_COUNT",
    "Answer",
    "Count",
    "Decision",
    "DutyAnswer",
    "DutyState",
    "Hold",
    "Place",
    "ProhibitionAnswer",
    "Request",
    "Seal",
    "Standing",
    "Stated",
    "Truth",
    "Width",
    "decide",
    "due_ms",
    "duty_states",
    "erasure_due_ms",
    "is_wider",
    "permission_states",
    "permits",
    "prohibition_state",
    "prohibitions_met",
    "read_rules",
]
