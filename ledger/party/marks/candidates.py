"""Candidate rows: of what is sealed, a draw decides later which are planted (docs/marks.md §8)."""

from __future__ import annotations

from random import Random

from ledger.party.dataset.reading.cells import Cell
from ledger.party.digests import Progress, no_progress
from ledger.party.marks.drawing import SourceTable, draw
from ledger.party.marks.recipe import learn


def draw_candidates(
    table: SourceTable, count: int, random: Random, progress: Progress = no_progress
) -> list[list[Cell]]:
    """Return `count` different rows like the table's, none of them in it, in an order that says nothing.

    Raises CannotMark or TooLittleRoom if there are fewer, or what reading the table raises.
    """
    recipe = learn(table.columns, table.sample, table.rows, count)
    rows = draw(table, recipe, count, random, progress)
    # What a row owes to those drawn before it, its position no longer tells: all orders are equally likely.
    random.shuffle(rows)
    return rows
