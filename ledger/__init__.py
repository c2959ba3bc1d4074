"""The data provenance ledger: `core`, `statements` and `registry` are pure; `server` and `party` are the two wings.

core        bytes: canonical JSON, hashes, tree, notes, checkpoints, signed statements, entries, receipts
statements  what parties can say
registry    what the chain says now, and what may enter it
server      the operator's machine: store, sequencer, HTTP
party       a company's machine: client, keyring, vault, hand-offs
cli         arguments in, a call, words out

The SDK is what `__all__` names: what a program needs that reads a ledger, and puts hand-offs on it. Each name is loaded
when it is first asked for, so that importing a part costs that part.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.core.errors import LedgerError
    from ledger.core.policy import parse_policy
    from ledger.party.acts.handoff import offer
    from ledger.party.answers.recorded import Recorded
    from ledger.party.client.client import LedgerClient
    from ledger.party.interop.dsp import from_transfer
    from ledger.party.interop.foreign import read_foreign
    from ledger.party.keys.files import read_key
    from ledger.party.speaking.speaker import Speaker
    from ledger.party.vault.vault import Vault

__all__ = [
    "LedgerClient",
    "LedgerError",
    "Recorded",
    "Speaker",
    "Vault",
    "from_transfer",
    "offer",
    "parse_policy",
    "read_foreign",
    "read_key",
]
_MODULES = {
    "LedgerClient": "party.client.client",
    "LedgerError": "core.errors",
    "Recorded": "party.answers.recorded",
    "Speaker": "party.speaking.speaker",
    "Vault": "party.vault.vault",
    "from_transfer": "party.interop.dsp",
    "offer": "party.acts.handoff",
    "parse_policy": "core.policy",
    "read_foreign": "party.interop.foreign",
    "read_key": "party.keys.files",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562; checkers read the imports above
    """Load what is public at its first use; raise AttributeError."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Return what is there, with what is not loaded yet."""
    return sorted({*globals(), *__all__})
