"""From what was found to what it says: marks, controls, hypotheses, and whether it is enough (docs/marks.md §4, §5).

Pure. Everything here is computed anew by whoever checks the evidence.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger.core.encoding import Json
from ledger.party.marks.bits import MAX_MILLIBITS, millibits, needed_millibits
from ledger.party.marks.draw_score import DrawScores
from ledger.party.marks.score import MIN_BITS, Scores, Sighting, chance_bits, row_bits, surprise_millibits
from ledger.party.marks.value import CanaryMarks, MarksValue
from ledger.party.marks.weight import CODE_CONTROLS_MILLIBITS, MAX_BOUND, MIN_MARKS
from ledger.party.trace import draw_scoring
from ledger.party.trace.drawn import DrawnPool


@dataclass(frozen=True)
class Marked:
    """One transfer of a listing that carries marks. Without an opened seal, `marks` and `scores` are None.

    `planted` of its copy's own marks there are, `planted_found` of them in the found file, by `different` rows;
    `records` and `found` count the copy's other records, and those of them that are in the found file. `unused`
    preparations could have marked it; `prepared_for` are the recipients of all of the listing.
    """

    transfer: str
    recipient: str
    sender: str
    marks: MarksValue | DrawnPool | None = None
    scores: Scores | DrawScores | None = None
    unused: int = 0
    prepared_for: frozenset[str] = frozenset()
    planted: int = 0
    planted_found: int = 0
    different: int = 0
    records: int = 0
    found: int = 0

    @property
    def score(self) -> int:
        """The score of the recipient under this seal, in millibits; 0 where it was not opened."""
        if isinstance(self.scores, DrawScores):
            return millibits(self.scores.score)
        return 0 if self.scores is None else self.scores.score(self.recipient)


def marks_found(item: Marked) -> int:
    """Return how many marks of the copy are found: of an omission, how many rows are not there."""
    is_omission = item.marks is not None and item.marks.method == "omission"
    return item.scores.hit if is_omission and isinstance(item.scores, DrawScores) else item.planted_found


def marks_document(item: Marked) -> Json:
    """Return what stands of one transfer among `marks` (docs/bundle.md §4)."""
    if isinstance(item.marks, DrawnPool) and isinstance(item.scores, DrawScores):
        return draw_scoring.marks_document(item.transfer, item.marks, item.scores)
    if not isinstance(item.scores, Scores):
        return {"status": "withheld", "transfer": item.transfer}
    document = {
        "chance_millibits": item.scores.chance,
        "found": item.scores.found,
        "of": item.scores.of,
        "score_millibits": item.score,
        "status": "opened",
        "transfer": item.transfer,
    }
    if item.scores.words:
        document["word_millibits"] = item.scores.words[item.recipient]
    return document


def controls_document(item: Marked, listing: Sequence[Marked]) -> Json:
    """Return `controls` for one transfer: what must not score, and the same test of every other recipient."""
    others = []
    for other in listing:
        if other.recipient == item.recipient:
            continue
        if isinstance(item.scores, Scores) and item.scores.words:
            found = item.scores.score(other.recipient)
        elif other.scores is not None:
            found = other.score
        else:
            continue
        others.append({"party": other.recipient, "score_millibits": found, "transfer": other.transfer})
    control = control_of(item.scores)
    greatest = {} if control is None else {"greatest_millibits": control}
    return {**greatest, "others": sorted(others, key=lambda entry: entry["transfer"])}


def control_of(scores: Scores | DrawScores | None) -> int | None:
    """Return the greatest score of what must not score, in millibits; None if there is nothing of the kind."""
    if isinstance(scores, DrawScores):
        return None if scores.control is None else millibits(scores.control)
    return None if scores is None else scores.control


def chance_of(scores: Scores | DrawScores) -> int:
    """Return the bits by which a file that owes nothing to the copy would hold so many marks, in millibits."""
    return millibits(scores.bits) if isinstance(scores, DrawScores) else scores.chance


def hypotheses(item: Marked, listing: Sequence[Marked]) -> list[Json]:
    """Return what each hypothesis would have predicted, what was observed, and how surprising that is."""
    if item.marks is None or item.scores is None or not item.records or item.marks.method == "omission":
        return []

    def of_copy(name: str, party: str, copy: Marked) -> Json:
        surprise = surprise_millibits(copy.planted_found, copy.planted, item.found, item.records)
        expected = 1000 * copy.planted * item.found // item.records
        return _hypothesis(name, expected, copy.planted_found, surprise, party)

    others = sorted(
        (other for other in listing if other.recipient != item.recipient and _is_planted(other)),
        key=lambda other: other.transfer,
    )
    return [
        of_copy("recipient", item.recipient, item),
        of_copy("sender", item.sender, item),
        *(of_copy("other", other.recipient, other) for other in others),
        _hypothesis("none", 0, item.planted_found, chance_of(item.scores)),
    ]


def conclusion(item: Marked, listing: Sequence[Marked], *, is_examined_before: bool = False) -> dict[str, Json]:
    """Return whether the score is enough, and against what it was held.

    It never is where the found file was in hand before the marks were sealed (`is_examined_before`), where the sender
    was content with a bound above MAX_BOUND, or where fewer than MIN_MARKS different marks were found.
    """
    if item.marks is None or item.scores is None:
        return {"is_enough": False}
    seals = sum(other.recipient == item.recipient for other in listing)
    names = len({other.recipient for other in listing})
    if isinstance(item.marks, DrawnPool) or isinstance(item.scores, DrawScores):
        # Whoever prepares for many, and offers where the draw suits, chose among all.
        names = len({other.recipient for other in listing} | item.prepared_for)
        return _conclusion_of_draw(item, names, seals + item.unused, is_examined_before=is_examined_before)
    recipients = max(item.marks.recipients, names)
    needed = needed_millibits(item.marks.threshold_millibits, recipients, item.marks.bound, seals)
    control = item.scores.control
    is_high = item.score >= needed and (control is None or control < allowed(item.marks, needed))
    return {
        "is_enough": is_high and not is_examined_before and not _floors(item.marks, item.different),
        "needed_millibits": needed,
        "score_millibits": item.score,
        "seals": seals,
    }


def _floors(marks: MarksValue | DrawnPool, different: int) -> list[str]:
    """Return what is lacking whatever the score is, as stable words."""
    asked = (("bound-too-high", Decimal(marks.bound) > MAX_BOUND), ("too-few-marks", different < MIN_MARKS))
    return [name for name, is_lacking in asked if is_lacking]


def different_marks(marks: MarksValue, found: Mapping[bytes, Hashable], recipient: str) -> int:
    """Return how many different rows show marks: of a code, at positions of which just one row is found.

    `found` says of each record that is found by which row, or what rows are compared by: records that the mapped
    columns do not tell apart are found by one row, and count once.
    """
    if isinstance(marks, CanaryMarks):
        return len({found[record] for record in marks.planted(recipient) if record in found})
    seen = [[record for record in position.records if record in found] for position in marks.positions]
    return len({found[records[0]] for records in seen if len(records) == 1})


def _conclusion_of_draw(item: Marked, names: int, tries: int, *, is_examined_before: bool) -> dict[str, Json]:
    if not (isinstance(item.marks, DrawnPool) and isinstance(item.scores, DrawScores)):
        return {"is_enough": False}
    is_barred = is_examined_before or bool(_floors(item.marks, item.different))
    return draw_scoring.conclusion(item.marks, item.scores, names, tries, is_barred=is_barred)


def allowed(marks: MarksValue, needed: int) -> int:
    """Return what no control may reach, in millibits: a code has a thousand of them (docs/marks.md §5)."""
    return needed if isinstance(marks, CanaryMarks) else needed + CODE_CONTROLS_MILLIBITS


def would_be_enough(marks: MarksValue, sighting: Sighting, needed: int, planted: int) -> Json:
    """Return how many marks in a file of this size would have been enough: `{"marks": n}`, or why no number would be.

    For a code that is what chance asks for; its word may ask for more.
    """
    if row_bits(marks.bits, sighting.mapped) < MIN_BITS:
        return {"reason": "columns"}
    low, high = 1, planted
    of = len(marks.all_marks)

    def bits(count: int) -> int:
        return millibits(chance_bits(count, of, marks.bits, sighting))

    if planted < MIN_MARKS or bits(high) < needed:
        return {"reason": "rows" if planted >= MIN_MARKS else "marks"}
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if bits(middle) >= needed else (middle + 1, high)
    return {"marks": max(low, MIN_MARKS)}


def why_not(item: Marked | None, ended: Mapping[str, Json], *, is_examined_before: bool = False) -> list[str]:
    """Return why a transfer is not shown to be the origin, as stable words; none where it is."""
    if item is None:
        return ["no-marks"]
    if item.scores is None or item.marks is None:
        return ["marks-not-opened"]
    if ended["is_enough"]:
        return []
    if isinstance(item.scores, DrawScores):
        reasons, is_some = draw_scoring.why_not(item.scores, ended), bool(item.scores.hit or item.scores.seen)
    else:
        reasons, is_some = _why_sealed(item, item.scores, ended), bool(item.scores.found)
    if is_examined_before:
        reasons.append("examined-before")
    return [*reasons, *(_floors(item.marks, item.different) if is_some else [])]


def _why_sealed(item: Marked, scores: Scores, ended: Mapping[str, Json]) -> list[str]:
    reasons, needed = [], ended["needed_millibits"]
    if not scores.found:
        reasons.append("no-marks-found")
    elif item.score < needed:
        reasons.append("score-too-low")
    if scores.control is not None and not isinstance(item.marks, DrawnPool | None):
        reasons += ["controls-score-too"] if scores.control >= allowed(item.marks, needed) else []
    return reasons


def _is_planted(item: Marked) -> bool:
    return item.marks is not None and item.marks.method != "omission"


def _hypothesis(name: str, expected: int, observed: int, surprise: int, party: str | None = None) -> Json:
    document = {
        "expected_milli": expected,
        "hypothesis": name,
        "observed": observed,
        "surprise_millibits": min(surprise, MAX_MILLIBITS),
    }
    return document if party is None else {**document, "party": party}


def controls_of(marks: MarksValue) -> tuple[bytes, ...]:
    """Return the records that were drawn like the marks, and planted nowhere."""
    return marks.control_records if isinstance(marks, CanaryMarks) else ()
