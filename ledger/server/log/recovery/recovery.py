"""Start-up: re-derive the tree head from stored hashes, and refuse to run on a mismatch.

The tree is computed anew from the leaf hashes on disk and compared with the signed checkpoint, with every tile above,
and with the newest entries read back as bytes: a single flipped bit must stop the log before it signs again.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.checkpoint import Checkpoint, TreeHead
from ledger.core.errors import LedgerError
from ledger.core.hashing import HASH_BYTES
from ledger.core.note import NoteKey, parse_vkey
from ledger.core.policy import Policy
from ledger.core.tiles import TILE_HEIGHT, TILE_WIDTH
from ledger.registry.facts import LEDGER_KEY, LedgerFact
from ledger.server.log.recovery.rereading import reread
from ledger.server.log.state.errors import UnavailableError
from ledger.server.log.state.frontier import Frontier
from ledger.server.log.state.identity import Identity
from ledger.server.store.contract import IntegrityError, Store, StoredCheckpoint

REREAD_ENTRIES = 4096
"""How many of the newest entries are read back and hashed; older ones are covered by every replay."""


async def own_keys(store: Store, identity: Identity) -> list[NoteKey]:
    """Return every key that ever signed for this log, so that what was shown before a rotation is still known."""
    ledger = (await store.view([LEDGER_KEY], [])).ledger
    vkeys = {*identity.signers, *(ledger.log_keys if ledger is not None else ())}
    return [parse_vkey(vkey) for vkey in sorted(vkeys)]


def require_keys(identity: Identity, ledger: LedgerFact) -> None:
    """Raise IntegrityError unless every log key in force is at hand: no checkpoint could be signed."""
    try:
        identity.require(ledger.log_keys_in_force)
    except UnavailableError as error:
        raise IntegrityError(f"{error}; the ledger's own entries name the keys that sign") from error


async def recover(store: Store, identity: Identity) -> tuple[Frontier, StoredCheckpoint | None]:
    """Return the frontier of the stored log and its newest checkpoint (None: empty); raise IntegrityError."""
    checkpoint = await store.checkpoint()
    if checkpoint is None:
        frontier = await _rebuild(store)
        if frontier.size or await store.entries(0, 1):
            raise IntegrityError(f"entries or {frontier.size} leaf hashes are stored, and no checkpoint")
        return frontier, None
    try:
        signed = open_own(await own_keys(store, identity), checkpoint.note)
    except LedgerError as error:
        raise IntegrityError(f"the stored checkpoint of size {checkpoint.size} does not verify: {error}") from error
    return await rederive(store, signed.head), checkpoint


def open_own(keys: Sequence[NoteKey], note: bytes) -> Checkpoint:
    """Return a checkpoint that the log of these keys signed with one of them; raise NoteError."""
    return Policy(logs=list(keys), quorum="none").open_checkpoint(note)


async def rederive(store: Store, head: TreeHead) -> Frontier:
    """Do what `derive` does, and read the newest entries back; raise IntegrityError."""
    frontier = await derive(store, head)
    async for entries in reread(store, max(0, head.size - REREAD_ENTRIES), head.size):
        frontier.previous, frontier.time_ms = entries[-1].leaf.hex(), entries[-1].time_ms
    return frontier


async def derive(store: Store, head: TreeHead) -> Frontier:
    """Compute the tree anew from stored hashes, and return its frontier; raise IntegrityError if it is not `head`.

    The frontier does not know its newest entry: that is read by `rederive`.
    """
    frontier = await _rebuild(store)
    if head != frontier.head:
        raise IntegrityError(
            f"the checkpoint signs size {head.size} with root {head.root.hex()}, "
            f"the stored hashes give size {frontier.size} with root {frontier.head.root.hex()}"
        )
    return frontier


async def _rebuild(store: Store) -> Frontier:
    """Grow a frontier from the level-0 tiles, comparing each level above with what is stored."""
    frontier = Frontier()
    async for hashes in store.tiles(0):
        if frontier.size % TILE_WIDTH:
            raise IntegrityError(f"hashes follow the partial tile that ends at {frontier.size}")
        before = frontier.size
        for at in range(0, len(hashes), HASH_BYTES):
            frontier.grow(hashes[at : at + HASH_BYTES])
        for (level, position), derived in frontier.tiles_since(before).items():
            if level and (await store.tile(level, position))[: len(derived)] != derived:
                raise IntegrityError(f"tile {position} of level {level} does not follow from the leaf hashes")
        frontier = frontier.copy()
    level = 1
    while frontier.size >> (TILE_HEIGHT * level) or await store.tile(level, 0):
        count = frontier.size >> (TILE_HEIGHT * level)
        stored = await store.tile(level, count // TILE_WIDTH)
        if len(stored) != (count % TILE_WIDTH) * HASH_BYTES:
            raise IntegrityError(f"level {level} stores other than the {count} hashes that it should")
        level += 1
    return frontier
