"""What was found, and the numbers that follow from it, from what the story knows: nothing is searched for."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Any

from ledger.core.encoding import Json
from tests.harness.bundle_math import (
    Cells,
    canonical_record,
    chance_bits,
    millibits,
    needed_millibits,
    surprise_bits,
    word_bit,
    word_bits,
)
from tests.harness.bundle_story import BITS, COLUMNS, RECIPIENTS, Copy, Said, Story, csv_file


@dataclass
class Leak:
    """A file that was found: rows of bob's copy and of nobody's, maybe rewritten on the way."""

    format: str
    columns: list[str]
    rows: list[list[str | None]]
    origin: list[tuple[str, int] | None]
    """For each row, the copy (recipient) and number of the record that it was; None for a foreign one."""
    mapping: list[dict[str, Json]]
    kind: str
    """Of its matches."""
    delimiter: str = ","

    @property
    def raw(self) -> bytes:
        if self.format == "chunks":
            return b"".join(map(self.canonical, range(len(self.rows))))
        if self.format == "jsonl":
            named = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
            return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in named)
        return csv_file([self.columns, *self.rows], self.delimiter)

    def canonical(self, row: int) -> bytes:
        """Return the canonical record of a row, or a chunk."""
        return (b"\x89PNG" if self.format == "chunks" else b"") + canonical_record(self.rows[row])


def _rewritten(row: Cells) -> list[str | None]:
    tail, seats, built, _ = (cell or "" for cell in row)
    year, month, day = built.split("-")
    return [f"{int(day)}/{int(month)}/{year}", f"  {tail.lower()} ", f"{seats}.0"]


def leak(copies: Sequence[Copy], shape: str = "changed", *, marks: int = 8, base: int = 40) -> Leak:
    """Take `base` rows of the table and `marks` marks from each copy, shuffle them, and rewrite them to `shape`."""
    chosen: list[tuple[str, int, Cells]] = []
    for position, copy in enumerate(copies):
        wanted = [canonical_record(row) for row in copy.marks[:marks]] + (copy.base[:base] if position == 0 else [])
        canonical = [canonical_record(row) for row in copy.rows]
        numbers = [canonical.index(record) for record in wanted]
        chosen += [(copy.recipient, number, copy.rows[number]) for number in numbers]
    chosen.sort(key=lambda item: sha256(f"shuffled {item[0]} {item[1]}".encode()).digest())
    origin: list[tuple[str, int] | None] = [(name, number) for name, number, _ in chosen]
    rows = [list(row) for _, _, row in chosen]
    foreign: Cells = ["N00001", "3", "1999-12-31", "not of this table"]
    rows.insert(3, list(foreign))
    origin.insert(3, None)
    if shape == "changed":
        columns = ["Built", "Tail no.", "Seats"]
        places = [(0, 1, "text"), (1, 2, "text"), (2, 0, "dmy")]
        mapping: list[dict[str, Json]] = [{"column": k, "found": j, "reading": reading} for k, j, reading in places]
        return Leak("csv", columns, [_rewritten(row) for row in rows], origin, mapping, "normalised", ";")
    if shape == "chunks":
        return Leak("chunks", [], rows, origin, [], "exact")
    identity: list[dict[str, Json]] = [{"column": k, "found": k, "reading": "text"} for k in range(4)]
    if shape == "jsonl":
        order = sorted(range(4), key=COLUMNS.__getitem__)
        mapping = [{"column": k, "found": order.index(k), "reading": "text"} for k in range(4)]
        rows = [[row[k] for k in order] for row in rows]
        return Leak("jsonl", sorted(COLUMNS), rows, origin, mapping, "normalised")
    if shape == "tsv":
        return Leak("tsv", COLUMNS, rows, origin, identity, "exact", "\t")
    return Leak("csv", COLUMNS, rows, origin, identity, "exact")


class Scores:
    """The numbers of an evidence file, from what the story knows: nothing is searched for."""

    def __init__(
        self, story: Story, leaked: Leak, withheld: frozenset[str], said: dict[str, Said], *, is_earlier: bool = False
    ) -> None:
        """Take what was leaked, the labels of hand-offs whose marks are not opened, and what is in the bundle.

        `is_earlier`: as programs wrote it that asked for less.
        """
        self.is_earlier = is_earlier
        self.story, self.leaked, self.withheld, self.said = story, leaked, withheld, said
        self.own = story.copies["bob.example"]
        self.mapped = [item["column"] for item in self.leaked.mapping]
        self.records_found = len(set(self.leaked_records()) & set(self.own.base))
        self.share = Fraction(self.records_found, len(self.own.base))

    def leaked_records(self) -> list[bytes]:
        return [canonical_record(self.story.copies[item[0]].rows[item[1]]) for item in self.leaked.origin if item]

    def planted(self, copy: Copy) -> tuple[int, int]:
        """Return K_r and k_r of a copy."""
        marks = [canonical_record(row) for row in copy.marks]
        return len(marks), len(set(marks) & set(self.leaked_records()))

    def all_marks(self, copy: Copy) -> tuple[int, int]:
        """Return K and k of its seal."""
        if copy.method == "canary":
            return self.planted(copy)
        rows = [canonical_record(row) for pair in copy.pairs for row in pair]
        return len(rows), len(set(rows) & set(self.leaked_records()))

    def chance(self, copy: Copy) -> float:
        total, found = self.all_marks(copy)
        return chance_bits(total, found, BITS, self.mapped, len(self.leaked.rows), len(self.leaked.columns))

    def word(self, name: str) -> float:
        """Return the word score of a name under the seal of the case."""
        leaked, seen = set(self.leaked_records()), []
        for position, (bias, pair) in enumerate(zip(self.own.biases, self.own.pairs, strict=True)):
            is_found = [canonical_record(row) in leaked for row in pair]
            if is_found[0] != is_found[1]:
                seen.append((bias, int(is_found[1]), word_bit(self.own.key, name, position, bias)))
        return word_bits(seen) if seen else 0.0

    def different(self) -> int:
        """Return how many marks are found that the mapped columns tell apart; of a code, at positions that are seen."""
        leaked, own = set(self.leaked_records()), self.own
        found = [[row for row in group if canonical_record(row) in leaked] for group in own.pairs or zip(own.marks)]
        return len({tuple(row[k] for k in self.mapped) for rows in found if len(rows) == 1 for row in rows})

    def score(self, copy: Copy, name: str) -> float:
        chance = self.chance(copy)
        return chance if copy.method == "canary" else min(self.word(name), chance)

    def members(self) -> dict[str, Any]:
        """Return the members of evidence.json that hold numbers."""
        said, withheld = self.said, self.withheld
        labels = [label for label in said if label.startswith("transfer")]
        marked = sorted((label for label in labels if self.own.method), key=lambda label: said[label].id)
        to_bob = [label for label in marked if "bob" in label]
        marks = [
            {"status": "withheld", "transfer": said[label].id} if label in withheld else self._opened(said[label].id)
            for label in to_bob
        ]
        is_opened = bool(marked) and "transfer bob.example" not in withheld
        planted, found = self.planted(self.own)
        counts = {"exclusive": 0, "marks": found if is_opened else 0, "records": len(self.own.base),
                  "records_found": self.records_found, "shared": self.records_found}  # fmt: skip
        controls: dict[str, Any] = {"others": []}
        hypotheses: list[dict[str, Any]] = []
        conclusion: dict[str, Any] = {"is_enough": False}
        others = [label for label in marked if "carol" in label]
        is_word = is_opened and self.own.method == "tardos"
        for label in others:
            if is_word or label not in withheld:
                copy = self.story.copies["carol.example"]
                score = min(self.word("carol.example"), self.chance(self.own)) if is_word else self.chance(copy)
                item = {"party": "carol.example", "score_millibits": millibits(score), "transfer": said[label].id}
                controls["others"].append(item)
        if not is_opened:
            return {"conclusion": conclusion, "controls": controls, "counts": counts, "hypotheses": [], "marks": marks}
        chance = self.chance(self.own)
        greatest = max(min(self.word(f"control/{number}"), chance) for number in range(1000)) if is_word else 0.0
        controls["greatest_millibits"] = millibits(greatest)
        for name, party in (("recipient", "bob.example"), ("sender", "alice.example")):
            hypotheses.append(self._hypothesis(name, planted, found, party=party))
        for label in others:
            if label not in withheld:
                copy = self.story.copies["carol.example"]
                hypotheses.append(self._hypothesis("other", *self.planted(copy), party="carol.example"))
        hypotheses += [
            {"expected_milli": 0, "hypothesis": name, "observed": found, "surprise_millibits": millibits(chance)}
            for name in (("public", "chance") if self.is_earlier else ("none",))
        ]
        score, seal = millibits(self.score(self.own, "bob.example")), self.story.seal_of(self.own)
        needed = needed_millibits(seal["threshold_millibits"], RECIPIENTS, seal["bound"], len(to_bob))
        allowed = needed + math.ceil(1000 * math.log2(1000)) if is_word else needed
        is_enough = score >= needed and controls["greatest_millibits"] < allowed
        is_enough = is_enough and (
            self.is_earlier or (self.different() >= 3 and Fraction(seal["bound"]) <= Fraction(1, 1000))
        )
        conclusion = {"is_enough": is_enough, "needed_millibits": needed, "score_millibits": score,
                      "seals": len(to_bob)}  # fmt: skip
        return {"conclusion": conclusion, "controls": controls, "counts": counts, "hypotheses": hypotheses,
                "marks": marks}  # fmt: skip

    def _opened(self, transfer: str) -> dict[str, Any]:
        total, found = self.all_marks(self.own)
        item = {
            "chance_millibits": millibits(self.chance(self.own)),
            "found": found,
            "of": total,
            "score_millibits": millibits(self.score(self.own, "bob.example")),
            "status": "opened",
            "transfer": transfer,
        }
        return item | ({"word_millibits": millibits(self.word("bob.example"))} if self.own.method == "tardos" else {})

    def _hypothesis(self, name: str, planted: int, found: int, **party: str) -> dict[str, Any]:
        expected = 1000 * planted * self.records_found // len(self.own.base)
        surprise = millibits(surprise_bits(planted, found, self.share))
        return {
            "expected_milli": expected,
            "hypothesis": name,
            "observed": found,
            "surprise_millibits": surprise,
        } | party
