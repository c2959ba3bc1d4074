"""What is said of permissions and prohibitions as of a moment (docs/terms.md §7.3)."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from ledger.registry.terms.decision import ANSWERS, Answer
from ledger.registry.terms.evaluation import Facts, evaluate_all
from ledger.registry.terms.situation import Request, Standing, Stated
from ledger.statements.terms import Permission, Truth
from ledger.statements.terms.constraints import Logical

ProhibitionAnswer: TypeAlias = Literal["prohibited", "undetermined", "violated"]

_PROHIBITIONS: Final[dict[Truth, ProhibitionAnswer]] = {
    Truth.TRUE: "violated",
    Truth.UNKNOWN: "undetermined",
    Truth.FALSE: "prohibited",
}
_LOOKED_AT: Final = frozenset({"count", "dateTime", "elapsedTime", "version"})


def permission_states(standing: Standing, at_ms: int, version: Stated | None) -> list[Answer]:
    """Return, for each permission in its order, whether it stands at `at_ms`, whatever a use would say of itself.

    A constraint that is sealed whole may be one on the time: it makes the answer *undetermined*.
    """
    return [ANSWERS[_stands(permission, standing, at_ms, version)] for permission in standing.terms.permissions]


def prohibition_state(met: Truth) -> ProhibitionAnswer:
    """Return what is said of a prohibition; `met` is the strongest answer that a use or forwarding under it had."""
    return _PROHIBITIONS[met]


def _stands(permission: Permission, standing: Standing, at_ms: int, version: Stated | None) -> Truth:
    if not standing.is_in_force(at_ms):
        return Truth.FALSE
    looked_at = [
        each
        for each in permission.constraints
        if not isinstance(each, Logical) and getattr(each, "left", "count") in _LOOKED_AT
    ]
    facts = Facts(standing, Request(permission.action, at_ms, version), permission.action)
    return evaluate_all(looked_at, facts)
