"""Marked copies: a pool is sealed, the recipient asks for its copy, and a draw says which of the pool marks it.

Nobody chooses (docs/marks.md §9.2): the sender's pool, key and coin are fixed by `transfer.prepared`, before it can
know the recipient's coin; the recipient, in `transfer.requested`, knows neither pool nor key nor coin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import SystemRandom

import nacl.utils

from ledger.core.commitment import Place, commit, kind_at
from ledger.core.encoding import Json, b64encode, canonical
from ledger.party.acts.licensing import consents_to_marks
from ledger.party.answers.recorded import Recorded
from ledger.party.dataset.reading.formats import TableFormat, detect
from ledger.party.digests import Progress, no_progress
from ledger.party.errors import AlreadyThere, Unfit
from ledger.party.files import write_file
from ledger.party.marks.drawing import SourceTable, present, survey
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.omitting import check_left_out, leave_out
from ledger.party.marks.planting import check_planted, plant
from ledger.party.marks.pool import CodePool, Pool, RowPool, draw_seed, parse_pool
from ledger.party.marks.pooling import PoolPlan, PoolWish, make_pool, plan_pool
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.prepared import preparations
from ledger.party.vault.sealing import Opening, fresh_salt
from ledger.statements.transfer import COIN_BYTES, TransferPrepared, TransferRequested

COIN, SEAL = "/coin", "/seal"


@dataclass(frozen=True)
class Draw:
    """A pool of ours, what was drawn from it for `recipient`, and what opens our coin in the offer."""

    prepared: str
    pool: Pool
    seed: str
    coin: dict[str, Json]


@dataclass(frozen=True)
class Marking:
    """A copy that is going to be marked: the table `source`, at `position` of `files`, written to `copy`."""

    files: tuple[Path, ...]
    position: int
    copy: Path
    source: SourceTable
    draw: Draw

    @property
    def sent(self) -> list[Path]:
        """What is handed over: the marked copy in the place of its table."""
        return [self.copy if number == self.position else path for number, path in enumerate(self.files)]


async def plan(
    speaker: Speaker,
    files: Sequence[Path],
    wish: PoolWish,
    *,
    listing: str,
    encoding: str | None = None,
    progress: Progress = no_progress,
) -> PoolPlan:
    """Return what a pool for the one table of `files` would be; reads it, and signs nothing. Raises CannotMark."""

    def planned() -> PoolPlan:
        position, how = _table(files, encoding)
        source = survey(files[position], how, SystemRandom(), progress)
        return plan_pool(source, wish, _kept_code(speaker, listing, source) if wish.method == "tardos" else None)

    return await asyncio.to_thread(planned)


async def prepare(
    speaker: Speaker, planned: PoolPlan, *, listing: str, recipient: str, progress: Progress = no_progress
) -> Recorded:
    """Draw the pool, keep it encrypted in the vault, and have its seal recorded (`transfer.prepared`)."""

    def made() -> Pool:
        pool = make_pool(planned, SystemRandom(), progress)
        if isinstance(pool, CodePool) and planned.kept is None:
            kept = speaker.locker.keep_code(listing, _code_name(planned.source), pool.model_dump())
            if kept != pool.model_dump():
                raise Unfit("another preparation for this listing has just made its code: run this again")
        return pool

    pool = await asyncio.to_thread(made)
    frame = await speaker.frame()
    values: dict[str, Json] = {COIN: b64encode(nacl.utils.random(COIN_BYTES)), SEAL: pool.model_dump()}
    openings = [
        Opening(Place(kind_at(at), frame.ledger, frame.issuer, frame.nonce, at), fresh_salt(), value)
        for at, value in values.items()
    ]
    coin, seal = ({"sealed": commit(each.place, each.salt, each.value)} for each in openings)
    return await speaker.say_opened(
        frame,
        "transfer.prepared",
        openings,
        bound=planned.wish.bound,
        coin=coin,
        listing=listing,
        method=planned.wish.method,
        recipient=recipient,
        recipients=planned.wish.recipients,
        seal=seal,
    )


async def preparation(speaker: Speaker, prepared: str) -> Recorded:
    """Return a preparation for us, proved to be recorded; raises Unfit for anything else."""
    recorded = await speaker.client.statement(prepared)
    said = recorded.statement
    if not isinstance(said, TransferPrepared):
        raise Unfit(f"{prepared} does not prepare a hand-off")
    if said.recipient != speaker.name:
        raise Unfit(f"this was prepared for {said.recipient}, not for {speaker.name}")
    await speaker.client.check_speaker(recorded)
    return recorded


async def request(speaker: Speaker, prepared: Recorded) -> Recorded:
    """Ask for the marked copy: sign a coin of ours, over a checkpoint that has the preparation in it."""
    seen = await speaker.client.seen()
    if seen.size <= prepared.index:  # the receipt's own checkpoint, unless somebody took it out of the vault
        raise Unfit("no checkpoint over the preparation was verified yet: run this again in a moment")
    coin = b64encode(nacl.utils.random(COIN_BYTES))
    return await speaker.say("transfer.requested", prepared=prepared.statement_id, coin=coin)


async def design(
    speaker: Speaker,
    files: Sequence[Path],
    *,
    copy: Path,
    listing: str,
    license_id: str | None,
    recipient: str,
    prepared: str | None = None,
    encoding: str | None = None,
    progress: Progress = no_progress,
) -> Marking:
    """Return what marking would do, by the newest that was requested of this listing and recipient, or by `prepared`.

    Raises Unfit where the license does not consent, where nothing was prepared or requested; CannotMark, AlreadyThere
    for `copy`, and what reading raises. Writes nothing.
    """
    agreed = None if license_id is None else await speaker.client.license(license_id)
    if agreed is not None and agreed.licensee != recipient:
        raise Unfit(f"{license_id} is a license of {agreed.licensee}, not of {recipient}: it consents for nobody else")
    if license_id is None or not await consents_to_marks(speaker.client, license_id):
        raise Unfit(
            "copies are marked only where the license says that the licensee consents (marking_consent): agree on that "
            "first, with 'ledger license amend'"
        )
    if await asyncio.to_thread(copy.exists):
        raise AlreadyThere(copy)
    draw = await _draw(speaker, listing, recipient, prepared)

    def surveyed() -> tuple[int, SourceTable]:
        position, how = _table(files, encoding)
        return position, survey(files[position], how, SystemRandom(), progress)

    position, source = await asyncio.to_thread(surveyed)
    if copy.suffix.lower() != files[position].suffix.lower():
        raise Unfit(f"{copy} is to be read as {files[position]} is: end its name in {files[position].suffix}")
    if list(source.columns) != draw.pool.columns:
        raise CannotMark(
            f"{source.path} has other columns than the pool that was sealed for {recipient}",
            "prepare a pool for it: ledger transfer prepare",
        )
    return Marking(tuple(files), position, copy, source, draw)


async def write(marking: Marking, progress: Progress = no_progress) -> dict[str, Json]:
    """Write the marked copy, and return `marks` of the offer that hands it over."""

    def work() -> list[int]:
        source, draw = marking.source, marking.draw
        marks = draw.pool.marks(draw.seed, ())
        try:
            if isinstance(draw.pool, RowPool) and draw.pool.method == "omission":
                records = list(marks.values())
                write_file(marking.copy, lambda out: leave_out(source, records, out, progress))
                check_left_out(source, marking.copy, records, progress)
                return []
            # A mark that has become a real row would stand in everybody's copy.
            real = present(source, list(marks.values()))
            records = [record for record in marks.values() if record not in real]
            write_file(marking.copy, lambda out: plant(source, records, out, SystemRandom(), progress))
            check_planted(source, marking.copy, records, progress)
        except BaseException:
            marking.copy.unlink(missing_ok=True)
            raise
        return [number for number, record in marks.items() if record in real]

    retired = await asyncio.to_thread(work)
    draw = marking.draw
    marks: dict[str, Json] = {"coin": draw.coin, "file": marking.position, "prepared": draw.prepared}
    return marks | {"retired": retired} if retired else marks


async def _draw(speaker: Speaker, listing: str, recipient: str, prepared: str | None) -> Draw:
    """Return our pool for these hand-offs, with the seed that the recipient's request gives."""
    names = (
        [prepared]
        if prepared
        else [
            recorded.statement_id
            for recorded in await asyncio.to_thread(preparations, speaker.vault, listing, recipient)
        ]
    )
    if not names:
        raise Unfit(
            f"nothing is prepared for {recipient}: run 'ledger transfer prepare' first, and have {recipient} run "
            "'ledger transfer request'"
        )
    for name in names:
        if (requested := await _request_of(speaker, name)) is not None:
            break
    else:
        raise Unfit(f"{recipient} has not asked for its copy yet: it runs 'ledger transfer request {names[0]}'")
    opened = {item.pointer: item for item in await asyncio.to_thread(speaker.locker.disclosures, name)}
    if not {COIN, SEAL} <= opened.keys():
        raise Unfit(f"this vault does not hold what opens the pool of {name}")
    coin = opened[COIN]
    seed = draw_seed(name, requested, coin.value)
    return Draw(name, parse_pool(opened[SEAL].value), seed, {"salt": coin.salt, "value": coin.value})


async def _request_of(speaker: Speaker, prepared: str) -> str | None:
    history = await speaker.client.history([prepared])
    for index in history.indexes:
        recorded = await speaker.client.entry(index)
        if isinstance(recorded.statement, TransferRequested) and recorded.statement.prepared == prepared:
            await speaker.client.keep([recorded])
            return recorded.statement_id
    return None


def _table(files: Sequence[Path], encoding: str | None) -> tuple[int, TableFormat]:
    tables = [(number, how) for number, path in enumerate(files) if (how := detect(path, encoding)) is not None]
    if len(tables) != 1:
        raise CannotMark(
            f"{len(tables)} of the files are tables, and one is marked",
            "hand over the table alone that is to be marked, as CSV, TSV, JSON Lines, Parquet or Arrow",
        )
    return tables[0]


def _kept_code(speaker: Speaker, listing: str, source: SourceTable) -> CodePool | None:
    kept = speaker.locker.code(listing, _code_name(source))
    code = None if kept is None else parse_pool(kept)
    return code if isinstance(code, CodePool) else None


def _code_name(source: SourceTable) -> str:
    return sha256(canonical(["pool", *source.columns])).hexdigest()


def in_words(planned: PoolPlan) -> list[tuple[str, str]]:
    """Return what a pool will be, as labels and words for people (docs/marks.md §9.5)."""
    wish, rows = planned.wish, planned.source.rows
    share = f"{planned.draws / rows:.1%}"
    does = {
        "canary": f"{planned.draws:,} rows that exist nowhere else are added to the copy ({share} of its {rows:,})",
        "omission": f"{planned.draws:,} of {rows:,} rows ({share}) are left out of the copy; nothing false is in it",
        "tardos": f"{planned.draws:,} rows are added to the copy ({share} of its {rows:,}), one of each of two",
    }[wish.method]
    sealed = {
        "tardos": f"{planned.draws:,} pairs of rows{', as in the copies of others' if planned.kept is not None else ''}"
    }.get(wish.method, f"{planned.rows:,} rows, of which {planned.draws:,} are drawn")
    bits = f"{planned.needed_bits:.1f} bits = log2({wish.recipients} / {wish.bound}) + 2"
    whole = "a whole copy" if planned.part == 1 else f"a random {planned.part:.0%} of the copy's rows"
    words = [
        ("table", str(planned.source.path)),
        ("copy", does),
        ("sealed", sealed),
        ("needed", f"{bits}, and about {planned.paid_bits:.1f} for finding out which column is which"),
        ("detected", f"in 99 % of leaks: {whole}"),
        ("falsely", f"at most {wish.bound} of all {wish.recipients} recipients together"),
    ]
    if planned.draws > rows / 10:
        words.append(("warning", f"that is {share} of the table: whoever counts or sums its rows will notice"))
    return words
