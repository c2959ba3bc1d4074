"""A ledger with two parties and a listing, and any number of signed hand-offs for it, ready to be sent."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from ledger.core.dsse import Envelope, sign
from ledger.core.encoding import Json, b64decode, b64encode
from ledger.core.keys import SigningKey
from ledger.statements.terms.agreement import CONTEXT

PASSPHRASE = "benchmark"  # noqa: S105 - keys live as long as the run
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Scene:
    """What a hand-off needs: ids, the keys of sender (acme) and recipient (beta), and a checkpoint to have seen."""

    ledger: str
    listing: str
    license: str
    key: SigningKey
    recipient_key: SigningKey
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


def terms(listing: str) -> dict[str, Json]:
    """Return terms with purpose, region, expiry, a count, a prohibition and a deletion duty (docs/terms.md)."""
    return {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": "urn:example:benchmark",
        "profile": "urn:provenance-ledger:odrl-profile:1",
        "conflict": "prohibit",
        "target": f"urn:provenance-ledger:{listing}",
        "assigner": "urn:provenance-ledger:party:acme",
        "assignee": "urn:provenance-ledger:party:beta",
        "permission": [
            {
                "action": "use",
                "constraint": [
                    {"leftOperand": "purpose", "operator": "isA", "rightOperand": "ResearchAndDevelopment"},
                    {"leftOperand": "spatial", "operator": "isPartOf", "rightOperand": "EU"},
                    {"leftOperand": "count", "operator": "lteq", "rightOperand": 1_000_000},
                ],
            }
        ],
        "prohibition": [{"action": "train"}],
        "obligation": [
            {
                "action": "delete",
                "constraint": [
                    {
                        "leftOperand": "elapsedTime",
                        "operator": "lteq",
                        "rightOperand": {"@type": "xsd:duration", "@value": "P30D"},
                    }
                ],
            }
        ],
    }


def agreement(ledger: str, listing: str, keys: list[SigningKey]) -> dict[str, Json]:
    """Return the license that all hand-offs are under, in force for 90 days."""
    now = time.time_ns() // 1_000_000
    term: dict[str, Json] = {"valid_from_ms": now - _DAY_MS, "valid_until_ms": now + 90 * _DAY_MS}
    fields: dict[str, Json] = {"listing": listing, "licensee": "beta", "terms": terms(listing), **term}
    return common("license.agreed", "acme", keys, ledger=ledger, **fields)


def offer(scene: Scene) -> Envelope:
    """Return one signed `transfer.offered`."""
    fields: dict[str, Json] = {
        "listing": scene.listing,
        "license": scene.license,
        "recipient": "beta",
        "content": {"sealed": secrets.token_hex(32)},
        "acknowledge_by_ms": time.time_ns() // 1_000_000 + _DAY_MS,
    }
    return sign(
        common("transfer.offered", "acme", [scene.key], ledger=scene.ledger, seen=scene.seen, **fields), [scene.key]
    )


def _said(scene: Scene, kind: str, **fields: Json) -> Envelope:
    key = scene.recipient_key
    return sign(common(kind, "beta", [key], ledger=scene.ledger, seen=scene.seen, **fields), [key])


def _offers(scene: Scene, count: int) -> list[bytes]:
    return [offer(scene).recorded for _ in range(count)]


def _hand_offs(scene: Scene, count: int) -> list[bytes]:
    """Return `count` statements: offers, each followed by its acknowledgement; every tenth is a use."""
    envelopes: list[Envelope] = []
    while len(envelopes) < count:
        offered = offer(scene)
        acknowledged: dict[str, Json] = {"transfer": offered.id, "content": {"sealed": secrets.token_hex(32)}}
        envelopes += [offered, _said(scene, "transfer.acknowledged", **acknowledged)]
        if len(envelopes) % 10 == 8:
            use: dict[str, Json] = {"action": "read", "purpose": "AcademicResearch", "spatial": "DE"}
            envelopes += [_said(scene, "usage.reported", license=scene.license, **use) for _ in range(2)]
    return [envelope.recorded for envelope in envelopes[:count]]


def offers(scene: Scene, count: int) -> list[bytes]:
    """Return `count` offers, signed on all cores."""
    return _on_all_cores(_offers, scene, count)


def hand_offs(scene: Scene, count: int) -> list[bytes]:
    """Return `count` statements about hand-offs: 40 % offers, 40 % acknowledgements, 20 % uses."""
    return _on_all_cores(_hand_offs, scene, count)


def _on_all_cores(make: Callable[[Scene, int], list[bytes]], scene: Scene, count: int) -> list[bytes]:
    with ProcessPoolExecutor() as pool:
        parts = pool.map(make, [scene] * 8, [count // 8 + (at < count % 8) for at in range(8)])
        return [raw for part in parts for raw in part]


@contextmanager
def serving(directory: Path, options: Callable[[Path], list[str]] = lambda _: []) -> Iterator[str]:
    """Run `ledger init` and `ledger serve` in `directory`; yield the address.

    `options` are those of `serve`, made once the ledger's policy is there.
    """
    environment = {"LEDGER_PASSPHRASE": PASSPHRASE, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "ledger"]
    origin = ["--origin", "example.com/benchmark", "--operator", "operator.example"]
    subprocess.run([*command, "init", str(directory), *origin], env=environment, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [*command, "serve", str(directory), "--port", str(port), *options(directory)]
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
        key, both = keys["acme"], [keys["acme"], keys["beta"]]
        fields = {"title": "Benchmark", "content": {"sealed": secrets.token_hex(32)}}
        listing = await submit(common("listing.registered", "acme", [key], ledger=ledger, **fields), [key])
        agreed = await submit(agreement(ledger, listing, both), both)
        async with session.get("/v1/history", params={"subject": "acme"}) as response:
            payload = (await response.json())["payload"]
    head = json.loads(b64decode(payload))
    return Scene(ledger, listing, agreed, both[0], both[1], {"root": head["root"], "size": head["size"]})


def make_scene(url: str) -> Scene:
    """Register two parties and a listing."""
    return asyncio.run(_scene(url))
