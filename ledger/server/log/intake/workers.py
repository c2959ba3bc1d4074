"""Parsing and checks of signatures on all cores, off the event loop.

Processes and not threads: a check takes about 50 µs in C, and a thread that returns from it would wait up to 5 ms for
the interpreter lock whenever the event loop is busy, which is when it matters. Parsing is Python, and would hold that
lock itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from ledger.core.dsse import Envelope, parse_envelope
from ledger.core.errors import FormatError
from ledger.core.keys import ED25519, verify_signature
from ledger.server.log.intake.pool import Pool
from ledger.statements.parse import InForce, check_forms, parse_payload, read_statement

RawKey = tuple[str, bytes]
"""Algorithm and bytes of a public key (docs/format.md §3.1)."""
Check = tuple[str, bytes, bytes, bytes]
"""Algorithm and bytes of a public key, message, signature."""

Fault = tuple[str, str, str]
"""Reason, field and detail of a FormatError."""


class Opened(NamedTuple):
    """A posted envelope that passed steps 9.1 and 9.2; `verdicts` tell of each signature whose key was known.

    Bytes and strings only: an object graph would take longer to send than all else that the event loop does.
    """

    kind: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]
    statement_id: str
    recorded: bytes
    verdicts: dict[str, bool]

    @property
    def envelope(self) -> Envelope:
        """The envelope, with what is computed of it."""
        return Envelope.computed(self.payload, self.signatures, self.statement_id, self.recorded)


_LONG_PAYLOAD_BYTES = 2048
_MIN_CHUNK = 16
_NO_CHECK: Check = (ED25519, b"", b"", b"")
_ItemT = TypeVar("_ItemT")
_ResultT = TypeVar("_ResultT")


class Workers:
    """A pool of worker processes, one a core; made anew if one of them dies."""

    def __init__(self) -> None:
        self._count = os.cpu_count() or 1
        self._pool = Pool(self._count)

    async def start(self) -> None:
        """Start all workers now, so that the first statement does not pay for it; raise UnavailableError."""
        await self._map(check_all, [_NO_CHECK] * (_MIN_CHUNK * self._count))

    async def open(self, raws: Sequence[bytes], keys: Mapping[str, RawKey], in_force: InForce) -> list[Opened | Fault]:
        """Parse posted envelopes and check signatures by `keys` (of each keyid), in order; or say what is wrong."""
        return await self._map(partial(open_all, dict(keys), in_force), raws)

    async def check(self, checks: Sequence[Check]) -> list[bool]:
        """Return the verdict of each signature check, in order."""
        return await self._map(check_all, checks)

    def close(self) -> None:
        """Stop the workers."""
        self._pool.close()

    async def _map(self, work: Callable[[Sequence[_ItemT]], list[_ResultT]], items: Sequence[_ItemT]) -> list[_ResultT]:
        """Spread `items` over the workers; UnavailableError if one of them died."""
        size = max(_MIN_CHUNK, -(-len(items) // self._count))
        chunks = [items[start : start + size] for start in range(0, len(items), size)]
        done = await asyncio.gather(*(self._pool.run(work, chunk) for chunk in chunks))
        return [result for chunk in done for result in chunk]


def open_all(keys: dict[str, RawKey], in_force: InForce, raws: Sequence[bytes]) -> list[Opened | Fault]:
    """Open each posted envelope, under the rules in force."""
    return [_open(raw, keys, in_force) for raw in raws]


def check_all(checks: Sequence[Check]) -> list[bool]:
    """Return the verdict of each check (docs/format.md §3.4, §3.5)."""
    return [verify_signature(*check) for check in checks]


def _open(raw: bytes, keys: dict[str, RawKey], in_force: InForce) -> Opened | Fault:
    try:
        envelope = parse_envelope(raw)
        check_forms(envelope.signatures, in_force.version)
        kind = parse_payload(envelope.payload, in_force.types)["type"]
        if len(envelope.payload) > _LONG_PAYLOAD_BYTES:
            read_statement(
                kind, envelope.payload, in_force.version
            )  # what takes long to refuse is refused here, not in the event loop
    except FormatError as error:
        return error.reason, error.field, error.detail
    message = envelope.signed_bytes
    verdicts = {
        keyid: verify_signature(*keys[keyid], message, signature)
        for keyid, signature in envelope.signatures
        if keyid in keys
    }
    return Opened(kind, envelope.payload, envelope.signatures, envelope.id, envelope.recorded, verdicts)
