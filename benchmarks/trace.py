"""Trace a tenth of a table against many hand-offs of it, one of them marked: seconds, and the memory at its peak.

`python -m benchmarks.trace FILE` takes a CSV file of your own; without one, a table is made as by `benchmarks.records`.
The copies of the other recipients are links to one: every one is read and compared all the same.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.records import ROWS, make_table
from ledger.party.dataset.reading.cells import parse_record
from ledger.party.dataset.reading.formats import detect
from ledger.party.marks.drawing import survey
from ledger.party.marks.making import Wish, design, make
from tests.party.trace.vaults import PLANES, Sender, canaries, rows_of, write

HAND_OFFS = 50
RECIPIENTS = 80
_MARKS = 100


def main() -> None:
    """Measure one table, and print the figures."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory)
        measure_code(home)
        measure(home, Path(sys.argv[1]) if len(sys.argv) > 1 else make_table(home / "table.csv", ROWS))


def measure(home: Path, path: Path) -> None:
    """Print how long a tenth of the marked copy, shuffled and rewritten, takes to trace."""
    sender, found = _hand_over(home / "trace", path)
    start, processor = time.perf_counter(), time.process_time()
    done = sender.trace(found)
    seconds, busy = time.perf_counter() - start, time.process_time() - processor
    if not done.document["conclusion"]["is_enough"]:
        raise RuntimeError("the leak was not traced")
    print(
        f"\ntrace a tenth of {path.name} against {HAND_OFFS} hand-offs: {seconds:,.1f} s (aim: 30), "
        f"{busy:,.1f} s of processor time; memory at its peak, the making of the copies included: "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB",
        flush=True,
    )


def measure_code(home: Path) -> None:
    """Print how long a tenth of one copy takes to trace where RECIPIENTS copies of planes.csv carry one code."""
    draw, directory = random.Random(11), home / "code"
    directory.mkdir()
    how = detect(PLANES)
    if how is None:
        raise RuntimeError(f"{PLANES} is no table")
    source = survey(PLANES, how, draw)
    code = make(design(source, Wish("tardos", RECIPIENTS, "0.000001", 2)), 0, draw)
    names, rows = rows_of(PLANES)
    copies = {}
    sender = Sender(directory, *(f"r{number}" for number in range(RECIPIENTS)))
    for number in range(RECIPIENTS):
        planted = [["" if cell is None else cell for cell in parse_record(row)] for row in code.planted(f"r{number}")]
        copies[number] = [*rows, *planted]
        file = write(directory / "planes.csv", names, copies[number])
        sender.offer(f"r{number}", [file], code.model_dump(exclude_none=True))
    found = write(directory / "found.csv", names, draw.sample(copies[3], len(copies[3]) // 10))
    busy = time.process_time()
    done = sender.trace(found)
    busy = time.process_time() - busy
    if not done.document["conclusion"]["is_enough"]:
        raise RuntimeError("the leak was not traced")
    print(f"\ntrace a tenth of one of {RECIPIENTS} copies with one code: {busy:,.1f} s of processor time", flush=True)


def _hand_over(home: Path, path: Path) -> tuple[Sender, Path]:
    home.mkdir()
    draw = random.Random(7)
    names, rows = rows_of(path)
    sender = Sender(home, *(f"r{number}" for number in range(HAND_OFFS)))
    marks, controls = ([_mark(draw, draw.choice(rows)) for _ in range(_MARKS)] for _ in range(2))
    first = sender.offer("r0", [path])
    for number in range(2, HAND_OFFS):
        sender.offer_again(f"r{number}", first)
    copy = [*rows, *marks]
    draw.shuffle(copy)
    bits = [24, *(0 for _ in names[1:])]
    sender.offer("r1", [write(home / path.name, names, copy)], canaries(names, marks, controls, bits=bits))
    order = draw.sample(range(len(names)), len(names))
    part = [[row[column].lower() for column in order] for row in draw.sample(copy, len(copy) // 10)]
    return sender, write(home / "found.csv", [f"x{column}" for column in order], part, ";")


def _mark(draw: random.Random, row: list[str]) -> list[str]:
    return [str(draw.randrange(10**9, 10**9 + 2**24)), *row[1:]]


if __name__ == "__main__":
    main()
