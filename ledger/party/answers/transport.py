"""HTTP to a ledger that may be slow, broken or hostile: every answer is bounded in bytes and in time.

Knows nothing of what the answers mean; `client` verifies them.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from ledger.core.encoding import Json, parse_json
from ledger.core.errors import FormatError
from ledger.party.errors import Problem, ReplyInvalid, Unfit, Unreachable

if TYPE_CHECKING:  # a command that asks no ledger does not pay for its import, which is most of what it would take
    import aiohttp

JSON = "application/json"
JSON_LINES = "application/jsonl"
MAX_REPLY_BYTES = 16 * 1024 * 1024
MAX_LINE_BYTES = 256 * 1024
TOTAL_S = 60.0
CONNECT_S = 10.0
SILENCE_S = 60.0
MAX_TRIES = 5
MAX_WAIT_S = 30.0
_BUSY = frozenset({429, 503})
_OK = 200
_FAULT = 500
_MIRRORED = re.compile(r"/checkpoint|/tile/.+|/v1/(?:entries|statements|receipts)/.+|/v1/consistency")
"""What a mirror serves: nothing of it is anybody's word."""
_REDIRECT = range(300, 400)
_CHUNK_BYTES = 65_536

Query = Sequence[tuple[str, str]]


class Transport:
    """One ledger's address with a pool of connections; an async context manager."""

    def __init__(self, url: str, *, backoff_s: float = 0.5, mirrors: Sequence[str] = ()) -> None:
        """Speak with the ledger at `url` (http or https, below any path); `backoff_s`: first wait when it is busy.

        If it does not answer, `mirrors` are asked in turn for what a mirror can prove (docs/format.md §20.3).
        """
        self.url = _address(url)
        self.mirrors = [_address(mirror) for mirror in mirrors]
        self.backoff_s = backoff_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool."""
        import aiohttp  # noqa: PLC0415 - see above

        timeout = aiohttp.ClientTimeout(total=TOTAL_S, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        # Nothing is decompressed: a small answer that unfolds into a large one would pass the bound on its bytes.
        headers = {"Accept": f"{JSON}, */*;q=0.5", "Accept-Encoding": "identity"}
        self._session = aiohttp.ClientSession(timeout=timeout, headers=headers, auto_decompress=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, query: Query = ()) -> bytes:
        """Return the body of a 200; raise Problem, Unreachable or ReplyInvalid."""
        try:
            return (await self._ask("GET", path, query=query))[1]
        except (Unreachable, Problem) as error:
            if isinstance(error, Problem) and error.status < _FAULT:
                raise
            mirrored = await self._ask_mirrors(path, query)
            if mirrored is None:
                raise
            return mirrored

    async def _ask_mirrors(self, path: str, query: Query) -> bytes | None:
        """Return what the first mirror answers that has it; nothing where it is only the operator's to say."""
        for mirror in self.mirrors if _MIRRORED.fullmatch(path) else []:
            with suppress(Unreachable, ReplyInvalid):
                status, _, answer = await self._once("GET", path, query, None, base=mirror)
                if status == _OK:
                    return answer
        return None

    async def get_json(self, path: str, query: Query = ()) -> Json:
        """Return the JSON of a 200; raise Problem, Unreachable or ReplyInvalid."""
        return self._parse(await self.get(path, query))

    async def post(self, path: str, body: bytes) -> tuple[int, Json]:
        """Send JSON bytes; return the status (2xx) and the JSON that came back."""
        status, answer = await self._ask("POST", path, body=body)
        return status, self._parse(answer)

    async def post_lines(self, path: str, lines: AsyncIterable[bytes]) -> AsyncGenerator[Json, None]:
        """Send JSON lines while reading the answer's; yield each line's JSON. The stream has no total time-out."""
        import aiohttp  # noqa: PLC0415 - see above

        headers = {"Content-Type": JSON_LINES, "Accept": JSON_LINES}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        with_path = self.url + path
        async with self._errors(with_path):
            request = self._open().post(with_path, data=lines, headers=headers, timeout=timeout, allow_redirects=False)
            async with request as response:
                if response.status != _OK:
                    raise _problem(response.status, await _bounded(response))
                async for line in _split(response):
                    yield self._parse(line)

    async def _ask(self, method: str, path: str, *, query: Query = (), body: bytes | None = None) -> tuple[int, bytes]:
        """Ask until the ledger is not busy, a few times: sending a statement again is safe, it is recorded once."""
        wait_s = self.backoff_s
        for left in reversed(range(MAX_TRIES)):
            status, headers, answer = await self._once(method, path, query, body)
            if status in _BUSY and left:
                # Everybody was told to wait at the same time: the jitter keeps them from coming back together.
                await asyncio.sleep(_retry_after(headers, wait_s) * random.uniform(1.0, 1.25))  # noqa: S311 - no secret
                wait_s *= 2
                continue
            if not _OK <= status < _REDIRECT.start:
                raise _problem(status, answer)
            return status, answer
        raise AssertionError("the last try returns or raises")

    async def _once(
        self, method: str, path: str, query: Query, body: bytes | None, *, base: str | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Content-Type": JSON} if body is not None else {}
        address = (base or self.url) + path
        async with self._errors(address):
            request = self._open().request(
                method, address, params=list(query), data=body, headers=headers, allow_redirects=False
            )
            async with request as response:
                return response.status, response.headers, await _bounded(response)

    @asynccontextmanager
    async def _errors(self, address: str) -> AsyncIterator[None]:
        import aiohttp  # noqa: PLC0415 - see above

        try:
            yield
        except TimeoutError as error:
            raise Unreachable(address, "no answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(address, str(error) or type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("use the client as an async context manager")
        return self._session

    @staticmethod
    def _parse(raw: bytes) -> Json:
        try:
            return parse_json(raw)
        except FormatError as error:
            raise ReplyInvalid(f"the ledger's answer is not JSON: {error}") from error


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise Unfit(f"not an http(s) address: {url}")
    return url.rstrip("/")


def segment(text: str) -> str:
    """Return `text` as one segment of a path: a name from the outside cannot climb out of it."""
    return quote(text, safe=":")


def read_problem(status: int, document: Json) -> Problem:
    """Return the error that an RFC 9457 document describes, whatever it looks like."""
    members = document if isinstance(document, dict) else {}

    def word(name: str, default: str = "") -> str:
        value = members.get(name)
        return value[:2000] if isinstance(value, str) else default

    return Problem(
        status,
        word("type", f"http-{status}"),
        word("detail", word("title")),
        word("field"),
        members.get("refusal"),
    )


def _problem(status: int, raw: bytes) -> Problem:
    if status in _REDIRECT:
        # Following one would send statements to, and take receipts from, an address that nobody chose.
        return Problem(status, "redirect", "the ledger is at another address; redirects are not followed")
    try:
        return read_problem(status, parse_json(raw))
    except FormatError:
        return Problem(status, f"http-{status}", "the answer is not a problem document: is this a ledger's address?")


def _retry_after(headers: Mapping[str, str], default_s: float) -> float:
    text = headers.get("Retry-After", "")
    seconds = float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else default_s
    return min(seconds, MAX_WAIT_S)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            raise ReplyInvalid(f"the ledger's answer has more than {MAX_REPLY_BYTES} bytes")
    return bytes(body)


async def _split(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield complete lines; what follows the last LF was cut and counts as not sent."""
    buffer = b""
    async for chunk in response.content.iter_any():
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        if len(buffer) > MAX_LINE_BYTES:
            raise ReplyInvalid(f"a line of the ledger's answer has more than {MAX_LINE_BYTES} bytes")
