"""What a trace says, computed anew before a bundle says it: from the rows, the opened records and marks that go in.

A trace is a file, and files are edited. No report may say more than a verifier will (docs/bundle.md §4, §6): whatever a
verifier recomputes is recomputed here, by the same rules and from the same members.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.core.encoding import Json, b64decode
from ledger.core.errors import FormatError
from ledger.party.chain.told import Told
from ledger.party.errors import PartyError
from ledger.party.evidence.parts.case import Case
from ledger.party.evidence.parts.errors import NotOfThisCase
from ledger.party.extras import MissingExtra
from ledger.party.trace.form import CHUNKS
from ledger.party.trace.registered import HASHES, Link, first_handled_ms, hang, link_bytes
from ledger.party.vault.disclosures import Disclosure
from ledger.statements.reading import read_model

if TYPE_CHECKING:
    from ledger.party.dataset.reading.normal import MappedColumn
    from ledger.party.marks.value import MarksValue
    from ledger.party.trace.drawn import DrawnPool
    from ledger.party.trace.scoring import Marked

_TOLERANCE_MILLIBITS = 2
_Cells = list[str | None]


def checked_numbers(
    evidence: dict[str, Json],
    case: Case,
    told: Collection[Told],
    disclosures: Sequence[Disclosure],
    paid: Mapping[str, int],
) -> dict[str, Json]:
    """Return the evidence as a verifier will compute it.

    `paid` is what the mapping cost each hand-off with marks from a pool, in millibits: that takes the whole found file,
    which may not be at hand here. Marks of another table are tried under the mapping of this one, as a verifier does
    that knows no other (docs/bundle.md §4); all else has to be as the trace says. Raises NotOfThisCase if it is not.
    """
    try:
        from ledger.party.trace import scoring  # noqa: PLC0415 - needs pyarrow and numpy, which take long to load
    except ImportError as error:
        raise MissingExtra(str(error.name)) from error
    _check_matches(evidence)
    _check_custody(evidence, case, disclosures)
    listing = _listing(evidence, case, told, disclosures, paid)
    mine = next((item for item in listing if item.transfer == case.transfer), None)
    to_respondent = sorted(
        (item for item in listing if item.recipient == case.respondent), key=lambda item: item.transfer
    )
    if len(to_respondent) != len(evidence["marks"]):
        raise _changed(f"marks are of {len(evidence['marks'])} hand-offs, and ought to be of {len(to_respondent)}")
    elsewhere = _elsewhere(mine, listing)
    evidence = evidence | {
        "marks": [
            scoring.marks_document(item) if item.transfer in elsewhere else said
            for item, said in zip(to_respondent, evidence["marks"], strict=True)
        ]
    }
    _same("marks", [scoring.marks_document(item) for item in to_respondent], evidence["marks"])
    if mine is None:
        _same("conclusion", {"is_enough": False}, evidence["conclusion"])
        _same("controls", {"others": []}, evidence["controls"])
        _same("hypotheses", [], evidence["hypotheses"])
        _same("counts/marks", 0, evidence["counts"]["marks"])
        return evidence
    controls, guesses = scoring.controls_document(mine, listing), scoring.hypotheses(mine, listing)
    if elsewhere:
        evidence |= {"controls": controls, "hypotheses": guesses}
    offer = next(one for one in told if one.id == case.transfer)
    examined_ms = first_handled_ms(evidence["custody"], evidence.get("registration"))
    is_before = examined_ms is not None and examined_ms < offer.time_ms
    _same("controls", controls, evidence["controls"])
    _same("hypotheses", guesses, evidence["hypotheses"])
    ended = scoring.conclusion(mine, listing, is_examined_before=is_before)
    _same("conclusion", ended, evidence["conclusion"])
    _same("counts/marks", scoring.marks_found(mine), evidence["counts"]["marks"])
    return evidence


def _elsewhere(mine: Marked | None, listing: Sequence[Marked]) -> set[str]:
    """Return the hand-offs whose opened marks are rows of another table than those of the hand-off in question."""
    if mine is None or mine.marks is None:
        return set()
    columns = mine.marks.columns
    return {item.transfer for item in listing if item.marks is not None and item.marks.columns != columns}


def _drawn(told: Collection[Told], disclosures: Sequence[Disclosure]) -> dict[str, DrawnPool]:
    """Return by preparation what was drawn, where its pool is opened and its request is among the entries."""
    from ledger.party.marks.pool import draw_seed, parse_pool  # noqa: PLC0415 - see above
    from ledger.party.trace.drawn import DrawnPool  # noqa: PLC0415 - same

    pools = {item.statement_id: parse_pool(item.value) for item in disclosures if item.kind == "pool"}
    requests = {one.name("prepared"): one.id for one in told if one.type == "transfer.requested"}
    prepared = {one.id: one.fields for one in told if one.type == "transfer.prepared"}
    found = {}
    for one in told:
        marks = one.fields.get("marks", {}) if one.type == "transfer.offered" else {}
        name = marks.get("prepared")
        if name not in pools or name not in requests or name not in prepared:
            continue
        found[one.id] = DrawnPool(
            prepared=name,
            pool=pools[name],
            seed=draw_seed(name, requests[name], marks["coin"]["value"]),
            file=marks["file"],
            retired=tuple(marks.get("retired", ())),
            bound=prepared[name]["bound"],
            recipients=prepared[name]["recipients"],
        )
    return found


def _unused(offers: Sequence[Told], told: Collection[Told], one: Told) -> int:
    """Return how many preparations of its sender's, for its recipient, no offer of the listing names."""
    named = {offer.fields["marks"].get("prepared") for offer in offers}
    return sum(
        each.type == "transfer.prepared"
        and each.id not in named
        and (each.issuer, each.name("listing"), each.fields["recipient"])
        == (one.issuer, one.name("listing"), one.fields["recipient"])
        for each in told
    )


def _prepared_for(told: Collection[Told], one: Told) -> frozenset[str]:
    """Return for whom the sender of an offer prepared copies of its listing."""
    own = ("transfer.prepared", one.issuer, one.name("listing"))
    return frozenset(
        str(each.fields["recipient"]) for each in told if (each.type, each.issuer, each.name("listing")) == own
    )


def _listing(
    evidence: Mapping[str, Json],
    case: Case,
    told: Collection[Told],
    disclosures: Sequence[Disclosure],
    paid: Mapping[str, int],
) -> list[Marked]:
    """Return every marked hand-off of the listing, scored by the rows that are shown where its seal is opened."""
    from ledger.party.dataset.reading.cells import parse_record  # noqa: PLC0415 - see above
    from ledger.party.marks.score import MIN_BITS, CodeScores, Sighting, row_bits  # noqa: PLC0415 - see above
    from ledger.party.marks.value import parse_marks  # noqa: PLC0415 - same
    from ledger.party.trace.scoring import Marked, controls_of, different_marks  # noqa: PLC0415 - same

    opened = {item.statement_id: parse_marks(item.value) for item in disclosures if item.kind == "marks"}
    offers = [
        one
        for one in told
        if one.type == "transfer.offered" and one.name("listing") == case.listing and "marks" in one.fields
    ]
    scores = CodeScores(sorted({str(one.fields["recipient"]) for one in offers}))
    found, mapping = evidence["found"], _mapping(evidence)
    sides = [(item.column, "text") for item in mapping]
    rows = list(_rows(evidence).values()) if mapping else []
    keys = {_key(cells, [(item.found, item.reading) for item in mapping]) for cells in rows}

    def sighted(marks: MarksValue) -> Sighting:
        mapped = frozenset(item.column for item in mapping)
        fits = all(column < len(marks.bits) for column in mapped)
        columns = len(found.get("columns", []))
        return Sighting(rows=found["count"], columns=columns, mapped=mapped if fits else frozenset())

    def seen(marks: MarksValue) -> dict[bytes, tuple[str | None, ...]]:
        if row_bits(marks.bits, sighted(marks).mapped) < MIN_BITS:
            return {}
        return {
            record: key
            for record in (*marks.all_marks, *controls_of(marks))
            if any(key := _key(parse_record(record), sides)) and key in keys
        }

    def drawn_seen(drawn: DrawnPool) -> dict[bytes, tuple[str | None, ...]]:
        if any(item.column >= len(drawn.columns) for item in mapping):
            return {}
        return {
            record: key
            for record in drawn.pool.records
            if any(key := _key(parse_record(record), sides)) and key in keys
        }

    counts, drawn_by = evidence["counts"], _drawn(told, disclosures)
    result = []
    for one in offers:
        recipient, marks = str(one.fields["recipient"]), opened.get(one.id)
        if (drawn := drawn_by.get(one.id)) is not None:
            there = drawn_seen(drawn)
            result.append(
                Marked(
                    transfer=one.id,
                    recipient=recipient,
                    sender=one.issuer,
                    marks=drawn,
                    scores=drawn.score(there.keys(), paid.get(one.id, 0) / 1000),
                    unused=_unused(offers, told, one),
                    prepared_for=_prepared_for(told, one),
                    planted=len(drawn.all_marks),
                    planted_found=sum(record in there for record in drawn.all_marks),
                    different=drawn.different(there, [item.column for item in mapping]),
                    records=counts["records"],
                    found=counts["records_found"],
                )
            )
            continue
        if marks is None:
            result.append(Marked(one.id, recipient, one.issuer))
            continue
        records = seen(marks)
        planted = marks.planted(recipient)
        result.append(
            Marked(
                transfer=one.id,
                recipient=recipient,
                sender=one.issuer,
                marks=marks,
                scores=scores.of(marks, records.keys(), sighted(marks)),
                planted=len(planted),
                planted_found=sum(record in records for record in planted),
                different=different_marks(marks, records, recipient),
                records=evidence["counts"]["records"],
                found=evidence["counts"]["records_found"],
            )
        )
    return result


def _check_custody(evidence: Mapping[str, Json], case: Case, disclosures: Sequence[Disclosure]) -> None:
    """Raise NotOfThisCase unless the custody hangs on the registration, and the ledger committed to that (§4.1)."""
    link = evidence.get("registration")
    if link is None:
        return
    committed = [
        item.value["files"][0]["sha256"]
        for item in disclosures
        if item.statement_id == case.registration and item.kind == "content"
    ]
    if committed != [sha256(link_bytes(link)).hexdigest()]:
        raise _changed("the registration is not what the ledger committed to")
    lines = [{name: value for name, value in step.items() if name not in HASHES} for step in evidence["custody"]]
    if hang(lines, read_model(Link, link), evidence["found"]["sha256"]) != evidence["custody"]:
        raise _changed("the custody does not hang on the registration")


def _check_matches(evidence: Mapping[str, Json]) -> None:
    """Raise NotOfThisCase unless every match is one, of an opened record and a row that is shown."""
    from ledger.party.dataset.reading.normal import equals  # noqa: PLC0415 - see above

    mapping = _mapping(evidence)
    width = 1 + max((item.column for item in mapping), default=0)
    values = {row["row"]: row["value"] for row in evidence["found_rows"]}
    cells = _rows(evidence) if evidence["found"]["format"] != CHUNKS else {}
    records = {(record["file"], record["record"]): record for record in evidence["records"]}
    for match in evidence["matches"]:
        row, record = match["row"], records[match["file"], match["record"]]
        if row not in values:
            raise _changed(f"row {row}, which is said to match, is not shown")
        if match["kind"] == "exact":
            is_one = record["value"] == values[row] if "value" in record else _opened(record, 0) == cells.get(row)
        else:
            is_one = bool(mapping) and row in cells and equals(_opened(record, width), cells[row], mapping)
        if not is_one:
            raise _changed(f"row {row} is not record {match['record']}")


def _rows(evidence: Mapping[str, Json]) -> dict[int, _Cells]:
    """Return the cells of the rows that are shown, by number; raise NotOfThisCase for what is not a row of the file."""
    found, rows = evidence["found"], {}
    for row in evidence["found_rows"]:
        number = row["row"]
        try:
            rows[number] = _record(row["value"])
        except FormatError as error:
            raise _changed(f"row {number} cannot be read: {error}") from error
        if len(rows[number]) != len(found["columns"]) or number >= found["count"]:
            raise _changed(f"row {number} is none of {found['count']} rows of {len(found['columns'])} columns")
    return rows


def _opened(record: Mapping[str, Json], width: int) -> _Cells:
    """Return the cells of an opened record, `width` at least; those that are not opened are missing."""
    if "value" in record:
        cells_of = _record(record["value"])
        return cells_of + [None] * (width - len(cells_of))
    cells = {item["column"] - 1: json.loads(b64decode(item["value"])) for item in record["cells"]}
    return [cells.get(column) for column in range(max(width, 1 + max(cells)))]


def _mapping(evidence: Mapping[str, Json]) -> list[MappedColumn]:
    from ledger.party.dataset.reading.normal import MappedColumn  # noqa: PLC0415 - see above

    return [MappedColumn(**item) for item in evidence["mapping"]]


def _record(value: Json) -> _Cells:
    from ledger.party.dataset.reading.cells import parse_record  # noqa: PLC0415 - see above

    return parse_record(b64decode(value))


def _key(cells: Sequence[str | None], sides: Sequence[tuple[int, str]]) -> tuple[str | None, ...]:
    """Return the normal forms of these cells; nothing if one is not comparable."""
    from ledger.party.dataset.reading.normal import is_comparable, normal_form  # noqa: PLC0415 - see above

    if not all(is_comparable(cells[column]) for column, _ in sides):
        return ()
    return tuple(normal_form(cells[column], reading) for column, reading in sides)  # type: ignore[arg-type]


def _same(name: str, wanted: Json, said: Json) -> None:
    for where, one, other in _differences(name, wanted, said):
        raise _changed(f"{where} is {other}, and ought to be {one}")


def _differences(where: str, wanted: Json, said: Json) -> Iterator[tuple[str, Json, Json]]:
    """Yield where two documents differ; numbers of millibits may, by as much as two programs may (marks.md §4)."""
    if isinstance(wanted, dict) and isinstance(said, dict) and wanted.keys() == said.keys():
        for name, value in wanted.items():
            yield from _differences(f"{where}/{name}", value, said[name])
    elif isinstance(wanted, list) and isinstance(said, list) and len(wanted) == len(said):
        for number, (one, other) in enumerate(zip(wanted, said, strict=True)):
            yield from _differences(f"{where}/{number}", one, other)
    elif where.endswith("millibits") and isinstance(wanted, int) and isinstance(said, int):
        if abs(wanted - said) > _TOLERANCE_MILLIBITS:
            yield where, wanted, said
    elif wanted != said:
        yield where, wanted, said


def _changed(detail: str) -> PartyError:
    return NotOfThisCase(
        f"the trace says other than what follows from its rows and your vault: {detail}",
        "trace the file again with this version; a trace that was changed by hand proves nothing",
    )
