"""Why the log does not take a statement now, beside what is wrong with the statement itself."""

from __future__ import annotations

from ledger.core.dsse import Envelope
from ledger.core.errors import LedgerError
from ledger.registry.refusal import Refused
from ledger.server.store.contract import IntegrityError


class BusyError(LedgerError):
    """As many statements are waiting as may wait: try again in a moment."""


class UnavailableError(LedgerError):
    """The log takes nothing: it is stopping, the disk is nearly full, or storing failed. Resubmitting is safe."""


class PromisedError(LedgerError):
    """Not recorded yet: `promise` is the operator's signed word that it will be, and by when (docs/format.md §18)."""

    def __init__(self, statement_id: str, promise: Envelope) -> None:
        self.statement_id = statement_id
        self.promise = promise
        super().__init__(f"{statement_id} is promised")


class SignedRefusalError(LedgerError):
    """An authentic statement was refused; `refusal` is the operator's signed word for it (docs/format.md §12.1)."""

    def __init__(self, refused: Refused, refusal: Envelope) -> None:
        self.refused = refused
        self.refusal = refusal
        super().__init__(str(refused))


class NotStampedError(LedgerError):
    """A time-stamping authority gave no token that holds; nothing was kept."""

    def __init__(self, url: str, why: str) -> None:
        self.url = url
        self.why = why
        super().__init__(f"{url}: {why}")


class ContradictedError(IntegrityError):
    """What this log has shown to others is not in its own database: signing on would fork it.

    `where` says who was shown it; `shown` is its size, `size` that of the database.
    """

    def __init__(self, where: str, shown: int, size: int) -> None:
        self.where = where
        self.shown = shown
        self.size = size
        if shown > size:
            what = f"it ends at size {size}, as an old backup does"
        else:
            what = f"its tree of {shown} entries has another root"
        super().__init__(
            f"{where} has a checkpoint of size {shown} signed by this log, and the database lacks it: {what}"
        )
