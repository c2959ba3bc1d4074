"""Marks that were drawn from a sealed pool, tried on the found file (docs/marks.md §9).

The rows of a pool that were not drawn are the measure of those that were: nothing here rests on what rows are like. A
pool serves every copy of its listing for one recipient; what is the same for all of them is computed once.
"""

from __future__ import annotations

import hmac
from array import array
from functools import cached_property
from hashlib import sha256
from math import fsum, log2
from typing import TYPE_CHECKING, Any

from verifier.bundle.score import CONTROL_NAMES, Code, millibits, tail_bits, word_bit
from verifier.core.b64 import decode_base64
from verifier.core.ids import id_text
from verifier.core.jcs import format_canonical
from verifier.sealed.normal import READINGS, is_comparable, normal_form
from verifier.sealed.rows import Cell, Cells, parse_record
from verifier.sealed.values import OMISSION, TARDOS, planted_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from verifier.bundle.marks import Trial
    from verifier.rules.registry import Preparation


def draw_seed(prepared: str, requested: str, coin: str) -> str:
    """Return the seed of a draw: of the ids of the preparation and its request, and the sender's coin in base64."""
    return sha256(format_canonical(["provenance-ledger/draw/v1", prepared, requested, coin])).hexdigest()


def draw(key: bytes, seed: str, count: int, draws: int) -> list[int]:
    """Return the numbers of the `draws` of `count` rows that are drawn, ascending."""
    ranks = [hmac.digest(key, b"draw\n%s\n%d" % (seed.encode(), number), "sha256") for number in range(count)]
    return sorted(sorted(range(count), key=lambda number: (ranks[number], number))[:draws])


_NOT_COMPARABLE = 0
_EQUAL_TO_NOTHING = "\x00"
"""In place of the form of a cell that is not comparable: no found cell has it, for those are not compared."""


class Alternatives:
    """The ways to read the columns of a found file, of which a claimant chose after looking."""

    def __init__(self, rows: Collection[Cells], column_count: int) -> None:
        self._rows, self._column_count = rows, column_count

    @cached_property
    def forms(self) -> list[frozenset[Cell]]:
        """What the cells of each are compared by; those that read every row alike are one."""
        number_of: dict[Cell, int] = {}
        different: dict[bytes, frozenset[Cell]] = {}
        for at in range(self._column_count):
            column = [row[at] for row in self._rows]
            cells = set(column)
            for reading in READINGS:
                form_of = {cell: normal_form(cell, reading) for cell in cells if is_comparable(cell)}
                numbers = {cell: number_of.setdefault(form, len(number_of) + 1) for cell, form in form_of.items()}
                read = sha256(array("Q", [numbers.get(cell, _NOT_COMPARABLE) for cell in column])).digest()
                different[read] = frozenset(form_of.values())
        return list(different.values())

    def count(self, forms: set[Cell]) -> int:
        """Return of how many of them some cell is among these normal forms."""
        return len(frozenset().union(*(self._holding.get(form, frozenset()) for form in forms)))

    @cached_property
    def _holding(self) -> dict[Cell, set[int]]:
        """By normal form, the numbers of the alternatives that hold it: a pool of many columns is looked up in it."""
        holding: dict[Cell, set[int]] = {}
        for number, forms in enumerate(self.forms):
            for form in forms:
                holding.setdefault(form, set()).add(number)
        return holding


class Pool:
    """An opened pool and what was drawn of it, tried on the found file: the same for every copy."""

    def __init__(self, value: dict[str, Any], seed: str, trial: Trial, alternatives: Alternatives) -> None:
        self.value, self.seed, self.trial = value, seed, trial
        self.is_code = value["method"] == TARDOS
        self.is_omission: bool = value["method"] == OMISSION
        self.key = decode_base64(value["key"]) or b""
        self.rows = planted_rows(value)
        self._alternatives = alternatives
        self._records = [parse_record(decode_base64(row) or b"") or () for row in self.rows]

    @cached_property
    def _forms(self) -> list[dict[Cell, Cell]]:
        """Of every column, the normal forms of its cells; of those that are not comparable there are none."""
        columns: Iterable[tuple[Cell, ...]] = zip(*self._records, strict=True)
        return [{cell: normal_form(cell, "text") for cell in set(column) if is_comparable(cell)} for column in columns]

    @cached_property
    def compared(self) -> list[Cells]:
        """What each row is compared by; nothing, where it has not all of the mapped columns."""
        mapped = [item.column for item in self.trial.mapping.columns]
        if any(column >= len(self._forms) for column in mapped):
            return [()] * len(self._records)
        chosen = [(column, self._forms[column]) for column in mapped]
        return [
            tuple([form_of.get(record[column], _EQUAL_TO_NOTHING) for column, form_of in chosen])
            for record in self._records
        ]

    @cached_property
    def seen(self) -> list[bool]:
        """For each row, whether some row of the found file equals it."""
        return [forms in self.trial.forms for forms in self.compared]

    @cached_property
    def paid(self) -> float:
        """Bits that the choice of the mapping costs."""
        return fsum(log2(1 + count) for _, count in self.alternatives())

    def alternatives(self) -> list[tuple[str, int]]:
        """Return, for each column by name, in how many ways a mapping could have found anything of it."""
        counts = [self._alternatives.count(set(form_of.values())) for form_of in self._forms]
        return list(zip(self.value["columns"], counts, strict=True))

    @cached_property
    def drawn(self) -> list[int]:
        """Numbers of the rows that were drawn, ascending; of a code, of those that the word chose, one a position."""
        if self.is_code:
            biases = [position["bias"] for position in self.value["positions"]]
            return [2 * at + word_bit(self.key, self.seed, at, bias) for at, bias in enumerate(biases)]
        return draw(self.key, self.seed, len(self.rows), self.value["draws"])

    @cached_property
    def others_hit(self) -> int:
        """How many of the rows that were not drawn are hit."""
        drawn = set(self.drawn)
        return sum(self.is_hit(number) for number in range(len(self.rows)) if number not in drawn)

    def is_hit(self, number: int) -> bool:
        """Tell whether a row speaks for the copy, if it was drawn: it is found, or left out."""
        is_seen = self.seen[number]
        return not is_seen if self.is_omission else is_seen


class PoolMarks:
    """The marks of one copy, as the pool that it was drawn from and the found file give them."""

    def __init__(self, pool: Pool, preparation: Preparation, marks: dict[str, Any]) -> None:
        """Take a copy's pool, the preparation that sealed it, and what the offer says of marks."""
        self.pool, self.preparation = pool, preparation
        self.is_code, self.recipient = pool.is_code, preparation.recipient
        self.bound, self.recipients, self.threshold = preparation.bound, preparation.recipients, 0
        self.file, self._retired = marks["file"], frozenset(marks.get("retired", ()))

    def prepared_for(self, preparations: Iterable[Preparation]) -> set[str]:
        """Return the recipients for whom the same sender prepared copies of the same listing."""
        own = (self.preparation.issuer, self.preparation.listing)
        return {each.recipient for each in preparations if (each.issuer, each.listing) == own}

    @cached_property
    def carried(self) -> list[int]:
        """Numbers of the drawn rows that mark this copy: those that are not retired."""
        if self.is_code:
            return [number for number in self.pool.drawn if number // 2 not in self._retired]
        return [number for number in self.pool.drawn if number not in self._retired]

    @cached_property
    def hit_count(self) -> int:
        """How many of them are hit."""
        return sum(map(self.pool.is_hit, self.carried))

    @cached_property
    def planted(self) -> list[str]:
        """The rows that the copy has and another would not; of a copy that lacks rows, none."""
        return [] if self.pool.is_omission else [self.pool.rows[number] for number in self.carried]

    @cached_property
    def planted_found(self) -> list[str]:
        """Those of them that are found."""
        return [] if self.pool.is_omission else [self.pool.rows[at] for at in self.carried if self.pool.seen[at]]

    @property
    def observed(self) -> int:
        """How many marks speak, as the evidence counts them."""
        return self.hit_count

    @property
    def different(self) -> int:
        """How many different marks speak, as they are compared: of a code, rows at positions that are seen."""
        speaking = (
            [2 * at + bit for at, _, bit in self._seen if at not in self._retired]
            if self.is_code
            else filter(self.pool.is_hit, self.carried)
        )
        return len({self.pool.compared[number] for number in speaking})

    @property
    def is_fit_known(self) -> bool:
        """How many marks a part of the copy would hold can be told: not of rows that it lacks."""
        return not self.pool.is_omission

    @cached_property
    def _seen(self) -> list[tuple[int, int, int]]:
        """Number, bias and bit of every position of a code of which just one row is found.

        Retired ones too: a sender that knows the word would retire where it differs from an innocent file.
        """
        rows = self.pool.seen
        return [
            (at, position["bias"], int(rows[2 * at + 1]))
            for at, position in enumerate(self.pool.value["positions"])
            if rows[2 * at] != rows[2 * at + 1]
        ]

    @cached_property
    def _code(self) -> Code:
        return Code(self.pool.key, self._seen)

    @cached_property
    def chance(self) -> float:
        """Bits before anything is paid."""
        if self.is_code:
            return self._code.word_bits(self.pool.seed)
        drawn, others = len(self.pool.drawn), len(self.pool.rows) - len(self.pool.drawn)
        return tail_bits(drawn, others, self.hit_count, self.pool.others_hit)

    @cached_property
    def own_score(self) -> float:
        """Bits of the score."""
        return max(0.0, self.chance - self.pool.paid)

    @cached_property
    def control(self) -> float | None:
        """The greatest score of a control name; None but for a code: else rows that were not drawn are the controls."""
        if not self.is_code:
            return None
        return max(0.0, max(map(self._code.word_bits, CONTROL_NAMES)) - self.pool.paid)

    @property
    def numbers(self) -> dict[str, int]:
        """What the evidence has to say of it (docs/bundle.md §4)."""
        own = {"paid_millibits": millibits(self.pool.paid), "score_millibits": millibits(self.own_score)}
        if self.is_code:
            return own | {"seen": len(self._seen), "word_millibits": millibits(self.chance)}
        drawn = len(self.pool.drawn)
        return own | {
            "drawn": drawn,
            "found": self.hit_count,
            "others": len(self.pool.rows) - drawn,
            "others_found": self.pool.others_hit,
        }


def seed_of(prepared: bytes, preparation: Preparation, marks: dict[str, Any]) -> str:
    """Return the seed of an accepted offer's marks: its preparation was requested."""
    return draw_seed(id_text(prepared), id_text(preparation.request or b""), marks["coin"]["value"])
