"""Forged bundles that lie about what was opened, found, counted or decided (docs/bundle.md §4, §5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from ledger.core.encoding import Json, b64decode, b64encode
from ledger.core.keys import Signer
from tests.harness.bundles import Files, document
from tests.harness.forged_bundles import STORY, Document, at, conditioned, edited, name_of, rewritten, told

EVIDENCE, JUDGEMENT = "evidence.json", "judgement.json"


# -- what is opened ---------------------------------------------------------------------------------------------------
def _disclosure(position: int, change: Callable[[Document], object]) -> Callable[[Document], object]:
    return lambda value: change(value["disclosures"][position])


def _of_another_statement(item: Document) -> None:
    item.update(statement_id=name_of("transfer carol.example"))


OPENED = "disclosures.json"
rewritten("disclosure-of-another-value", "disclosure", OPENED, _disclosure(0, lambda d: d["value"].update(bytes=4)))
rewritten(
    "disclosure-with-another-salt", "disclosure", OPENED, _disclosure(1, lambda d: d.update(salt="A" * 22 + "=="))
)
rewritten("disclosure-of-another-statement", "disclosure", OPENED, _disclosure(1, _of_another_statement))
rewritten(
    "disclosure-on-another-ledger",
    "disclosure",
    OPENED,
    _disclosure(0, lambda d: d.update(ledger="sha256:" + "ab" * 32)),
)
edited("trace-that-the-claim-did-not-name", "disclosure", lambda files: files.update({"trace.json": b"[]\n"}))
edited("trace-left-out", "disclosure", lambda files: files.pop("trace.json"))


def _swap_salts(value: Document) -> None:
    one, other = value["records"][:2]
    one["salt"], other["salt"] = other["salt"], one["salt"]


def _change_record(value: Document) -> None:
    record = value["records"][0]
    record["value"] = b64encode(b64decode(record["value"]).replace(b"N", b"M", 1))


def _record_of_carol(value: Document) -> None:
    value["records"][0] = STORY.copies["carol.example"].opened(value["records"][0]["record"])


def _renumber(value: Document) -> None:
    records = value["records"]
    free = next(n for n in range(100) if n not in {item["record"] for item in records})
    records[0]["record"] = free
    records.sort(key=lambda item: item["record"])


def _change_cell(value: Document) -> None:
    cell = value["records"][0]["cells"][1]
    cell["value"] = b64encode(b'"4"')


rewritten("record-changed", "record", EVIDENCE, _change_record)
rewritten("salts-swapped", "record", EVIDENCE, _swap_salts)
rewritten("record-of-another-copy", "record", EVIDENCE, _record_of_carol)
rewritten("record-renumbered", "record", EVIDENCE, _renumber)
rewritten("cell-changed", "record", EVIDENCE, _change_cell, shape="exact", redactable=True)
rewritten("content-not-opened", "record", OPENED, lambda v: v["disclosures"].pop(1))


# -- the found file ---------------------------------------------------------------------------------------------------
def _other_file(raw: bytes, *, is_told: bool) -> Callable[[Files], None]:
    def replace(files: Files) -> None:
        files["found/leak.csv"] = raw
        value = json.loads(files[EVIDENCE])
        if is_told:
            value["found"] |= {"bytes": len(raw), "sha256": sha256(raw).hexdigest()}
        files[EVIDENCE] = document(value)

    return replace


def _name_another(value: Document) -> None:
    """Name another file as the one that was found: the rows shown are none of its 5,000."""
    value["found"] |= {"bytes": len(OTHER), "name": "README.md", "sha256": sha256(OTHER).hexdigest()}


UNSEEN: dict[str, Any] = {"includes_found": False}
OTHER = b"Built;Tail no.;Seats\n" + b"1/1/2001;N1;100\n" * 5_000
conditioned("marks-listed-as-rows-of-another-file", "found", EVIDENCE, _name_another, **UNSEEN)
conditioned("found-count-understated", "found", EVIDENCE, _name_another, marks=3, base=2, **UNSEEN)


def _swap_rows(value: Document) -> None:
    one, other = value["found_rows"][:2]
    one["value"], other["value"] = other["value"], one["value"]


NOISE = bytes(range(256)) * 8
rewritten("found-rows-swapped", "found", EVIDENCE, _swap_rows)
rewritten("found-digest-wrong", "found", EVIDENCE, lambda v: v["found"].update(sha256="ab" * 32))
rewritten("found-count-lowered", "found", EVIDENCE, lambda v: v["found"].update(count=48))
rewritten("found-column-renamed", "found", EVIDENCE, lambda v: v["found"]["columns"].reverse())
rewritten("found-delimiter-wrong", "found", EVIDENCE, lambda v: v["found"].update(delimiter=","))
edited("found-file-replaced", "found", _other_file(b"a;b\n1;2\n", is_told=False))
edited("found-file-of-no-bytes", "found", _other_file(b"", is_told=True))
edited("found-file-of-noise", "found", _other_file(NOISE, is_told=True))
edited("found-file-of-a-million-columns", "found", _other_file(b"a;" * 999_999 + b"a\n", is_told=True))
edited("found-file-of-half-a-record", "found", _other_file(b'a;b\n1;"2', is_told=True))
rewritten("found-row-out-of-range", "found", EVIDENCE, lambda v: v["found_rows"][-1].update(row=1000))


def _match_another_row(value: Document) -> None:
    one, other = value["matches"][:2]
    one["row"], other["row"] = other["row"], one["row"]


def _map_another_way(value: Document) -> None:
    for item in value["mapping"]:
        item["reading"] = "mdy"


rewritten("match-that-is-none", "match", EVIDENCE, _match_another_row)
rewritten("match-called-exact", "match", EVIDENCE, lambda v: v["matches"][0].update(kind="exact"))
rewritten("match-by-another-mapping", "match", EVIDENCE, _map_another_way)
rewritten("match-of-a-record-that-is-not-shown", "match", EVIDENCE, lambda v: v["records"].pop(0))


# -- marks and numbers ------------------------------------------------------------------------------------------------
def _forget_a_mark(value: Document) -> None:
    """Show everything but one record that is a mark: as if it had not been in the copy."""
    marks = STORY.copies["bob.example"]
    number = marks.rows.index(marks.marks[0])
    value["records"] = [item for item in value["records"] if item["record"] != number]
    value["matches"] = [item for item in value["matches"] if item["record"] != number]


def _lower_threshold(statement: Document, _keys: list[Signer]) -> None:
    statement["marks"]["threshold_millibits"] = 1


def _call_withheld(value: Document) -> None:
    value["marks"] = [{"status": "withheld", "transfer": item["transfer"]} for item in value["marks"]]


SECOND: dict[str, Any] = {"second_seal": True, "withheld": frozenset({"transfer bob.example again"})}
rewritten("mark-that-was-not-in-the-copy", "marks", EVIDENCE, _forget_a_mark)
told("seal-differs-from-what-is-in-the-open", "marks", at("transfer bob.example", _lower_threshold))
rewritten("withheld-seal-not-named", "marks", EVIDENCE, lambda v: v.update(marks=[m for m in v["marks"] if "of" in m]),
          **SECOND)  # fmt: skip
rewritten("opened-seal-called-withheld", "marks", EVIDENCE, _call_withheld)
told("seal-without-controls", "marks", spoil=lambda value: value.update(controls=[]))
told("seal-with-a-threshold-below-its-bound", "marks", spoil=lambda value: value.update(threshold_millibits=20_000))
told("seal-of-other-columns", "marks", spoil=lambda value: value.update(columns=["tail", "seats", "built", "notes"]))


def _mark(**fields: Json) -> Callable[[Document], object]:
    return lambda value: value["marks"][0].update(fields)


def _concluded(**fields: Json) -> Callable[[Document], object]:
    return lambda value: value["conclusion"].update(fields)


def _raise_score(value: Document) -> None:
    value["marks"][0]["score_millibits"] += 3
    value["conclusion"]["score_millibits"] += 3


def _surprised(value: Document) -> None:
    value["hypotheses"][0]["surprise_millibits"] = 9000


rewritten("score-raised", "score", EVIDENCE, _raise_score)
rewritten("chance-raised", "score", EVIDENCE, _mark(chance_millibits=200_000))
rewritten("word-raised", "score", EVIDENCE, _mark(word_millibits=60_000), method="tardos")
rewritten("more-marks-found-than-there-are", "score", EVIDENCE, _mark(found=9))
rewritten("fewer-marks-planted-than-there-are", "score", EVIDENCE, _mark(of=8))
rewritten("needed-lowered", "score", EVIDENCE, _concluded(needed_millibits=10_000))
rewritten("seals-not-counted", "score", EVIDENCE, _concluded(seals=1), **SECOND)
rewritten("conclusion-flipped", "score", EVIDENCE, _concluded(is_enough=True), marks=1)
rewritten("marks-sealed-after-the-file-was-examined", "score", EVIDENCE, lambda v: v["custody"][0].update(at_ms=1))
rewritten("conclusion-denied", "score", EVIDENCE, _concluded(is_enough=False))
rewritten("hypothesis-made-unlikely", "score", EVIDENCE, _surprised)
rewritten("hypothesis-left-out", "score", EVIDENCE, lambda v: v["hypotheses"].pop(1))
rewritten("marks-counted-twice", "score", EVIDENCE, lambda v: v["counts"].update(marks=16))
rewritten("more-records-found-than-there-are", "score", EVIDENCE, lambda v: v["counts"].update(records_found=61))
rewritten("score-without-an-opened-seal", "score", EVIDENCE,
          lambda v: v.update(conclusion={"is_enough": True, "needed_millibits": 1, "score_millibits": 2, "seals": 1}),
          withheld=frozenset({"transfer bob.example"}))  # fmt: skip


def _hide_other(value: Document) -> None:
    value["controls"]["others"] = []


def _control(**fields: Json) -> Callable[[Document], object]:
    return lambda value: value["controls"].update(fields)


rewritten("control-lowered", "control", EVIDENCE, _control(greatest_millibits=0), method="tardos")
rewritten("control-raised", "control", EVIDENCE, _control(greatest_millibits=100))
rewritten("other-recipient-left-out", "control", EVIDENCE, _hide_other, pooled=True)
rewritten("other-recipient-cleared", "control", EVIDENCE,
          lambda v: v["controls"]["others"][0].update(score_millibits=0), pooled=True)  # fmt: skip
rewritten("other-recipient-renamed", "control", EVIDENCE,
          lambda v: v["controls"]["others"][0].update(party="dave.example"))  # fmt: skip


# -- the judgement ----------------------------------------------------------------------------------------------------
def _acquit(value: Document) -> None:
    value["acts"][0]["decision"] = "permitted"


def _accuse(value: Document) -> None:
    finding = {"entries": [7], "index": 7, "party": "bob.example", "since_ms": 1, "slug": "duty-unfulfilled"}
    value["findings"].insert(0, finding)


rewritten("decision-flipped", "judgement", JUDGEMENT, _acquit)
rewritten("decision-by-another-entry", "judgement", JUDGEMENT, lambda v: v["acts"][0].update(entries=[8]))
rewritten("act-not-judged", "judgement", JUDGEMENT, lambda v: v["acts"].pop())
rewritten("finding-left-out", "judgement", JUDGEMENT, lambda v: v["findings"].pop())
rewritten("finding-made-up", "judgement", JUDGEMENT, _accuse)
rewritten(
    "finding-about-another-party", "judgement", JUDGEMENT, lambda v: v["findings"][0].update(party="carol.example")
)
