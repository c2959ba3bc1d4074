"""Matching records, opened: value, salt and path to the root that was sealed (docs/format.md §15.6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.encoding import Json, b64encode
from ledger.party.evidence.parts.errors import Missing, NotOfThisCase
from ledger.party.extras import MissingExtra
from ledger.party.trace.form import CHUNKS
from ledger.party.vault.vault import Vault
from ledger.statements.content import RowRecords

if TYPE_CHECKING:
    from ledger.party.dataset.committing.copies import CopyFile


def open_matches(
    vault: Vault, transfer: str, members: Mapping[str, Json], marked: Collection[int], found: Path | None
) -> dict[str, Json]:
    """Return `records` and `found_rows` of evidence.json for the matches that `members` hold.

    Of redactable records, those columns are opened that a match needs: the mapped ones, or all for an exact match and
    for a row in `marked`, by which a mark is found. Chunks are read from the found file. Raises Missing.
    """
    try:
        from ledger.party.dataset.committing.copies import Copies  # noqa: PLC0415 - needs pyarrow and numpy, which take long to load
        from ledger.party.dataset.committing.opener import open_records  # noqa: PLC0415 - same
    except ImportError as error:
        raise MissingExtra(str(error.name)) from error
    matches = members["matches"]
    if not matches:
        return {"found_rows": members["found_rows"], "records": []}
    copy = Copies(vault.directory).open(transfer)
    if copy is None:
        raise Missing(
            "the copy that was handed over is not kept on this machine",
            "use the home that offered it; a copy that was dropped cannot be opened any more",
        )
    chunks = _chunks(found, {match["row"] for match in matches}) if members["found"]["format"] == CHUNKS else {}
    if (lost := {match["row"] for match in matches} - chunks.keys()) and chunks:
        raise _other_copy(f"chunk {min(lost)} of the found file")
    files = {file.position: file for file in copy.files}
    records: list[Json] = []
    for position in sorted({match["file"] for match in matches}):
        here = [match for match in matches if match["file"] == position]
        _check_there(files.get(position), here, members["mapping"])
        opened = open_records(
            files[position],
            vault.manifest_path(transfer),
            sorted({match["record"] for match in here}),
            cells=_cells(here, members["mapping"], marked, files[position].digest.records),
            chunks={match["record"]: chunks[match["row"]] for match in here} if chunks else None,
        )
        records += [record.model_dump() for record in opened]
    rows = [{"row": row, "value": b64encode(chunk)} for row, chunk in sorted(chunks.items())]
    return {"found_rows": rows or members["found_rows"], "records": records}


def _check_there(
    file: CopyFile | None, here: Sequence[Mapping[str, Json]], mapping: Sequence[Mapping[str, Json]]
) -> None:
    """Raise NotOfThisCase unless the copy has the file, the records and the columns that the trace names."""
    records = file.digest.records if file is not None else None
    if records is None:
        raise _other_copy(f"file {here[0]['file']} with records")
    if (last := max(match["record"] for match in here)) >= records.count:
        raise _other_copy(f"record {last} of file {here[0]['file']}")
    if not mapping and any(match["kind"] != "exact" for match in here):
        raise _other_copy("mapping by which a normalised match would be one")
    width = len(records.columns) if isinstance(records, RowRecords) else 0
    if any(item["column"] >= width for item in mapping):
        raise _other_copy(f"column {max(item['column'] for item in mapping)}, which is mapped")


def _other_copy(lacking: str) -> NotOfThisCase:
    return NotOfThisCase(
        f"the trace says other than what follows from its rows and your vault: there is no {lacking}",
        "trace the file again with this version; a trace that was changed by hand proves nothing",
    )


def _cells(
    matches: Sequence[Mapping[str, Json]], mapping: Sequence[Mapping[str, Json]], marked: Collection[int], records: Json
) -> dict[int, list[int]] | None:
    """Return which columns to open of each redactable record; None where records are opened whole."""
    if not getattr(records, "redactable", False):
        return None
    every = list(range(len(records.columns)))
    mapped = sorted(column["column"] for column in mapping)
    found: dict[int, list[int]] = {}
    for match in matches:
        needs_all = match["kind"] == "exact" or match["row"] in marked
        found[match["record"]] = every if needs_all or found.get(match["record"]) == every else mapped
    return found


def _chunks(found: Path | None, rows: Collection[int]) -> dict[int, bytes]:
    """Return these chunks of the found file by their numbers."""
    from ledger.party.dataset.committing.chunks import chunks  # noqa: PLC0415 - see above
    from ledger.party.dataset.reading.source import HashedFile  # noqa: PLC0415 - same

    if found is None:
        raise Missing(
            "the found file was compared by chunks, which are read from it again", "give it with --found FILE"
        )
    with HashedFile(found) as file:
        every = chain.from_iterable(chunks(file))
        return {row: chunk for row, chunk in enumerate(every) if row in rows}
