"""A ledger with two parties and a listing, and any number of signed hand-offs for it, ready to be sent."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ledger.core.dsse import sign
from ledger.core.encoding import Json, b64decode, b64encode
from ledger.core.keys import SigningKey

PASSPHRASE = "benchmark"  # noqa: S105 - keys live as long as the run
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Scene:
    """What a hand-off needs: ledger id, sender and its key, recipient, listing, and a checkpoint to have seen."""

    ledger: str
    listing: str
    key: SigningKey
    seen: dict[str, Json]


def common(kind: str, issuer: str, signers: list[SigningKey], **fields: Json) -> dict[str, Json]:
    """Return a statement with its common fields."""
    now = time.time_ns() // 1_000_000
    return {
        "type": kind,
        "issuer": issuer,
        "signers": sorted(key.public.keyid for key in signers),
        "nonce": b64encode(secrets.token_bytes(16)),
        "issued_ms": now,
        "not_after_ms": now + _DAY_MS,
        **fields,
    }


def offer(scene: Scene) -> bytes:
    """Return one signed `transfer.offered`, as it is posted."""
    fields = {"listing": scene.listing, "recipient": "beta", "content": {"sealed": secrets.token_hex(32)}}
    statement = common("transfer.offered", "acme", [scene.key], ledger=scene.ledger, seen=scene.seen, **fields)
    return sign(statement, [scene.key]).recorded


def _offers(scene: Scene, count: int) -> list[bytes]:
    return [offer(scene) for _ in range(count)]


def offers(scene: Scene, count: int) -> list[bytes]:
    """Return `count` offers, signed on all cores."""
    with ProcessPoolExecutor() as pool:
        parts = pool.map(_offers, [scene] * 8, [count // 8 + (at < count % 8) for at in range(8)])
        return [raw for part in parts for raw in part]


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """Run `ledger init` and `ledger serve` in `directory`; yield the address."""
    environment = {"LEDGER_PASSPHRASE": PASSPHRASE, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "ledger"]
    origin = ["--origin", "example.com/benchmark", "--operator", "operator.example"]
    subprocess.run([*command, "init", str(directory), *origin], env=environment, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [*command, "serve", str(directory), "--port", str(port)]
    with subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        if server.stdout is None or b"Serving" not in server.stdout.readline():
            raise RuntimeError("the server did not start")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


async def _scene(url: str) -> Scene:
    async with aiohttp.ClientSession(url) as session:

        async def submit(statement: dict[str, Json], keys: list[SigningKey]) -> str:
            async with session.post(
                "/v1/statements", data=sign(statement, keys).recorded, headers={"Content-Type": "application/json"}
            ) as response:
                return str((await response.json())["statement_id"])

        async with session.get("/v1/entries/0") as response:
            ledger = (await response.json())["statement_id"]
        keys = {}
        for name in ("acme", "beta"):
            own, recovery = SigningKey.generate(), SigningKey.generate()
            keys[name] = own
            fields: dict[str, Json] = {"keys": [own.public.document()], "recovery_keys": [recovery.public.document()]}
            await submit(common("party.registered", name, [own, recovery], ledger=ledger, **fields), [own, recovery])
        key = keys["acme"]
        fields = {"title": "Benchmark", "content": {"sealed": secrets.token_hex(32)}}
        listing = await submit(common("listing.registered", "acme", [key], ledger=ledger, **fields), [key])
        async with session.get("/v1/history", params={"subject": "acme"}) as response:
            payload = (await response.json())["payload"]
    head = json.loads(b64decode(payload))
    return Scene(ledger, listing, key, {"root": head["root"], "size": head["size"]})


def make_scene(url: str) -> Scene:
    """Register two parties and a listing."""
    return asyncio.run(_scene(url))
