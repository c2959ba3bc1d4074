"""What one rule of one line strips: the part of planted rows that it removes while it loses less than 1 % of real ones.

`python -m benchmarks.one_rule [FILE…]`; without files, the tables of benchmarks/tables.py. The best rule is taken by
somebody who knows which rows are planted, which is more than a recipient knows. Both ways of drawing are measured:
that of rules until version 5 (*before*), and that of candidates (*now*).
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import made
from ledger.party.dataset.reading.cells import Cell
from ledger.party.dataset.reading.formats import detect
from ledger.party.dataset.reading.table import open_table
from ledger.party.marks.candidates import draw_candidates
from ledger.party.marks.drawing import SourceTable, draw, survey
from ledger.party.marks.errors import CannotMark
from ledger.party.marks.forms import forms_of
from ledger.party.marks.recipe import learn
from ledger.party.marks.scales import scale_of

PLANTED, POOLS = 100, (500, 5000)
_LOST = 0.01
_HOLDS = 0.99
_WIDE = 12
Mask = NDArray[np.bool_]
Rows = Sequence[Sequence[Cell]]


def main() -> None:
    """Measure the tables given, or all kinds."""
    with tempfile.TemporaryDirectory() as directory:
        run([Path(name) for name in sys.argv[1:]] or made(Path(directory)))


def run(files: Sequence[Path]) -> None:
    """Print for each table the best rule against both ways of drawing."""
    print(f"\nOne-rule attacks: {PLANTED} planted rows; the best rule that loses < 1 % of real rows")
    for path in files:
        how = detect(path)
        if how is None:
            raise SystemExit(f"{path} is no table")
        source = survey(path, how, Random(5))
        with open_table(path, how) as table:
            real = [list(row) for batch in table.rows() for row in batch.rows()]
        print(f"  {path.stem}, {len(real):,} rows of {len(real[0])}")
        print(f"    before            {_best(real, _recipe(source))}")
        for size in POOLS:
            print(f"    of {size:>5,} candidates {_best(real, _candidates(source, size))}", flush=True)


def _recipe(source: SourceTable) -> Rows | None:
    try:
        return draw(source, learn(source.columns, source.sample, source.rows, 2 * PLANTED), PLANTED, Random(6))
    except CannotMark:
        return None


def _candidates(source: SourceTable, size: int) -> Rows | None:
    try:
        return draw_candidates(source, size, Random(6))[:PLANTED]
    except CannotMark:
        return None


def _best(real: Rows, planted: Rows | None) -> str:
    if planted is None:
        return "refused"
    copy, best, said = [*real, *planted], 0.0, "nothing"
    for rule, mask in rules(copy, np.arange(len(copy)) < len(real)):
        lost, stripped = mask[: len(real)].mean(), mask[len(real) :].mean()
        if lost < _LOST and stripped > best:
            best, said = stripped, rule
    return f"{best:>4.0%} by {said}"


def rules(copy: Rows, is_real: Mask) -> Iterator[tuple[str, Mask]]:
    """Yield every rule in words, with the rows that it removes."""
    columns = [list(cells) for cells in zip(*copy, strict=True)]
    codes = [_codes(cells) for cells in columns]
    values = [_values(cells) for cells in columns]
    for number, cells in enumerate(columns):
        yield from ((f"{what} ({number})", mask) for what, mask in _of_column(cells, values[number], is_real))
    narrow = range(min(len(columns), _WIDE))
    for one, two in combinations(narrow, 2):
        yield f"two cells twice ({one}, {two})", _twice(codes[one] * (codes[two].max() + 1) + codes[two])
    for one, two in permutations(narrow, 2):
        mask = _against_majority(codes[one], codes[two])
        if mask[is_real].mean() < _LOST:
            yield f"dependency broken ({one} → {two})", mask
        low, high = values[one], values[two]
        if low is not None and high is not None:
            yield f"order broken ({one} ≤ {two})", low > high
    for one, two, three in permutations(narrow, 3):
        first, second, third = values[one], values[two], values[three]
        if first is not None and second is not None and third is not None and one < two:
            yield f"sum broken ({one} + {two} = {three})", np.abs(first + second - third) > 0.0051
            yield f"product broken ({one} · {two} = {three})", np.abs(first * second - third) > 0.0051
    yield from _near_copies(np.array(codes))
    yield from _contained(columns)


def _of_column(cells: Sequence[Cell], values: NDArray[np.float64] | None, is_real: Mask) -> Iterator[tuple[str, Mask]]:
    texts = ["" if cell is None else cell for cell in cells]
    counts = Counter(texts)
    yield "value seen once", np.array([counts[text] == 1 for text in texts])
    yield "value twice", np.array([counts[text] > 1 for text in texts])
    yield "missing", np.array([cell is None or not cell for cell in cells])
    for what, part in _PARTS.items():
        parts = [part(text) for text in texts]
        often = Counter(parts)
        yield f"{what} seen once", np.array([often[one] == 1 for one in parts])
        usual = Counter(one for one, real in zip(parts, is_real, strict=True) if real).most_common(1)[0][0]
        yield f"{what} not the usual", np.array([one != usual for one in parts])
    real = [text for text, kept in zip(texts, is_real, strict=True) if kept and text]
    for number, form in enumerate(forms_of(real)):
        yield f"check digit, form {number}", np.array([not form.is_valid(text) for text in texts])
    yield "a fraction", np.array([bool(text.partition(".")[2].strip("0")) for text in texts])
    if values is not None and not np.isnan(values[is_real]).all():
        for share in (0.0, 0.009):
            low, high = np.nanquantile(values[is_real], [share, 1 - share])
            with np.errstate(invalid="ignore"):
                yield "below", values < low
                yield "above", values > high


_PARTS: dict[str, Callable[[str], object]] = {
    "decimals": lambda text: len(text.partition(".")[2]) if text.replace(".", "", 1).isdigit() else -1,
    "shape": lambda text: "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text),
    "domain": lambda text: text.rpartition("@")[2],
    "ending": lambda text: text.rpartition(".")[2],
    "length": len,
    "first two": lambda text: text[:2],
    "first four": lambda text: text[:4],
    "first six": lambda text: text[:6],
    "last word": lambda text: text.rpartition(" ")[2],
    "after the first word": lambda text: text.partition(" ")[2],
}


def _near_copies(codes: NDArray[np.int64]) -> Iterator[tuple[str, Mask]]:
    """Rows that have all but a few cells in common with another."""
    width, rows = codes.shape
    most = np.zeros(rows, np.int64)
    for number in range(rows):
        same = (codes == codes[:, number : number + 1]).sum(axis=0)
        same[number] = 0
        most[number] = same.max()
    for differ in range(1, min(width, 6)):
        yield f"all but {differ} cells as in another row", most >= width - differ
        yield f"more than {differ} cells unlike every row", most < width - differ


def _contained(columns: Sequence[Sequence[Cell]]) -> Iterator[tuple[str, Mask]]:
    """Cells, or their last words, that are part of another cell of the row, as a birthday is of an identity number."""
    plain = [["".join(filter(str.isalnum, cell or "")).lower() for cell in cells] for cells in columns[:_WIDE]]
    words = [[(cell or "").lower().rpartition(" ")[2] for cell in cells] for cells in columns[:_WIDE]]
    for one, two in permutations(range(len(plain)), 2):
        for what in (plain, words):
            mask = np.array([not part or part not in whole for part, whole in zip(what[one], plain[two], strict=True)])
            if mask.mean() < 0.5:
                yield f"not contained ({one} in {two})", mask


def _twice(codes: NDArray[np.int64]) -> Mask:
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    found: Mask = counts[inverse] > 1
    return found


def _against_majority(one: NDArray[np.int64], two: NDArray[np.int64]) -> Mask:
    joined, inverse, counts = np.unique(one * (two.max() + 1) + two, return_inverse=True, return_counts=True)
    most = np.zeros(int(one.max()) + 1, np.int64)
    np.maximum.at(most, joined // (two.max() + 1), counts)
    found: Mask = counts[inverse] < most[one]
    return found


def _codes(cells: Sequence[Cell]) -> NDArray[np.int64]:
    known: dict[Cell, int] = {}
    return np.array([known.setdefault(cell, len(known)) for cell in cells], np.int64)


def _values(cells: Sequence[Cell]) -> NDArray[np.float64] | None:
    scale = scale_of([cell for cell in cells if cell])
    if scale is None:
        return None
    places = [scale.place(cell) if cell else None for cell in cells]
    return np.array([np.nan if place is None else place.at * scale.unit for place in places])


if __name__ == "__main__":
    main()
