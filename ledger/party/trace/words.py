"""A trace in plain words, for people who settle disputes. Pure: from trace.json to lines, with nothing added."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.encoding import Json
from ledger.party.marks.weight import as_often, odds, undistinguished, weighed

_MAX_LISTED = 20
_TELLING = 10
_MANY = 2
_WHY = {
    "bound-too-high": "the bound on false accusations that was sealed with its marks is above 0.001",
    "controls-score-too": "control rows, which were planted nowhere, score as high: the comparison cannot be relied on",
    "examined-before": "the file was examined before this hand-off was sealed, and cannot derive from it: whoever "
    "sealed these marks may have taken them from the file",
    "marks-not-opened": "its marks were not opened, so nothing could be counted: run the command again with the "
    "passphrase of the vault's key",
    "no-marks": "its copy carries no marks: records alone may come from any hand-off that has them, from you, or from "
    "a public source",
    "no-marks-found": "none of the rows that were planted in its copy is in the found file",
    "score-too-low": "the marks found are too few to rule out chance at the bound that was sealed",
    "too-few-marks": "fewer than three different marks of it were found, and so few can travel by accident",
}
_NOT_ITS_CODE = "the rows of the code that are in the found file do not fit this copy well enough"
_NEEDS = {
    "columns": "more of the original columns: those that are left tell a planted row from others too little",
    "marks": "a copy with marks in it",
    "rows": "a smaller part of other rows in the file, or more of the original columns",
}
_NOT_SHOWN = (
    "who let the file out: the marks name a copy, which you made, and do not distinguish its recipient from you",
    "when or how it got out, or that anybody meant it to",
    "that using it was a breach: the license says that ('verifier explain LICENSE')",
)

_BROUGHT = "that the planted rows are as rare as the seal says: you brought them yourselves, and answer for that"


def summary(trace: dict[str, Json]) -> list[str]:
    """Return the outcome, in lines: first what follows, then from what, then what does not follow."""
    compared = [item for item in trace["transfers"] if item["status"] == "compared"]
    shown = [item for item in sorted(compared, key=_rank, reverse=True) if _is_there(item)]
    lines = [*_found(trace), "", *_conclusion(trace, compared), ""]
    for item in shown[:_MAX_LISTED]:
        lines += [*_transfer(item), ""]
    more, nothing = len(shown[_MAX_LISTED:]), len(compared) - len(shown)
    if more:
        lines.append(
            f"{_count(more, 'further hand-off')} {_have(more)} something in common with it: see the trace file."
        )
    if nothing:
        lines.append(f"{_count(nothing, 'hand-off')} {_have(nothing)} nothing in common with it.")
    lines += [*_skipped(trace), *(f"Note: {note}." for note in trace["notes"])]
    if trace["conclusion"]["is_enough"]:
        enough = [item for item in compared if item["conclusion"]["is_enough"]]
        brought = any(item["marks"].get("origin") == "brought" for item in enough)
        not_shown = [*_NOT_SHOWN, _BROUGHT] if brought else _NOT_SHOWN
        lines += ["What this does not show:", *(f"  - {line}" for line in not_shown)]
    return lines


def bits(millibits: int) -> str:
    """Return a score as people read it."""
    return f"{millibits / 1000:,.1f} bits"


def _found(trace: dict[str, Json]) -> list[str]:
    found = trace["found"]
    shape = (
        f"{found['count']:,} rows, {len(found['columns']):,} columns ({found['format']})"
        if "columns" in found
        else "no table"
    )
    return [f"{found['name']}: {found['bytes']:,} bytes, {shape}", f"SHA-256 {found['sha256']}"]


def _rank(item: Json) -> tuple[bool, int, int]:
    return (
        item["conclusion"]["is_enough"],
        item["marks"].get("score_millibits", 0),
        item.get("counts", {}).get("records_found", 0),
    )


def _is_there(item: Json) -> bool:
    common = item.get("counts", {})
    near = item.get("near", {}).get("alike", 0)
    return bool(item["same_file"] or common.get("records_found") or item["marks"].get("found") or near)


def _transfer(item: Json) -> Iterator[str]:
    verdict = "ENOUGH" if item["conclusion"]["is_enough"] else "not enough"
    yield f"{item['recipient']}: {verdict}  (entry {item['index']}, {item['transfer']})"
    if item["same_file"]:
        yield "  The found file is, byte for byte, a file of this hand-off."
    yield from _records(item)
    if item["examined"]:
        yield f"  1 of {item['examined']:,} files examined against this listing."
    yield from _marks(item)
    for reason in item["why_not"]:
        is_code = reason == "score-too-low" and item["marks"]["method"] == "tardos"
        if reason == "others-found-as-often":
            yield f"  Not enough: {_as_often(item)}."
        else:
            yield f"  Not enough: {_NOT_ITS_CODE if is_code else _WHY[reason]}."
    yield from _missing(item)
    near = item.get("near")
    if near is not None and near["alike"]:
        yield (
            f"  A lead only, never evidence: of {near['rows']:,} rows looked at, {near['alike']:,} resemble a record "
            "of this copy."
        )


def _as_often(item: Json) -> str:
    columns = item.get("columns", 0)
    return as_often(item["marks"], item["marks"]["method"], len(item.get("mapping", ())) or columns, columns)


def _missing(item: Json) -> Iterator[str]:
    enough = item.get("would_be_enough", {})
    common = item.get("counts", {}).get("records_found")
    if "marks" in enough and common and enough["marks"] <= item["marks"]["planted_found"]:
        if item["marks"]["score_millibits"]:
            yield "  What would be enough: more rows of the copy, so that more of its code can be read."
    elif "marks" in enough and common:
        yield f"  It would take about {enough['marks']:,} of its marks in a file of this size."
    elif "reason" in enough and common:
        yield f"  What would be enough: {_NEEDS[enough['reason']]}."


def _records(item: Json) -> Iterator[str]:
    common = item.get("counts")
    if common is None or not common["records_found"]:
        return
    what = "chunks" if item["by"] == "chunks" else "records"
    yield (
        f"  {common['records_found']:,} of the copy's {common['records']:,} {what} are in the found file: "
        f"{common['exact']:,} word for word, {common['normalised']:,} rewritten."
    )
    if item["by"] == "rows" and len(item["mapping"]) < item["columns"]:
        compared, columns = len(item["mapping"]), item["columns"]
        yield f"  They are equal in {compared:,} of {columns:,} columns: all that the found file still has."
    if item["by"] == "rows" and common["records_found"] > _MANY * common["rows_different"]:
        yield (
            f"  Caution: these are only {common['rows_different']:,} different rows of the found file. What it still "
            "has does not tell the records apart, and may come from elsewhere."
        )
    if item["shared_with"]:
        others = ", ".join(sorted({other["party"] for other in item["shared_with"]})[:5])
        yield (
            f"  {common['shared']:,} of them were in other hand-offs too ({others}); {common['exclusive']:,} in this "
            "one alone."
        )
    else:
        yield "  No other hand-off holds any of them."
    random = item.get("random")
    if random is None:
        return
    rows, matched = random["rows"], random["records_found"]
    yield f"  Control: {rows:,} rows mixed at random from the file's own cells match {matched:,}."
    if _TELLING * random["records_found"] > common["records_found"]:
        yield "  Caution: so many records match by chance that these matches mean little by themselves."


def _marks(item: Json) -> Iterator[str]:
    marks, ended = item["marks"], item["conclusion"]
    if marks["status"] != "opened":
        return
    if "paid_millibits" in marks:
        yield f"  Marks: {_draw(marks)}"
    else:
        yield f"  Marks: {marks['planted_found']:,} of the {marks['planted']:,} rows planted in this copy are there."
    yield (
        f"  Score {bits(marks['score_millibits'])}; needed {bits(ended['needed_millibits'])}, which counts in all "
        f"recipients and {_count(ended['seals'], 'sealed set')} of marks."
    )
    if not ended["is_enough"]:
        return
    who = "Owing nothing to marked copies, a file" if marks["method"] != "tardos" else "Somebody who had no part in it"
    yield f"  {who} scores so by a chance of {odds(marks['score_millibits'])}."
    control = item["controls"].get("greatest_millibits")
    if control is not None:
        yield f"  Controls, which must not score: at most {bits(control)}."
    for other in item["controls"]["others"][:_MAX_LISTED]:
        yield f"  The same test for {other['party']}: {bits(other['score_millibits'])}."
    yield from _hypotheses(item)


def _draw(marks: Json) -> str:
    """Say what of a sealed pool is in the file (docs/marks.md §9.3)."""
    if marks["method"] == "tardos":
        return f"{marks['planted_found']:,} of the {marks['planted']:,} rows that were drawn for this copy are there."
    drawn, others, what = marks["found"], marks["others_found"], "drawn for this copy"
    if marks["method"] == "omission":  # a hit is a row that is not there
        drawn, others, what = marks["drawn"] - drawn, marks["others"] - others, "drawn, and left out of this copy"
    return (
        f"of the {marks['drawn']:,} rows that were {what}, {drawn:,} are there; of the {marks['others']:,} that were "
        f"not drawn, {others:,}."
    )


def _hypotheses(item: Json) -> Iterator[str]:
    names = {
        "none": "nothing that was marked: a public source, or chance",
        "other": "the copy of {}",
        "recipient": "the copy of {}, let out by its recipient",
        "sender": "the same copy, let out by {}, who made it",
    }
    yield "  If it came from …, so many marks were to be expected, and finding what was found is so surprising:"
    for guess in item["hypotheses"]:
        name = names[guess["hypothesis"]].format(guess.get("party", ""))
        expected = guess["expected_milli"] / 1000
        yield f"    {name}: {expected:,.1f} expected, {guess['observed']:,} found, {bits(guess['surprise_millibits'])}"
    if weighed_words := weighed(item["conclusion"], item["hypotheses"]):
        yield f"  {weighed_words}"
    yield f"  {undistinguished(item['recipient'], item['sender'])}"


def _skipped(trace: dict[str, Json]) -> Iterator[str]:
    for item in trace["transfers"]:
        if item["status"] == "skipped":
            yield f"Not compared: {item['recipient']} ({item['transfer']}): {'; '.join(item['problems'])}"
        else:
            yield from (f"Note: {item['recipient']} ({item['transfer']}): {problem}" for problem in item["problems"])


def _conclusion(trace: dict[str, Json], compared: list[Json]) -> Iterator[str]:
    enough = [item for item in trace["transfers"] if item["conclusion"]["is_enough"]]
    with_whom = f"Compared with {_count(len(compared), 'hand-off')}, all by the same test."
    if not enough:
        yield "NOT ENOUGH to say from which hand-off the file comes."
        yield with_whom
        if compared and all("no-marks" in item["why_not"] for item in compared):
            yield "Only marks can tell one recipient's copy from another's, and none of these copies has any."
        return
    whose = {item["recipient"] for item in enough}
    if len(enough) > len(whose) == 1 and all("paid_millibits" in item["marks"] for item in enough):
        indexes = " and ".join(str(item["index"]) for item in enough)
        yield f"ENOUGH: the file derives from a copy made for {enough[0]['recipient']}."
        yield f"The copies of entries {indexes} carry the same marks, which do not tell from which of them it comes."
    else:
        names = " and ".join(f"the copy made for {item['recipient']}" for item in enough)
        yield f"ENOUGH: the file derives from {names}."
        if len(enough) > 1:
            yield "Marks of several copies are in it: they were put together, by whoever did that."
    bound = enough[0]["marks"]["bound"]
    if "paid_millibits" in enough[0]["marks"]:
        yield (
            f"The pool was sealed before anybody knew what would be drawn from it. By the bound that you stated, it "
            f"accuses anybody falsely by a chance of at most {bound}, if you and the recipient did not choose the draw "
            "together."
        )
    else:
        yield (
            f"The method was sealed with the hand-off. By the bound that you stated, it accuses anybody falsely by a "
            f"chance of at most {bound}, if the marks were drawn as the seal says."
        )
    yield with_whom


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
