"""Durable submission over HTTP, the load generator being another process on the same machine."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

CONNECTIONS = 32


async def stream(url: str, lines: list[bytes]) -> float:
    """Send all `lines` in one JSON-lines request; return statements per second, every line recorded."""

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(lines), 100):
            yield b"".join(line + b"\n" for line in lines[at : at + 100])

    start = time.perf_counter()
    count = 0
    last = b""
    async with (
        aiohttp.ClientSession(url) as session,
        session.post(
            "/v1/statements",
            data=body(),
            headers={"Content-Type": "application/jsonl"},
            timeout=aiohttp.ClientTimeout(None),
        ) as response,
    ):
        rest = b""
        async for chunk in response.content.iter_any():
            *complete, rest = (rest + chunk).split(b"\n")
            count += sum(line.startswith(b'{"line":') and b'"index":' in line for line in complete)
            last = complete[-1] if complete else last
    elapsed = time.perf_counter() - start
    if count != len(lines) or json.loads(last) != {"done": len(lines)}:
        raise RuntimeError(f"{count} of {len(lines)} were recorded; the last line was {last[:200]!r}")
    return count / elapsed


async def single(url: str, lines: list[bytes]) -> float:
    """Send one statement a request over 32 connections; return statements per second."""
    queue = iter(lines)
    start = time.perf_counter()
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def client() -> None:
            for line in queue:
                async with session.post("/v1/statements", data=line, headers=headers) as response:
                    await response.read()
                    if response.status != 201:
                        raise RuntimeError(f"status {response.status}")

        await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return len(lines) / (time.perf_counter() - start)


if __name__ == "__main__":
    kind, address, file = sys.argv[1:]
    work = {"stream": stream, "single": single}[kind]
    print(asyncio.run(work(address, Path(file).read_bytes().splitlines())))
