"""Commit to every record of a table, against the time that `csv.reader` needs to read it.

`python -m benchmarks.records FILE` takes a CSV file of your own; without one, a table like that of all flights that
left New York in 2013 is made.
"""

from __future__ import annotations

import csv
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ledger.party.dataset.committing import parcels
from ledger.party.dataset.committing.committing import FreshSalts, commit_rows
from ledger.party.dataset.committing.copies import Copies
from ledger.party.dataset.committing.keeping import CopyWriter
from ledger.party.dataset.committing.opener import open_records
from ledger.party.dataset.reading.formats import TableFormat, detect
from ledger.party.digests import describe, no_progress
from ledger.statements.content import Manifest

ROWS = 336_776
_ID, _NONCE = "sha256:" + "0" * 64, "A" * 22 + "=="
_T = TypeVar("_T")


def main() -> None:
    """Measure one table, and print as each figure comes."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        home = Path(directory)
        measure(home, Path(sys.argv[1]) if len(sys.argv) > 1 else make_table(home / "table.csv", ROWS))


def measure(home: Path, path: Path) -> None:
    """Print seconds, and how many times the time of `csv.reader` they are, taken again before each."""
    print(f"\n{path.name}, {path.stat().st_size / 1e6:,.0f} MB: seconds, and as a multiple of what csv.reader takes")
    how = detect(path) or TableFormat("csv", ",", "utf-8")
    with (home / "salts").open("wb") as salts:
        _show(
            "commit to every record",
            path,
            lambda: commit_rows(path, "text/csv", how, FreshSalts(salts), redactable=False),
        )
    (home / "copies").mkdir()  # as a vault's would be
    manifest = home / "manifest"
    with CopyWriter(home / "copies") as copy:
        parcel = _show(
            "the same, and keep a copy to trace by",
            path,
            lambda: parcels.pack([path], describe([path]), [how], copy, no_progress, redactable=False),
        )
        head = Manifest(files=parcel.described, issuer="a", ledger=_ID, nonce=_NONCE, salt=_NONCE, transfer=_ID)
        with manifest.open("wb") as file:
            parcel.write_manifest(file, head)
        parcel.keep(_ID)
    _show("compute it again, as its recipient", path, lambda: parcels.unpack(manifest, head, [path], no_progress))
    kept = Copies(home).open(_ID)
    if kept is None:
        raise RuntimeError("the copy was not kept")
    numbers = random.Random(4).sample(range(kept.files[0].count), min(1000, kept.files[0].count))
    _show("open 1,000 records of it", path, lambda: open_records(kept.files[0], manifest, numbers))
    size = sum(file.stat().st_size for file in (home / "copies").rglob("*") if file.is_file())
    print(f"the copy has {size / 1e6:,.0f} MB, the manifest {manifest.stat().st_size / 1e6:,.0f} MB")
    print(f"memory at its peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB (aim: 400)")


def make_table(path: Path, rows: int) -> Path:
    """Write a table of 19 columns, of which some are sparse, some have few values, and some have many."""
    chance = random.Random(13)
    names = [f"N{number}AA" for number in range(4000)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"column_{number}" for number in range(19)])
        for number in range(rows):
            hour, delay = chance.randrange(5, 24), chance.randrange(-30, 500)
            late = "" if chance.random() < 0.03 else str(delay)
            month, day = chance.randrange(1, 13), chance.randrange(1, 29)
            few = ["2013", month, day, hour * 100 + chance.randrange(60), hour * 100, late, late and hour * 100 + 90]
            more = [hour * 100 + 85, late, chance.choice(("UA", "AA", "DL", "B6")), chance.randrange(1, 8500)]
            places = [names[number % 4000], chance.choice(("EWR", "JFK", "LGA")), f"A{chance.randrange(105)}", late]
            moment = f"2013-{month:02}-{day:02}T{hour:02}:00:00Z"
            writer.writerow([*few, *more, *places, chance.randrange(80, 5000), hour, chance.randrange(60), moment])
    return path


def _show(figure: str, path: Path, work: Callable[[], _T]) -> _T:
    limit = _read(path)
    start = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - start
    print(f"{figure:<44} {seconds:>12,.2f} {limit:>12,.2f} {seconds / limit:>8.2f}", flush=True)
    return done


def _read(path: Path) -> float:
    start = time.perf_counter()
    with path.open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
