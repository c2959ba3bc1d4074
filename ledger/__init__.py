"""The data provenance ledger: `core`, `statements` and `registry` are pure; `server` and `party` are the two wings.

core        bytes: canonical JSON, hashes, tree, notes, checkpoints, signed statements, entries, receipts
statements  what parties can say
registry    what the chain says now, and what may enter it
server      the operator's machine: store, sequencer, HTTP
party       a company's machine: client, keyring, vault, hand-offs
cli         arguments in, a call, words out

The SDK is `LedgerClient`; it is loaded when it is first asked for, so that importing a part costs that part.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.party.client.client import LedgerClient

__all__ = ["LedgerClient"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562; checkers read the import above
    """Load what is public at its first use; raise AttributeError."""
    if name != "LedgerClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ledger.party.client.client import LedgerClient  # noqa: PLC0415 - see the docstring

    return LedgerClient


def __dir__() -> list[str]:
    """Return what is there, with what is not loaded yet."""
    return sorted({*globals(), *__all__})
