"""What both stages of the log have to know of it as it stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.registry.facts import View
from ledger.server.log.state.errors import UnavailableError
from ledger.statements.parse import InForce


@dataclass
class Standing:
    """Written by the sequencer, but for `is_stopping`; read by whatever takes statements in."""

    ledger_id: str = ""
    """Empty before entry 0."""
    in_force: InForce = field(default_factory=lambda: View().in_force)
    """The rules by which the next entry is read."""
    promises_changes: bool = False
    """Whether a change of the rules is promised, so that what is read now may stand under others."""
    failure: Exception | None = None
    """Why nothing can be written any more."""
    is_stopping: bool = False

    def require_open(self) -> None:
        """Raise UnavailableError unless statements are taken."""
        if self.is_stopping:
            raise UnavailableError("the ledger is stopping")
        if self.failure is not None:
            raise UnavailableError("the ledger cannot write; its operator has to look at it")
