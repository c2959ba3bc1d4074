"""Logs made without a server: a mirror of signed hand-offs to replay, and a large database to ask for receipts."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from benchmarks.workload import Scene, agreement, common, hand_offs
from ledger.core.dsse import Envelope, parse_envelope, sign
from ledger.core.encoding import Json
from ledger.core.keys import SigningKey
from ledger.core.tiles import TILE_WIDTH, Tile, format_bundle, format_tile_path
from ledger.server.log.state.frontier import Frontier
from ledger.server.log.state.identity import Identity
from ledger.server.store.contract import Batch, NewEntry, StoredCheckpoint
from ledger.server.store.sqlite import SQLiteStore
from ledger.statements.parse import NEWEST_RULES

ORIGIN = "example.com/benchmark"
_HASH_BYTES = 32


def new_identity() -> Identity:
    """Return a log's keys."""
    return Identity(ORIGIN, SigningKey.generate(), SigningKey.generate())


def opening(identity: Identity, time_ms: int) -> tuple[list[Envelope], Scene]:
    """Return the first entries of a log, all of `time_ms`, and the scene that they set."""
    parties = {name: (SigningKey.generate(), SigningKey.generate()) for name in ("operator.example", "acme", "beta")}
    documents: dict[str, dict[str, Json]] = {
        name: {"keys": [own.public.document()], "recovery_keys": [recovery.public.document()]}
        for name, (own, recovery) in parties.items()
    }
    created: dict[str, Json] = {
        "origin": ORIGIN,
        "log_keys": [identity.note_key.vkey()],
        "service_key": identity.service_key.public.document(),
        "rules": NEWEST_RULES,
        "relation": "none",
        "admission": "open",
    }
    operator = parties["operator.example"]
    first = sign(
        common("ledger.created", "operator.example", [*operator], **created, **documents["operator.example"]), operator
    )
    frontier = Frontier()
    frontier.append(first, time_ms)
    envelopes = [first]
    for name in ("acme", "beta"):
        statement = common("party.registered", name, [*parties[name]], ledger=first.id, **documents[name])
        envelopes.append(sign(statement, parties[name]))
    key, both = parties["acme"][0], [parties["acme"][0], parties["beta"][0]]
    content: Json = {"sealed": secrets.token_hex(32)}
    envelopes.append(
        sign(common("listing.registered", "acme", [key], ledger=first.id, title="Benchmark", content=content), [key])
    )
    listing = envelopes[-1].id
    envelopes.append(sign(agreement(first.id, listing, both), both))
    seen: dict[str, Json] = {"root": frontier.head.root.hex(), "size": 1}
    return envelopes, Scene(first.id, listing, envelopes[-1].id, both[0], both[1], seen)


def write_mirror(directory: Path, size: int) -> Path:
    """Write a C2SP tile directory of `size` entries, most of them hand-offs; return the path of its policy file."""
    identity = new_identity()
    time_ms = time.time_ns() // 1_000_000
    envelopes, scene = opening(identity, time_ms)
    envelopes += [parse_envelope(raw) for raw in hand_offs(scene, size - len(envelopes))]
    frontier = Frontier()
    raws = [frontier.append(envelope, time_ms).raw for envelope in envelopes]
    for (level, position), hashes in frontier.tiles_since(0).items():
        _write(directory, Tile(level, position, len(hashes) // _HASH_BYTES), hashes)
    for start in range(0, size, TILE_WIDTH):
        some = raws[start : start + TILE_WIDTH]
        _write(directory, Tile(None, start // TILE_WIDTH, len(some)), format_bundle(some))
    (directory / "checkpoint").write_bytes(identity.checkpoint(frontier.head, identity.signers, 0))
    policy = directory.with_name("policy.txt")
    policy.write_text(f"log {identity.note_key.vkey()}\nquorum none\n")
    return policy


async def fill_database(path: Path, size: int) -> Identity:
    """Write a database of `size` entries that hold one statement again and again: receipts do not look inside."""
    identity = new_identity()
    envelopes, _ = opening(identity, 1)
    store = await SQLiteStore.open(path)
    frontier = Frontier()
    try:
        for start in range(0, size, 5000):
            draft = frontier.copy()
            entries = [
                NewEntry(entry.index, f"sha256:{entry.leaf.hex()}", entry.raw, [])
                for entry in (draft.append(envelopes[0], 1) for _ in range(min(5000, size - start)))
            ]
            stored = StoredCheckpoint(draft.size, 1, identity.checkpoint(draft.head, identity.signers, 0))
            await store.append(Batch(entries, [], draft.tiles_since(start), stored))
            frontier = draft
    finally:
        await store.close()
    return identity


def _write(directory: Path, tile: Tile, data: bytes) -> None:
    path = directory / "tile" / format_tile_path(tile)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
