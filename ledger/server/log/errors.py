"""Why the log does not take a statement now, beside what is wrong with the statement itself."""

from __future__ import annotations

from ledger.core.dsse import Envelope
from ledger.core.errors import LedgerError
from ledger.registry.refusal import Refused


class BusyError(LedgerError):
    """As many statements are waiting as may wait: try again in a moment."""


class UnavailableError(LedgerError):
    """The log takes nothing: it is stopping, the disk is nearly full, or storing failed. Resubmitting is safe."""


class SignedRefusalError(LedgerError):
    """An authentic statement was refused; `refusal` is the operator's signed word for it (docs/format.md §12.1)."""

    def __init__(self, refused: Refused, refusal: Envelope) -> None:
        self.refused = refused
        self.refusal = refusal
        super().__init__(str(refused))
