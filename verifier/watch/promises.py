"""Promises that were made to me, from a vault's folder `promises`: one that was broken is told, with its proof (§18).

The log itself shows it: all of it is verified here, the promised statement is not in it, and something later than the
deadline is. Nobody's word is needed for that, and no answer of the operator's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.core.errors import MalformedInput, SourceUnavailable
from verifier.core.ids import id_bytes
from verifier.core.jcs import parse_canonical
from verifier.fraud.form import PROMISE, SIGNED, check_form, decoded, signed_envelope
from verifier.sources.source import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verifier.rules.registry import Registry

MAX_PROMISES = 1_000
"""Files of the folder that are looked at."""
_MAX_BYTES = 1 << 16
_WHAT = "promise"


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise as a vault keeps it; its signature is checked with the proof that it is broken."""

    where: str
    envelope: dict[str, Any]
    statement_id: str
    ledger: str
    deadline_ms: int


def read_promises(folder: Path) -> Iterator[Promised]:
    """Yield the promises in a folder; what is none is passed over."""
    source = DirectorySource(folder)
    for path in sorted(folder.glob("*.json"))[:MAX_PROMISES]:
        try:
            envelope = parse_canonical(source.read(path.name, _MAX_BYTES).removesuffix(b"\n"), _WHAT)
            check_form(envelope, signed_envelope)
            payload = parse_canonical(decoded(envelope["payload"]), _WHAT)
            check_form(payload, SIGNED[PROMISE])
        except (MalformedInput, SourceUnavailable):
            continue
        yield Promised(str(path), envelope, payload["statement_id"], payload["ledger"], payload["deadline_ms"])


def is_broken(promised: Promised, registry: Registry) -> bool:
    """Tell whether a log shows that a promise was broken: it goes beyond the deadline without the statement."""
    is_of_it = registry.ledger is not None and id_bytes(promised.ledger) == registry.ledger
    [signature] = promised.envelope["signatures"]
    is_of_it = is_of_it and signature["keyid"] in registry.reserved_keyids
    is_past = registry.newest_time_ms > promised.deadline_ms
    return is_of_it and is_past and id_bytes(promised.statement_id) not in registry.recorded
