"""Marked copies: designed, made and written before they are offered (docs/marks.md).

Nothing is drawn before the license is seen to consent, and the marks are sealed by the very statement that offers the
copy they are in: nobody can make them up afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import SystemRandom

from ledger.core.encoding import canonical
from ledger.party.acts.handoff import PreparedMarks
from ledger.party.acts.licensing import consents_to_marks
from ledger.party.dataset.reading.formats import TableFormat, detect
from ledger.party.digests import Progress, no_progress
from ledger.party.errors import AlreadyThere, Unfit
from ledger.party.files import write_file
from ledger.party.marks.drawing import SourceTable, survey
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.making import Design, Wish, design, design_again, make
from ledger.party.marks.parameters import leak_detected
from ledger.party.marks.planting import check_planted, plant
from ledger.party.marks.value import MarksValue, TardosMarks, parse_marks
from ledger.party.speaking.speaker import Speaker


@dataclass(frozen=True)
class Marking:
    """A copy that is going to be marked: the table at `position` of `files`, for `recipient`, written to `copy`."""

    files: tuple[Path, ...]
    position: int
    copy: Path
    listing: str
    recipient: str
    design: Design

    @property
    def sent(self) -> list[Path]:
        """What is handed over: the marked copy in the place of its table."""
        return [self.copy if number == self.position else path for number, path in enumerate(self.files)]


async def prepare(
    speaker: Speaker,
    files: Sequence[Path],
    wish: Wish,
    *,
    copy: Path,
    listing: str,
    license_id: str | None,
    recipient: str,
    encoding: str | None = None,
    progress: Progress = no_progress,
) -> Marking:
    """Return what marking would do; it reads the table, and writes nothing.

    Raises Unfit where the license does not consent, CannotMark, AlreadyThere for `copy`, and what reading raises.
    """
    if license_id is None or not await consents_to_marks(speaker.client, license_id):
        raise Unfit(
            "copies are marked only where the license says that the licensee consents (marking_consent): agree on that "
            "first, with 'ledger license amend'"
        )
    if await asyncio.to_thread(copy.exists):
        raise AlreadyThere(copy)

    def designed() -> tuple[int, Design]:
        position, how = _table(files, encoding)
        source = survey(files[position], how, SystemRandom(), progress)
        code = _kept_code(speaker, listing, source) if wish.method == "tardos" else None
        return position, design(source, wish) if code is None else design_again(source, wish, code)

    position, found = await asyncio.to_thread(designed)
    if copy.suffix.lower() != files[position].suffix.lower():
        raise Unfit(f"{copy} is to be read as {files[position]} is: end its name in {files[position].suffix}")
    return Marking(tuple(files), position, copy, listing, recipient, found)


async def write(speaker: Speaker, marking: Marking, progress: Progress = no_progress) -> PreparedMarks:
    """Draw the marks, keep a code that further recipients will share, and write the copy; return what to seal."""

    def work() -> MarksValue:
        source = marking.design.source
        marks = make(marking.design, marking.position, SystemRandom(), progress)
        if isinstance(marks, TardosMarks) and marking.design.code is None:
            columns = _digest(source)
            kept = speaker.locker.keep_code(marking.listing, columns, marks.model_dump())
            if kept != marks.model_dump():
                raise Unfit("another hand-off of this listing has just made its code: run this again")
        records = marks.planted(marking.recipient)
        write_file(marking.copy, lambda out: plant(source, records, out, SystemRandom(), progress))
        try:
            check_planted(source, marking.copy, records, progress)
        except BaseException:
            marking.copy.unlink(missing_ok=True)
            raise
        return marks

    marks = await asyncio.to_thread(work)
    return PreparedMarks(marks.bound, marks.method, marks.threshold_millibits, marks.model_dump())


def _table(files: Sequence[Path], encoding: str | None) -> tuple[int, TableFormat]:
    tables = [(number, how) for number, path in enumerate(files) if (how := detect(path, encoding)) is not None]
    if len(tables) != 1:
        raise CannotMark(
            f"{len(tables)} of the files are tables, and one is marked",
            "hand over the table alone that is to be marked, as CSV, TSV, JSON Lines, Parquet or Arrow",
        )
    return tables[0]


def _kept_code(speaker: Speaker, listing: str, source: SourceTable) -> TardosMarks | None:
    kept = speaker.locker.code(listing, _digest(source))
    code = None if kept is None else parse_marks(kept)
    return code if isinstance(code, TardosMarks) else None


def _digest(source: SourceTable) -> str:
    return sha256(canonical(list(source.columns))).hexdigest()


def in_words(marking: Marking) -> list[tuple[str, str]]:
    """Return what marking will do, as labels and words for people (docs/marks.md §7)."""
    designed = marking.design
    parameters, room = designed.parameters, designed.parameters.room
    named = [f"{name} {bits}" for name, bits in zip(designed.source.columns, parameters.room.bits, strict=True) if bits]
    rows = f"{parameters.marks:,} added to {room.rows:,}, at random places ({parameters.marks / room.rows:.1%})"
    threshold = f"{parameters.threshold_millibits / 1000:.3f} bits = log2({parameters.recipients} / {parameters.bound})"
    words = [
        ("table", str(marking.files[marking.position])),
        ("copy", str(marking.copy)),
        ("rows", rows),
        ("a row has", f"{room.row_bits} bits: {', '.join(named)}"),
        ("accused at", threshold),
        ("falsely", f"at most {parameters.bound} of all {parameters.recipients} recipients together"),
    ]
    if parameters.method == "tardos":
        what = "the code of an earlier hand-off" if designed.code is not None else "a new code for the listing"
        words.append(("positions", f"{parameters.marks:,} ({what}; {2 * parameters.marks:,} rows in all)"))
        words.append(("detected", f"≥ 99 %: a random tenth of the rows; whole copies of {_pool(parameters.colluders)}"))
    else:
        words.append(("detected", f"a random tenth of the rows: in {leak_detected(parameters):.1%} of cases"))
    return words


def _pool(colluders: int) -> str:
    return "one recipient" if colluders == 1 else f"up to {colluders} recipients, whatever they make of them"
