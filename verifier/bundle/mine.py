"""The respondent's own files, put to the same test as the found one.

Nothing here changes a verdict. Whoever held the data before, or has them from elsewhere, sees how such data score; a
file that holds the copy itself scores as the copy does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.bundle.found import CSV, JSONL, TSV, Table, UnknownEncoding, read_table
from verifier.bundle.marks import Seal, Trial
from verifier.bundle.pool import Alternatives, Pool, PoolMarks
from verifier.bundle.records import distinct, read_mapping
from verifier.bundle.score import millibits
from verifier.bundle.sentences import format_bits
from verifier.bundle.weight import odds
from verifier.core.b64 import decode_base64
from verifier.core.errors import MalformedInput
from verifier.core.words import quote
from verifier.sealed.normal import READINGS, Mapped, Mapping, normal_form
from verifier.sealed.rows import Cell, parse_record
from verifier.sealed.values import planted_rows

if TYPE_CHECKING:
    from verifier.bundle.bundle import Examination
    from verifier.bundle.facts import Facts

_KINDS = {".tsv": TSV, ".jsonl": JSONL, ".ndjson": JSONL}
_DELIMITERS = (",", ";", "\t", "|")
_NOT_OPENED = "the marks of the hand-off are not opened, so that nobody can score anything by them"
_FALSE = "the bundle is not what it claims to be, and nothing is scored by it"


@dataclass(frozen=True, slots=True)
class Mine:
    """What the test says of one file; `why` says why it does not, and then there are no numbers."""

    name: str
    why: str = ""
    by: str = ""
    columns: int = 0
    """Columns that were compared, and by which rule they were paired: `names` or `bundle`."""
    rows: int = 0
    found: int = 0
    others_found: int | None = None
    chance: int = 0
    score: int = 0
    needed: int = 0

    def describe(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        if self.why:
            return {"name": self.name, "not_scored": self.why}
        return {
            "name": self.name,
            "rows": self.rows,
            "mapped_by": self.by,
            "columns": self.columns,
            "found": self.found,
            **({} if self.others_found is None else {"others_found": self.others_found}),
            "tail_millibits": self.chance,
            "score_millibits": self.score,
            "needed_millibits": self.needed,
            "reaches_needed": self.score >= self.needed,
        }

    def line(self) -> str:
        """Return one line about it."""
        if self.why:
            return f"{quote(self.name)}: not scored, for {self.why}"
        others = "" if self.others_found is None else f", {self.others_found} rows that were not drawn"
        how = "equal names" if self.by == "names" else "the pairs of the evidence"
        reaches = "reaches" if self.score >= self.needed else "does not reach"
        return (
            f"{quote(self.name)}: {self.rows} rows, {self.columns} columns by {how}: {self.found} marks{others}; "
            f"by chance {odds(self.chance)} ({format_bits(self.chance)} bits), score {format_bits(self.score)} of "
            f"{format_bits(self.needed)} needed: {reaches} it"
        )


def score_mine(examination: Examination, files: Iterable[tuple[str, bytes]]) -> list[Mine]:
    """Return what the test of the hand-off's marks says of each file, by its name and bytes."""
    return [_score(examination, name, raw) for name, raw in files]


def _score(examination: Examination, name: str, raw: bytes) -> Mine:
    bundle, case, tried = examination.bundle, examination.case, examination.tried
    if not examination.is_settled or bundle is None or case is None:
        return Mine(name, _FALSE)
    if tried is None or tried.own is None:
        return Mine(name, _NOT_OPENED)
    try:
        table = _read(name, raw, bundle.evidence["found"].get("delimiter", ","))
    except (MalformedInput, UnknownEncoding) as error:
        return Mine(name, f"it cannot be read as a table ({error})")
    own = tried.own
    value = own.pool.value if isinstance(own, PoolMarks) else own.value
    mapping, by = _by_names(value, table), "names"
    if not mapping.columns:
        mapping, by = _of_bundle(read_mapping(bundle), bundle.evidence["found"].get("columns", []), table), "bundle"
    if not mapping.columns:
        return Mine(name, "none of its columns has the name of one of the copy, or of the found file")
    rows, width = table.rows, len(table.columns)
    trial = Trial(mapping, frozenset(distinct(rows, mapping)), len(rows), width)
    marks: Seal | PoolMarks
    if isinstance(own, PoolMarks):
        pool = Pool(value, own.pool.seed, trial, Alternatives(rows, width))
        marks = PoolMarks(pool, own.preparation, case.transfer.body["marks"])
    else:
        marks = Seal(value, own.recipient, trial)
    return Mine(
        name,
        by=by,
        columns=len(mapping.columns),
        rows=len(rows),
        found=marks.observed,
        others_found=marks.numbers.get("others_found"),
        chance=millibits(marks.chance),
        score=millibits(marks.own_score),
        needed=bundle.evidence["conclusion"]["needed_millibits"],
    )


def _read(name: str, raw: bytes, delimiter: str) -> Table:
    """Return a file as a table; of text with delimiters, by the one that makes most columns of its first line."""
    kind = next((kind for suffix, kind in _KINDS.items() if name.lower().endswith(suffix)), CSV)
    if kind != CSV:
        return read_table(raw, kind, delimiter, "")
    first = raw.split(b"\n", 1)[0]
    best = max((delimiter, *_DELIMITERS), key=lambda one: first.count(one.encode()))
    return read_table(raw, CSV, best, "")


def _key(name: str) -> str:
    return " ".join(name.casefold().split())


def _by_names(value: dict[str, Any], table: Table) -> Mapping:
    """Return the mapping of columns that have the same name, each in the reading that finds most cells of the pool.

    It looks at all rows that were sealed alike, drawn or not.
    """
    records = [parse_record(decode_base64(row) or b"") or () for row in planted_rows(value)]
    places = {_key(name): place for place, name in reversed(list(enumerate(table.columns)))}
    mapped = []
    for column, name in enumerate(value["columns"]):
        place = places.get(_key(name))
        if place is not None:
            sealed = [normal_form(record[column], "text") for record in records]
            mapped.append(Mapped(column, place, _reading(sealed, {row[place] for row in table.rows})))
    return Mapping(mapped)


def _reading(sealed: list[Cell], cells: set[Cell]) -> str:
    def agreed(reading: str) -> tuple[int, bool]:
        forms = {normal_form(cell, reading) for cell in cells} - {None}
        return sum(form in forms for form in sealed), reading == "text"

    return max(READINGS, key=agreed)


def _of_bundle(mapping: Mapping, columns: list[str], table: Table) -> Mapping:
    """Return the mapping of the evidence, for a file that has columns named as those of the found file."""
    places = {_key(name): place for place, name in reversed(list(enumerate(table.columns)))}
    named = [(item, places.get(_key(columns[item.found]))) for item in mapping.columns if item.found < len(columns)]
    return Mapping([item._replace(found=place) for item, place in named if place is not None])


def mine_lines(files: list[Mine]) -> list[str]:
    """Return what the test says of the files, and how to read it."""
    how_to_read = (
        "These files are not part of the evidence, and change nothing of the verdict. A file that holds the copy that "
        "was handed over reaches what is needed, as it should. Data that owe it nothing should do so no oftener than "
        "the bound says. That a file was held before the hand-off shows only where it was committed to before."
    )
    return [*(item.line() for item in files), how_to_read]


def demands(facts: Facts | None) -> list[str]:
    """Return what a respondent may ask for, because it is not in the bundle or not proved by it."""
    if facts is None:
        return []
    asked = []
    if facts.score is None:
        asked.append("The opening of the marks of this hand-off: without it there is no number at all.")
    if facts.withheld:
        asked.append(f"The opening of {facts.withheld} other seals or pools for {facts.respondent}.")
    if facts.closed:
        asked.append(
            f"The opening of {facts.closed} seals or pools of other recipients of this listing, to put their copies to "
            "the same test."
        )
    if not facts.is_read:
        asked.append("The found file itself, for a program of one's own to read.")
    if facts.score is not None and facts.score.pool is not None:
        asked.append(
            "How the rows of the pool were made, and from what: none should be likelier to be found for being drawn."
        )
    elif facts.score is not None:
        asked.append("How the marks were made, and that they stand nowhere else: nothing in the bundle shows it.")
    asked += [
        f"The handling of the copy at {facts.sender}: who could read it, since when, where it was kept, how it went.",
        "All preparations, hand-offs and refusals of the listing, those of other recipients included.",
        "Which other files were examined against the listing, and with what result"
        + (f" (the claimant counts {facts.file_count})." if facts.file_count is not None else "."),
        "How the found file was obtained: address, headers, captures, and who was there.",
    ]
    return asked
