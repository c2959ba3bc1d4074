"""Refusals of one batch, signed where the statement is authentic (docs/format.md §12.1)."""

from __future__ import annotations

from ledger.core.checkpoint import TreeHead
from ledger.registry.refusal import Refused
from ledger.server.log.drafting import Draft
from ledger.server.log.intake.submission import Waiting, fail
from ledger.server.log.state.errors import SignedRefusalError, UnavailableError
from ledger.server.log.state.identity import Identity


class Refusals:
    """None is told before the batch is durable: each names a state of the log that may lie within it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._items: list[tuple[Waiting, Refused | UnavailableError, TreeHead]] = []

    def take(self, item: Waiting, error: Refused | UnavailableError, draft: Draft) -> None:
        """Refuse a statement on the log as the draft has it now."""
        if isinstance(error, Refused) and item.checked.is_late(draft.view):
            # A signature that was never looked at, because its key became known too late, is not called wrong.
            error = UnavailableError("a key became known while this waited; resubmit")
        self._items.append((item, error, draft.frontier.head))

    def are_signed(self, ledger: str) -> bool:
        """Tell whether the service key is to sign any of them."""
        return bool(ledger) and any(isinstance(error, Refused) and error.authentic for _, error, _ in self._items)

    def give_up(self, error: Exception) -> None:
        """Answer all of them with an error: whether they are refused is not said."""
        fail([item.posted for item, _, _ in self._items], error)

    def tell(self, identity: Identity, ledger: str, time_ms: int) -> None:
        """Answer all of them; `ledger` is empty before there is one to sign for."""
        for item, error, head in self._items:
            if item.answer.done():
                continue
            told: Exception = error
            if isinstance(error, Refused) and error.authentic and ledger:
                statement_id = item.candidate.envelope.id
                refusal = identity.refusal(ledger, statement_id, error.reason, head, time_ms)
                told = SignedRefusalError(error, refusal)
            fail([item.posted], told)
