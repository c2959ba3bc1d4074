"""Time-stamps handed to a log that runs: files in a directory of the ledger's (docs/format.md §21.4).

One process writes the database, so that a command beside it cannot keep a token there. It leaves the token, with the
checkpoint that it is over, where the log looks for them; the log checks both as a stranger's, keeps them, and removes
the files. A log that does not run finds them when it starts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ledger.core.note import MAX_NOTE_BYTES
from ledger.server.log.log import Log
from ledger.server.log.recovery.published import replace_durably
from ledger.server.log.recovery.recovery import own_keys
from ledger.server.log.recovery.stamping import MAX_ANSWER_BYTES, check_stamp
from ledger.server.store.contract import IntegrityError, StoreError
from ledger.server.store.stamps import StoredStamp

INBOX = "timestamps"
"""The directory, beside the database, in which they are handed over."""
LOOK_EVERY_S = 0.5
PATIENCE_S = 10.0
"""How long a command waits for a log to take what it was handed."""
_logger = logging.getLogger(__name__)


async def hand_over(directory: Path, stamp: StoredStamp) -> bool:
    """Hand a token to whatever log runs on `directory`, durably; tell whether it was taken yet.

    Raises StoreError where it was refused, whose reason the log's own words say, or where it cannot be written.
    """
    token, refused = _token(directory, stamp.size), _refused(directory, stamp.size)
    try:
        refused.unlink(missing_ok=True)
        await asyncio.to_thread(replace_durably, _checkpoint(directory, stamp.size), stamp.note)
        await asyncio.to_thread(replace_durably, token, stamp.token)  # last: where it is, its checkpoint is
    except OSError as error:
        raise StoreError(f"{token}: {error.strerror or error}") from error
    waited = 0.0
    while token.exists() and waited < PATIENCE_S:
        await asyncio.sleep(LOOK_EVERY_S)
        waited += LOOK_EVERY_S
    if refused.exists():
        raise StoreError(f"the running ledger refused the time-stamp ({refused}); what it prints says why")
    return not token.exists()


@asynccontextmanager
async def taking_stamps(log: Log, directory: Path) -> AsyncIterator[None]:
    """Take what is handed over on `directory`, beside what is done in this context."""
    task = asyncio.create_task(_take_forever(log, directory))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _take_forever(log: Log, directory: Path) -> None:
    while True:
        try:
            for path in await asyncio.to_thread(_waiting, directory):
                await _take(log, directory, int(path.stem))
        except (OSError, StoreError) as error:
            _logger.warning("time-stamps that were handed over cannot be taken: %s", error)
        await asyncio.sleep(LOOK_EVERY_S)


async def _take(log: Log, directory: Path, size: int) -> None:
    """Keep one, or set it aside; raise OSError or StoreError, and then it is tried again."""
    token, note = _token(directory, size), _checkpoint(directory, size)
    try:
        stamp = await asyncio.to_thread(_read, size, note, token)
        head = log.published.head.size if log.published is not None else 0
        if size > head:  # a checkpoint is published before it is shown: the next look will do
            return
        await check_stamp(log.store, await own_keys(log.store, log.identity), head, str(note), stamp)
    except (IntegrityError, ValueError, FileNotFoundError) as error:
        _logger.error("the time-stamp %s is not kept: %s", token, error)  # noqa: TRY400 - no fault of the program
        token.rename(_refused(directory, size))
        return
    await log.store.keep_stamp(stamp)
    _logger.info("time-stamped at size %d, by a token that was handed over", size)
    token.unlink()
    note.unlink(missing_ok=True)


def _read(size: int, note: Path, token: Path) -> StoredStamp:
    with note.open("rb") as first, token.open("rb") as second:
        return StoredStamp(size, first.read(MAX_NOTE_BYTES + 1), second.read(MAX_ANSWER_BYTES + 1))


def _waiting(directory: Path) -> list[Path]:
    found = (directory / INBOX).glob("*.tsr")
    return sorted(path for path in found if path.stem.isascii() and path.stem.isdecimal() and path.stem[0] != "0")


def _token(directory: Path, size: int) -> Path:
    return directory / INBOX / f"{size}.tsr"


def _checkpoint(directory: Path, size: int) -> Path:
    return directory / INBOX / f"{size}.checkpoint"


def _refused(directory: Path, size: int) -> Path:
    return directory / INBOX / f"{size}.refused"
