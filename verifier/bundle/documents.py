"""The form of the JSON files of a bundle (docs/bundle.md §1, §3 to §5; check `bundle-form`)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from verifier.core.errors import MalformedInput
from verifier.core.jcs import decode_fast, parse_canonical
from verifier.schema.checks import (
    Fault,
    base64,
    boolean,
    codes,
    count,
    either,
    hex32,
    id_,
    integer,
    line,
    matching,
    members,
    name,
    size,
    text,
    time,
    up_to,
)
from verifier.schema.v2 import action, purpose, region
from verifier.sealed.normal import READINGS

if TYPE_CHECKING:
    from verifier.schema.checks import Checker

WHAT = "bundle"
_MAX_LIST, _MAX_PATH, _ANY_BYTES = 100_000, 53, 1 << 30
VERSIONS = {"provenance-ledger.bundle/v1": 1, "provenance-ledger.bundle/v2": 2}
"""Of the packaging, by the type that the manifest names: one file an entry, or all entries in one (§2.1, §2.2)."""
FORMATS = ("arrow", "chunks", "csv", "jsonl", "parquet", "tsv")
"""How a found file is read."""


MANIFEST = members(
    {
        "type": codes(*VERSIONS),
        "made": members({"at_ms": time, "by": line(300), "program": line(100)}),
        "files": up_to(10_000, members({"bytes": size, "path": line(65_535), "sha256": hex32})),
    }
)
_act = members(
    {
        "action": action, "at_ms": time, "industry?": line(200), "license": id_, "product?": line(200),
        "purpose?": purpose, "recipient?": line(200), "spatial?": region,
    }
)  # fmt: skip
CASE = members(
    {
        "type": codes("provenance-ledger.case/v1"),
        "acts": up_to(100, _act),
        "claim?": id_,
        "claimant": name,
        "ledger": id_,
        "license?": id_,
        "listing": id_,
        "question": text(4000),
        "registration?": id_,
        "respondent": name,
        "transfer": id_,
    }
)
_path = up_to(_MAX_PATH, base64(32, 32))
_salt, _value = base64(16, 16), base64(0, _ANY_BYTES)
_cell = members({"column": integer(1, 4096), "path": _path, "salt": _salt, "value": _value})
_opened = either(
    lambda value: "cells" in value,
    members({"cells": up_to(4096, _cell), "file": size, "path": _path, "record": size, "salt": _salt}),
    members({"file": size, "path": _path, "record": size, "salt": _salt, "value": _value}),
)
_millibits = integer(0, 1 << 31)
_score = {"score_millibits": _millibits, "transfer": id_}


def _any_text(_text: str) -> bool:
    return True


_found = members(
    {
        "bytes": size, "columns?": up_to(4096, matching(_any_text)), "count": size, "delimiter?": codes(",", ";", "|"),
        "encoding?": line(40), "format": codes(*FORMATS), "name": line(255), "path?": line(65_535), "sha256": hex32,
    }
)  # fmt: skip
_step = {"at_ms": time, "tools": up_to(20, line(200)), "what": text(2000), "who": line(300)}
_links = {"after": hex32, "before": hex32, "previous": hex32}
_record = members(
    {"bytes": size, "kind": codes("archive", "capture", "headers", "other"), "name": line(255), "sha256": hex32}
)
_link = members(
    {
        "type": codes("provenance-ledger.custody/v1"),
        "acquisition": members(
            {"address": text(2000), "how": text(2000), "records": up_to(20, _record), "second?": line(300)}
        ),
        "at_ms": time,
        "file": members({"bytes": size, "name": line(255), "sha256": hex32}),
        "who": line(300),
    }
)
EVIDENCE_1, EVIDENCE_2 = "provenance-ledger.evidence/v1", "provenance-ledger.evidence/v2"
"""The types of evidence: of the second, marks may come from a pool."""
_opened_marks = {"status": codes("opened"), **_score}
_of_pool = _opened_marks | {"paid_millibits": _millibits}
_seal_or_pool = either(
    lambda value: "paid_millibits" in value,
    either(
        lambda value: "seen" in value,
        members(_of_pool | {"seen": size, "word_millibits": _millibits}),
        members(_of_pool | {"drawn": size, "found": size, "others": size, "others_found": size}),
    ),
    members(_opened_marks | {"chance_millibits": _millibits, "found": size, "of": size, "word_millibits?": _millibits}),
)
EVIDENCE = members(
    {
        "type": codes(EVIDENCE_1, EVIDENCE_2),
        "found": _found,
        "custody": up_to(100, either(lambda value: "previous" in value, members(_step | _links), members(_step))),
        "registration?": _link,
        "mapping": up_to(4096, members({"column": size, "found": size, "reading": codes(*READINGS)})),
        "found_rows": up_to(_MAX_LIST, members({"row": size, "value": _value})),
        "records": up_to(_MAX_LIST, _opened),
        "matches": up_to(
            _MAX_LIST, members({"file": size, "kind": codes("exact", "normalised"), "record": size, "row": size})
        ),
        "marks": up_to(
            10_000,
            either(
                lambda value: value.get("status") == "withheld",
                members({"status": codes("withheld"), "transfer": id_}),
                _seal_or_pool,
            ),
        ),
        "controls": members(
            {"greatest_millibits?": _millibits, "others": up_to(10_000, members({"party": name, **_score}))}
        ),
        "counts": members(
            {"examined?": count, "exclusive": size, "marks": size, "records": size}
            | {"records_found": size, "shared": size}
        ),
        "hypotheses": up_to(
            10_004,
            members(
                {
                    "expected_milli": size,
                    "hypothesis": codes("chance", "none", "other", "public", "recipient", "sender"),
                    "observed": size, "party?": name, "surprise_millibits": _millibits,
                }
            ),
        ),
        "conclusion": either(
            lambda value: len(value) > 1,
            members({"is_enough": boolean, "needed_millibits": size, "score_millibits": _millibits, "seals": size}),
            members({"is_enough": boolean}),
        ),
    }
)  # fmt: skip
JUDGEMENT = members(
    {
        "type": codes("provenance-ledger.judgement/v1"),
        "acts": up_to(
            100,
            members({"decision": codes("permitted", "prohibited", "undetermined"), "entries": up_to(10_000, size)}),
        ),
        "findings": up_to(
            10_000,
            members(
                {"entries": up_to(10_000, size), "index": size, "party": name, "since_ms": time, "slug": line(100)}
            ),
        ),
    }
)


def refuse(path: str, reason: str, where: str = "") -> MalformedInput:
    """Return the refusal of a file of a bundle."""
    return MalformedInput(WHAT, reason, f"{path}{where}")


def parse_document(raw: bytes, path: str, check: Checker) -> Any:  # noqa: ANN401 (a JSON value of that form)
    """Return the value of a JSON file of a bundle: canonical, followed by LF, of the form that `check` asks for.

    Raises `MalformedInput` that names the path.
    """
    if not raw.endswith(b"\n"):
        raise refuse(path, "malformed", ": no line feed at its end")
    value = decode_fast(raw[:-1])
    try:
        if value is None:
            value = parse_canonical(raw[:-1], WHAT)
        check(value)
    except MalformedInput as error:
        raise refuse(path, error.reason, f" {error.detail}") from None
    except Fault as fault:
        raise refuse(path, fault.reason, fault.field) from None
    return value


def is_ascending(keys: list[Any]) -> bool:
    """Tell whether each key is less than the next."""
    return all(left < right for left, right in pairwise(keys))


def verify_order(evidence: dict[str, Any]) -> None:
    """Check what docs/bundle.md §4 says about the order of lists, and of a found file's columns.

    Raises `MalformedInput`.
    """
    orders = {
        "found_rows": [item["row"] for item in evidence["found_rows"]],
        "records": [(item["file"], item["record"]) for item in evidence["records"]],
        "marks": [item["transfer"] for item in evidence["marks"]],
        "controls/others": [item["transfer"] for item in evidence["controls"]["others"]],
        "mapping": [item["column"] for item in evidence["mapping"]],
        **{
            f"records/{position}/cells": [cell["column"] for cell in item.get("cells", ())]
            for position, item in enumerate(evidence["records"])
        },
    }
    for where, keys in orders.items():
        if not is_ascending(keys):
            raise refuse("evidence.json", "wrong-value", f"/{where}: not ascending")
    if evidence["type"] == EVIDENCE_1 and any("paid_millibits" in item for item in evidence["marks"]):
        raise refuse("evidence.json", "unknown-field", "/marks: paid_millibits")
    moments = [item["at_ms"] for item in evidence["custody"]]
    found, taken = evidence["found"], [item["found"] for item in evidence["mapping"]]
    is_chunked = found["format"] == "chunks"
    if moments != sorted(moments):
        raise refuse("evidence.json", "wrong-value", "/custody: not ascending by time")
    if is_chunked != ("columns" not in found) or ("delimiter" in found and found["format"] != "csv"):
        raise refuse("evidence.json", "wrong-value", "/found: columns and delimiter by its format")
    if len(set(taken)) != len(taken) or any(number >= len(found.get("columns", ())) for number in taken):
        raise refuse("evidence.json", "wrong-value", "/mapping: a column twice, or none of the file")
    if evidence["conclusion"] == {"is_enough": True}:
        raise refuse("evidence.json", "missing-field", "/conclusion/score_millibits")
