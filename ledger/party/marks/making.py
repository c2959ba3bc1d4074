"""From a table and wishes to marks: what it takes, then the rows, then the value to seal (docs/marks.md §3, §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import nacl.utils

from ledger.core.encoding import Json, b64encode
from ledger.party.dataset.reading.cells import canonical_record
from ledger.party.dataset.reading.formats import detect
from ledger.party.dataset.reading.table import open_table
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.drawing import SourceTable, draw, present
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.parameters import (
    Code,
    Method,
    Parameters,
    Room,
    brought_parameters,
    canary_parameters,
    tardos_parameters,
)
from ledger.party.marks.recipe import Recipe, learn
from ledger.party.marks.value import MAX_ROWS, MarksValue, TardosMarks, parse_marks

_KEY_BYTES = 32
_FIRST_GUESS = 4096


@dataclass(frozen=True)
class Wish:
    """What is asked for: `bound` is a decimal between 0 and 1; `canaries` are rows of the company's own."""

    method: Method
    recipients: int
    bound: str
    colluders: int = 1
    canaries: Path | None = None
    bits_per_row: int | None = None


@dataclass(frozen=True)
class Design:
    """What marking will do, before anything is done: parameters, and where the rows come from.

    `recipe` draws them; `brought` are canonical records of the company's own; `code` is one that was made before.
    """

    source: SourceTable
    parameters: Parameters
    recipe: Recipe | None = None
    brought: tuple[bytes, ...] = ()
    code: TardosMarks | None = None


def design(source: SourceTable, wish: Wish) -> Design:
    """Return what it takes to mark this table so; raise CannotMark, TooLittleRoom, or what reading raises."""
    if wish.canaries is not None:
        return _design_brought(source, wish, wish.canaries)
    drawn = _FIRST_GUESS
    while True:
        recipe = learn(source.columns, source.sample, source.rows, drawn)
        parameters = _parameters(recipe.room, wish)
        if 2 * parameters.marks <= drawn:
            return Design(source, parameters, recipe)
        # More rows leave less room for each.
        drawn = 2 * parameters.marks + drawn


def design_again(source: SourceTable, wish: Wish, code: TardosMarks) -> Design:
    """Return a design with the code of an earlier hand-off; raise CannotMark if it does not fit wish and table."""
    ours = (code.recipients, code.colluders, code.bound)
    if (wish.recipients, wish.colluders, wish.bound) != ours:
        raise CannotMark(
            f"copies of this listing carry a code for {ours[0]} recipients, {ours[1]} colluders, the bound {ours[2]}",
            "give the same again: two codes could not be told apart where copies are pooled",
        )
    if present(source, code.all_marks):
        raise CannotMark(
            "this table holds rows that are marks of an earlier hand-off of the listing",
            "mark the table that nobody was given, not a marked copy of it",
        )
    parameters = Parameters(
        "tardos",
        code.recipients,
        code.colluders,
        code.bound,
        code.threshold_millibits,
        len(code.positions),
        Room(source.rows, tuple(code.bits)),
    )
    return Design(source, parameters, code=code)


def make(designed: Design, file: int, random: Random, progress: Progress = no_progress) -> MarksValue:
    """Draw what was designed, and return the value to seal; `file` is the table's position in the hand-off."""
    if designed.code is not None:
        return parse_marks(designed.code.model_dump() | {"file": file})
    parameters = designed.parameters
    value: dict[str, Json] = {
        "bits": list(parameters.room.bits),
        "bound": parameters.bound,
        "columns": list(designed.source.columns),
        "file": file,
        "key": b64encode(nacl.utils.random(_KEY_BYTES)),
        "method": parameters.method,
        "origin": "brought" if designed.recipe is None else "drawn",
        "recipients": parameters.recipients,
        "threshold_millibits": parameters.threshold_millibits,
    }
    if designed.recipe is None:
        return parse_marks(value | {"rows": [b64encode(record) for record in designed.brought], "controls": []})
    rows = draw(designed.source, designed.recipe, 2 * parameters.marks, random, progress)
    records = [b64encode(canonical_record(row)) for row in rows]
    first, second = records[: parameters.marks], records[parameters.marks :]
    if parameters.method == "canary":
        return parse_marks(value | {"rows": first, "controls": second})
    code = Code.against(parameters.colluders)
    biases = random.choices(code.biases, code.weights, k=parameters.marks)
    positions = [{"bias": bias, "rows": [zero, one]} for bias, zero, one in zip(biases, first, second, strict=True)]
    return parse_marks(value | {"colluders": parameters.colluders, "positions": positions})


def _parameters(room: Room, wish: Wish) -> Parameters:
    if wish.method == "canary":
        return canary_parameters(room, wish.recipients, wish.bound)
    return tardos_parameters(room, wish.recipients, wish.colluders, wish.bound)


def _design_brought(source: SourceTable, wish: Wish, path: Path) -> Design:
    if wish.method != "canary" or wish.bits_per_row is None:
        raise CannotMark(
            "rows of your own are canaries, and only you can say how many bits each is worth",
            "give --mark canary and --bits-per-row: log2 of how many rows you chose each from, at random",
        )
    how = detect(path)
    if how is None:
        raise CannotMark(f"{path} is not a table", "give a CSV, TSV, JSON Lines, Parquet or Arrow file")
    records: list[bytes] = []
    with open_table(path, how) as table:
        if table.columns != source.columns:
            raise CannotMark(f"{path} has other columns than {source.path}", "give both the same columns, in order")
        cells: list[list[str | None]] = []
        for batch in table.rows():
            records += batch.records()
            cells += batch.take(range(batch.count))
            if len(records) > MAX_ROWS:
                break
    if not 1 <= len(set(records)) == len(records) <= MAX_ROWS:
        raise CannotMark(f"{path} has to hold 1 to {MAX_ROWS:,} rows, all different", "remove what is there twice")
    if present(source, records):
        raise CannotMark(f"rows of {path} are in {source.path} too", "a mark must exist nowhere else: remove them")
    room = Room(source.rows, _spread(cells, wish.bits_per_row))
    parameters = brought_parameters(room, wish.recipients, wish.bound, len(records))
    return Design(source, parameters, brought=tuple(records))


def _spread(rows: Sequence[Sequence[str | None]], bits: int) -> tuple[int, ...]:
    """Return the bits of each column: equal parts to those whose cells all differ, since the others tell less."""
    width = len(rows[0])
    telling = [column for column in range(width) if len({row[column] for row in rows}) == len(rows)]
    if not telling:
        raise CannotMark("no column of your rows is different in each of them", "leave out rows that are alike")
    return tuple(bits // len(telling) if column in telling else 0 for column in range(width))
