"""Asking one witness for its cosignatures (C2SP tlog-witness v1.0.0), bounded in time, size and trust.

A witness may be slow, lying, huge, dripping or dead: the worst that comes of it is that its cosignature is missing.
Only the configured address is asked, through no proxy, and what redirects is not followed.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from ledger.core.cosignature import MAX_CLOCK_DIFFERENCE_S
from ledger.core.encoding import MAX_INTEGER, b64encode
from ledger.core.errors import NoteError
from ledger.core.note import MAX_NOTE_BYTES, NoteKey, cosigned_s, parse_note
from ledger.server.log.intake.submission import Published

ASK_S = 5.0
"""Longest time for one answer, however steadily it trickles."""
CONNECT_S = 2.0
FIRST_REST_S, MAX_REST_S = 0.1, 30.0
"""How long a witness is left alone after its first failure, and at most."""
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")
_TRIES = 3
_logger = logging.getLogger(__name__)
_HEADERS = {"User-Agent": "provenance-ledger", "Accept-Encoding": "identity", "Content-Type": "text/plain"}
Prove = Callable[[int, int], Awaitable[list[bytes]]]
"""Returns the consistency path between two sizes of the log."""


class Unanswered(Exception):
    """No cosignature came; `outcome` says why, as metrics count it."""

    def __init__(self, outcome: str, detail: str) -> None:
        self.outcome = outcome
        super().__init__(f"{outcome}: {detail}")


@dataclass(eq=False)
class Witness:
    """One address, and the policy's names of the keys that answer there."""

    url: str
    keys: dict[str, NoteKey]
    size: int = 0
    """Of the newest checkpoint that it has seen, as far as we know."""
    cosigned_size: int = 0
    """Of the newest checkpoint that it cosigned for us; 0 before the first."""
    outcomes: Counter[str] = field(default_factory=Counter)
    outcome: str = ""
    """The last one; `cosigned` is the good one."""
    free_at: float = 0.0
    """When, on the monotonic clock, it may be asked again after a failure."""
    _rest_s: float = 0.0

    @property
    def label(self) -> str:
        """The names, for logs and metrics."""
        return ",".join(self.keys)

    def succeeded(self) -> None:
        """Count a cosignature, and ask again without rest."""
        self.free_at = self._rest_s = 0.0
        self.outcome = "cosigned"
        self.outcomes[self.outcome] += 1

    def failed(self, outcome: str, detail: object) -> None:
        """Count a failure, and leave the witness alone, longer each time; the log hears of it once."""
        self._rest_s = min(MAX_REST_S, 2 * self._rest_s or FIRST_REST_S)
        self.free_at = time.monotonic() + self._rest_s
        if outcome != self.outcome:
            # Ahead of us: we lost what it has seen, or it lies.
            level = logging.ERROR if outcome == "ahead" else logging.WARNING
            _logger.log(level, "witness %s did not cosign: %s", self.label, detail)
        self.outcome = outcome
        self.outcomes[outcome] += 1

    async def ask(self, session: aiohttp.ClientSession, target: Published, prove: Prove, now_ms: int) -> dict[str, str]:
        """Return signature lines for `target` by the policy's name of each key that gave one; raise Unanswered."""
        for _ in range(_TRIES):
            old = min(self.size, target.head.size)
            path = await prove(old, target.head.size) if 0 < old < target.head.size else []
            proof = "".join(b64encode(value) + "\n" for value in path)
            status, body = await self._post(session, f"old {old}\n{proof}\n".encode() + target.checkpoint)
            if status == 200:
                lines = self._read(body, target, now_ms)
                self.size = self.cosigned_size = target.head.size
                return lines
            if status != 409:
                raise Unanswered("refused", f"status {status}: {body[:200]!r}")
            told = _SIZE.fullmatch(body)
            size = int(told[1]) if told else -1
            if size > target.head.size and size <= MAX_INTEGER:
                raise Unanswered("ahead", f"it has seen {size} entries of this log, which has {target.head.size}")
            if size in {-1, old}:
                raise Unanswered("wrong", f"a conflict with size {old} that names {body[:20]!r}")
            self.size = size
        raise Unanswered("refused", "it names another size each time")

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=ASK_S, sock_connect=CONNECT_S)
        try:
            async with session.post(
                self.url, data=body, headers=_HEADERS, allow_redirects=False, timeout=timeout
            ) as response:
                answer = bytearray()
                async for chunk in response.content.iter_any():
                    answer += chunk
                    if len(answer) > MAX_NOTE_BYTES:
                        response.close()
                        raise Unanswered("wrong", f"an answer of more than {MAX_NOTE_BYTES} bytes")
                return response.status, bytes(answer)
        except TimeoutError as error:
            raise Unanswered("slow", f"no answer within {ASK_S:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unanswered("unreachable", f"{type(error).__name__}: {error}") from error

    def _read(self, body: bytes, target: Published, now_ms: int) -> dict[str, str]:
        """Return the valid lines of this witness's keys; all others are dropped, whosever they are."""
        text = parse_note(target.checkpoint).text
        try:
            note = parse_note(text + b"\n" + body)
        except NoteError as error:
            raise Unanswered("wrong", str(error)) from error
        names = {(key.name, key.id): (name, key) for name, key in self.keys.items()}
        earliest_s = -(-target.time_ms // 1000) - MAX_CLOCK_DIFFERENCE_S
        latest_s = now_ms // 1000 + MAX_CLOCK_DIFFERENCE_S
        found = {}
        for line in note.signatures:
            name, key = names.get((line.name, line.key_id), ("", None))
            if key is None or note.text != text:
                continue
            try:
                key.verify(text, line.signature)
            except NoteError:
                continue
            if earliest_s <= cosigned_s(line.signature) <= latest_s:
                found[name] = line.line
        if not found:
            raise Unanswered("wrong", "no valid cosignature by its key on this checkpoint, made about now")
        return found
