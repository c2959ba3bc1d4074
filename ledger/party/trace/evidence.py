"""What of a trace goes into the evidence about one hand-off (docs/bundle.md §4). Pure, from trace.json alone."""

from __future__ import annotations

from ledger.core.encoding import Json
from ledger.party.errors import Unfit

_FOUND = ("bytes", "columns", "count", "delimiter", "encoding", "format", "name", "sha256")
_SEALED = ("chance_millibits", "found", "of", "score_millibits", "status", "transfer", "word_millibits")
_DRAWN = ("drawn", "found", "others", "others_found", "paid_millibits", "score_millibits", "seen", "status", "transfer")
_MARKS = dict.fromkeys((*_SEALED, *_DRAWN))
_COUNTS = ("exclusive", "marks", "records", "records_found", "shared")


def evidence_members(trace: dict[str, Json], transfer: str) -> dict[str, Json]:
    """Return evidence.json's members for the hand-off `transfer`, all but `records` and `type`.

    `found_rows` are those that a match of this hand-off names, and all by which a mark or a control of the listing is
    found. Raises Unfit where the trace did not compare that hand-off.
    """
    entry = _entry(trace, transfer)
    listing = [item for item in trace["transfers"] if item["listing"] == entry["listing"]]
    marks = [item["marks"] for item in listing if item["recipient"] == entry["recipient"]]
    named = {match["row"] for match in entry["matches"]}
    marked = set(trace["mark_rows"].get(entry["listing"], []))
    registration = {"registration": trace["registration"]["link"]} if "registration" in trace else {}
    return registration | {
        "conclusion": entry["conclusion"],
        "controls": entry["controls"],
        "counts": {name: entry["counts"][name] for name in _COUNTS} | {"examined": max(1, entry.get("examined") or 0)},
        "custody": trace["custody"],
        "found": _found(trace, by_chunks=entry["by"] == "chunks"),
        "found_rows": [row for row in trace["found_rows"] if row["row"] in named | marked],
        "hypotheses": entry["hypotheses"],
        "mapping": entry["mapping"],
        "marks": sorted(
            ({name: item[name] for name in _MARKS if name in item} for item in marks if item["status"] != "none"),
            key=lambda item: item["transfer"],
        ),
        "matches": entry["matches"],
    }


def _entry(trace: dict[str, Json], transfer: str) -> dict[str, Json]:
    for item in trace["transfers"]:
        if item["transfer"] == transfer:
            if "by" not in item:
                raise Unfit(f"the trace has not compared {transfer} with the found file")
            return dict(item)
    raise Unfit(f"the trace knows no hand-off {transfer}")


def _found(trace: dict[str, Json], *, by_chunks: bool) -> Json:
    found = {name: trace["found"][name] for name in _FOUND if name in trace["found"]}
    if not by_chunks:
        return found
    # The records of a file that is no table are its chunks.
    plain = {name: found[name] for name in ("bytes", "name", "sha256")}
    return {**plain, "count": trace["chunks"], "format": "chunks"}
