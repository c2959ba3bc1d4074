"""One running ledger: its directory, its store, its log. What `ledger init` and `ledger serve` do, without words.

The directory holds `ledger.db`, in `published/` the last checkpoint that was shown, and in `keys/` the log's key and
the service key. Whoever reads key files hands the keys in; this module never sees a passphrase.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from ledger.core.dsse import Envelope
from ledger.core.keys import Signer
from ledger.core.note import NoteKey, note_key_of, parse_vkey
from ledger.registry.facts import LEDGER_KEY, LedgerFact
from ledger.server.copies.adopting import PREDECESSOR
from ledger.server.log.intake.submission import Recorded
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.recovery.published import PUBLISHED, PublishedCheckpoints, PublishedFile
from ledger.server.log.recovery.stamping import Authority, ask, stamp_newest, stamping
from ledger.server.log.recovery.witness_views import WitnessViews
from ledger.server.log.stamp_inbox import hand_over, taking_stamps
from ledger.server.log.state.identity import Identity
from ledger.server.log.witnesses.policy import WitnessPolicy, read_witness_policy
from ledger.server.service.listener import serve
from ledger.server.store.contract import IntegrityError, StoredCheckpoint, StoreError
from ledger.server.store.sqlite import SQLiteStore
from ledger.server.store.stamps import StoredStamp

DATABASE = "ledger.db"
STAMP_EVERY_S = 3600


def system_clock() -> int:
    """Return Unix milliseconds."""
    return time.time_ns() // 1_000_000


async def create(directory: Path, identity: Identity, created: Envelope) -> Recorded:
    """Make the database in `directory` and record entry 0; StoreError if there is a ledger already."""
    if (directory / DATABASE).exists():
        raise StoreError(f"{directory / DATABASE} exists: a ledger is made once")
    async with _running(directory, identity) as log:
        return await log.submit(created.recorded)


async def run(
    directory: Path,
    log_key: Signer,
    service_key: Signer,
    *,
    further_keys: Sequence[Signer] = (),
    host: str,
    port: int,
    ready: Callable[[str, int], None],
    witnesses: str | None = None,
    await_witnessed: bool = False,
    authority: Authority | None = None,
    stamp_every_s: float = STAMP_EVERY_S,
) -> None:
    """Serve the ledger of `directory` until SIGINT or SIGTERM; `ready` gets the address.

    An `authority`, if there is one, stamps the newest checkpoint at once, and again every `stamp_every_s` seconds.
    `witnesses` is the policy (C2SP tlog-policy, with URLs) of those that are asked to cosign; `await_witnessed`: no
    answer before its quorum. `further_keys` are the log's other keys, of which those in force sign as well.

    Raises PolicyError for a policy that cannot be used, and IntegrityError where the stored data do not check or the
    keys are not this ledger's.
    """
    ledger = await _ledger(directory, service_key)
    identity = _identity(ledger, service_key, [log_key, *further_keys])
    witness_policy = None
    if witnesses is not None:
        witness_policy = read_witness_policy(witnesses, identity.note_keys, must_await=await_witnessed)
    keys = [parse_vkey(vkey) for vkey in sorted({*identity.signers, *ledger.log_keys})]
    async with _running(directory, identity, witness_policy, keys) as log:
        _calm_collector()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        stamped = stamping(log.store, partial(_shown, log), authority, stamp_every_s)
        async with stamped, taking_stamps(log, directory):
            await serve(log, host, port, stop, ready, predecessor=directory / PREDECESSOR)


async def stamp(directory: Path, authority: Authority) -> StoredStamp | None:
    """Have the newest checkpoint of a ledger that nobody serves stamped; None if it was before.

    Raises NotStampedError, StoreError; StoreLockedError where it is being served.
    """
    if not (directory / DATABASE).exists():
        raise StoreError(f"{directory} holds no ledger; make one with `ledger init`")
    store = await SQLiteStore.open(directory / DATABASE)
    try:
        return await stamp_newest(store, store.checkpoint, authority)
    finally:
        await store.close()


async def stamp_served(directory: Path, authority: Authority) -> tuple[StoredStamp, bool]:
    """Have the checkpoint that a running ledger published last stamped; hand the token over, and tell if it took it.

    Raises NotStampedError and StoreError.
    """
    note = await asyncio.to_thread(PublishedFile(directory / PUBLISHED).read)
    stamp = await ask(note, authority)
    return stamp, await hand_over(directory, stamp)


async def _shown(log: Log) -> StoredCheckpoint | None:
    state = log.shown
    return None if state is None else StoredCheckpoint(state.head.size, state.time_ms, state.checkpoint)


async def record(
    directory: Path,
    log_key: Signer,
    service_key: Signer,
    say: Callable[[LedgerFact], Iterable[Envelope]],
    further_keys: Sequence[Signer] = (),
) -> list[Recorded]:
    """Record what the operator says, in its order, on a ledger that nobody serves meanwhile.

    `say` gets the ledger as it stands. Raises what `run` and `Log.submit` raise; StoreLockedError where it is being
    served.
    """
    ledger = await _ledger(directory, service_key)
    async with _running(directory, _identity(ledger, service_key, [log_key, *further_keys])) as log:
        return [await log.submit(envelope.recorded) for envelope in say(ledger)]


def _identity(ledger: LedgerFact, service_key: Signer, log_keys: Sequence[Signer]) -> Identity:
    """Return who the log is, with the keys in force first, in the order of their entries."""
    order = ledger.log_keys_in_force
    named = {note_key_of(ledger.origin, key.public).vkey(): key for key in log_keys}
    first, *further = sorted(named, key=lambda vkey: order.index(vkey) if vkey in order else len(order))
    return Identity(ledger.origin, named[first], service_key, tuple(named[vkey] for vkey in further))


async def _ledger(directory: Path, service_key: Signer) -> LedgerFact:
    if not (directory / DATABASE).exists():
        raise StoreError(f"{directory} holds no ledger; make one with `ledger init`")
    store = await SQLiteStore.open(directory / DATABASE)
    try:
        ledger = (await store.view([LEDGER_KEY], [])).get(LedgerFact, LEDGER_KEY)
    finally:
        await store.close()
    if ledger is None:
        raise IntegrityError(
            f"{directory / DATABASE} has no entry 0: `ledger init` was cut short; run it with another directory"
        )
    if service_key.public.keyid not in ledger.reserved_keyids:
        raise IntegrityError("the service key is not the one that entry 0 names")
    return ledger


def _calm_collector() -> None:
    """Keep the cyclic collector from walking all modules again and again: a batch makes many objects and no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@asynccontextmanager
async def _running(
    directory: Path, identity: Identity, witness_policy: WitnessPolicy | None = None, keys: Sequence[NoteKey] = ()
) -> AsyncIterator[Log]:
    store = await SQLiteStore.open(directory / DATABASE)
    workers = Workers()
    published_checkpoints: PublishedCheckpoints = PublishedFile(directory / PUBLISHED)
    if witness_policy is not None:
        urls = [address.removesuffix("/add-checkpoint") for address in witness_policy.addresses]
        published_checkpoints = WitnessViews(published_checkpoints, urls, keys or identity.note_keys)
    try:
        await workers.start()
        log = Log(store, identity, workers, system_clock, published_checkpoints, witness_policy=witness_policy)
        await log.start()
        try:
            yield log
        finally:
            await log.stop()
    finally:
        workers.close()
        await store.close()
