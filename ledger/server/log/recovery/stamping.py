"""Time-stamp tokens (RFC 3161) for the log's checkpoints, from an authority that the operator chose (format.md §21).

The authority is believed in nothing: what it answers is kept only if it is signed, by a certificate that the operator's
roots lead to, over the very text that it was asked to stamp. It learns a hash, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

import aiohttp
from cryptography.x509 import Certificate, ObjectIdentifier
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.note import NoteKey, parse_note
from ledger.server.log.recovery.published import Shown, compare
from ledger.server.log.state.errors import NotStampedError
from ledger.server.store.contract import Store, StoredCheckpoint, StoreError
from ledger.server.store.stamps import StoredStamp

MAX_ANSWER_BYTES = 65_536
DEADLINE_S = 30.0
"""For the whole of an answer, however steadily it trickles."""
_CONNECT_S = 10.0
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_OK = 200
_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_logger = logging.getLogger(__name__)

Newest = Callable[[], Awaitable[StoredCheckpoint | None]]
"""Returns the checkpoint that is to be stamped."""


class Authority:
    """One time-stamping authority: its address, and the certificates that vouch for it."""

    def __init__(self, url: str, roots: Sequence[Certificate], deadline_s: float = DEADLINE_S) -> None:
        """`url` is http or https; nothing else is ever asked, whatever the authority answers."""
        self.url = url
        self._roots = list(dict.fromkeys(roots))
        self._deadline_s = deadline_s

    async def stamp(self, text: bytes) -> bytes:
        """Return the authority's answer, verified, with a token over `text`; raise NotStampedError."""
        request = (
            TimestampRequestBuilder()
            .data(text)
            .hash_algorithm(HashAlgorithm.SHA256)
            .nonce(nonce=True)  # an old answer, replayed, is no answer
            .cert_request(cert_request=True)
            .build()
        )
        raw = await self._ask(request.as_bytes())
        try:
            verify_answer(raw, text, self._roots, request)
        except ValueError as error:
            raise NotStampedError(self.url, str(error)) from error
        return raw

    async def _ask(self, query: bytes) -> bytes:
        timeout = aiohttp.ClientTimeout(total=self._deadline_s, connect=_CONNECT_S)
        headers = {"Content-Type": _QUERY, "Accept": _REPLY, "Accept-Encoding": "identity"}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False, auto_decompress=False) as session,
                session.post(self.url, data=query, headers=headers, allow_redirects=False) as response,
            ):
                if response.status != _OK:
                    raise NotStampedError(self.url, f"it answers with status {response.status}")
                if response.content_type != _REPLY:
                    raise NotStampedError(self.url, f"it answers with {response.content_type!a}, not {_REPLY}")
                raw = b""
                while chunk := await response.content.read(MAX_ANSWER_BYTES + 1 - len(raw)):
                    raw += chunk
                    if len(raw) > MAX_ANSWER_BYTES:
                        raise NotStampedError(self.url, f"its answer has more than {MAX_ANSWER_BYTES} bytes")
                return raw
        except TimeoutError as error:
            raise NotStampedError(self.url, f"no whole answer in {self._deadline_s:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NotStampedError(self.url, str(error) or type(error).__name__) from error


def verify_answer(
    raw: bytes, text: bytes, roots: Sequence[Certificate], request: TimeStampRequest | None = None
) -> None:
    """Raise ValueError, saying why, unless `raw` has a token over `text` for which `roots`, one or more, vouch.

    If there is a `request`, it is an answer to that one, and to no other.
    """
    try:
        response: TimeStampResponse = decode_timestamp_response(raw)
    except ValueError as error:
        raise ValueError("its answer is none (RFC 3161, DER)") from error
    builder = VerifierBuilder() if request is None else VerifierBuilder.from_request(request)
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(response, text)
    except (VerificationError, ValueError) as error:
        raise ValueError(f"its answer does not hold: {error}") from error


def is_over(raw: bytes, text: bytes) -> bool:
    """Tell whether the token in an authority's answer is over `text`; whose it is, is not looked at."""
    try:
        imprint = decode_timestamp_response(raw).tst_info.message_imprint
    except ValueError:
        return False
    return imprint.hash_algorithm == _SHA256 and imprint.message == sha256(text).digest()


async def check_stamp(  # noqa: PLR0917 - the log, and what is said to be of it
    store: Store, keys: Sequence[NoteKey], size: int, where: str, stamp: StoredStamp, roots: Sequence[Certificate] = ()
) -> None:
    """Raise unless a stamp from elsewhere is of this log, of `size` entries, and its token is over its checkpoint.

    With `roots`, they must vouch for the token. Raises ContradictedError where the log signed what is not in its tree,
    IntegrityError for what its `keys` did not sign, and ValueError for a token that does not hold.
    """
    await compare(store, keys, size, [Shown(where, stamp.note)])
    text = parse_note(stamp.note).text
    if parse_checkpoint(text).head.size != stamp.size or not is_over(stamp.token, text):
        raise ValueError("it is over something other than its checkpoint")
    if roots:
        verify_answer(stamp.token, text, roots)


async def stamp_newest(store: Store, newest: Newest, authority: Authority) -> StoredStamp | None:
    """Have the newest checkpoint stamped, and keep the token durably; None if one of that size was stamped before.

    Raises NotStampedError, also before the first checkpoint, and StoreError.
    """
    checkpoint = await newest()
    if checkpoint is not None and await store.stamp(checkpoint.size) is not None:
        return None
    stamp = await ask(None if checkpoint is None else checkpoint.note, authority)
    await store.keep_stamp(stamp)
    return stamp


async def ask(note: bytes | None, authority: Authority) -> StoredStamp:
    """Return a token over a checkpoint, kept nowhere yet; raise NotStampedError, also if there is no checkpoint."""
    if note is None:
        raise NotStampedError(authority.url, "the log has no checkpoint yet, so nothing was asked")
    text = parse_note(note).text
    return StoredStamp(parse_checkpoint(text).head.size, note, await authority.stamp(text))


@asynccontextmanager
async def stamping(store: Store, newest: Newest, authority: Authority | None, every_s: float) -> AsyncIterator[None]:
    """Stamp beside what is done in this context, if there is an authority."""
    task = asyncio.create_task(stamp_forever(store, newest, authority, every_s)) if authority is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def stamp_forever(store: Store, newest: Newest, authority: Authority, every_s: float) -> None:
    """Stamp again and again; what fails is logged, and tried again in its turn: the log itself needs no authority."""
    while True:
        try:
            stamp = await stamp_newest(store, newest, authority)
        except (NotStampedError, StoreError) as error:
            _logger.warning("no time-stamp: %s", error)
        else:
            if stamp is not None:
                _logger.info("time-stamped at size %d by %s", stamp.size, authority.url)
        await asyncio.sleep(every_s)
