"""What marks from pools say in a trace and in evidence (docs/marks.md §9.4, docs/bundle.md §4). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.core.encoding import Json
from ledger.party.marks.bits import millibits
from ledger.party.marks.draw_score import DrawScores, needed_for
from ledger.party.marks.weight import CODE_CONTROLS_MILLIBITS, is_shared
from ledger.party.trace.drawn import DrawnPool


def marks_document(transfer: str, drawn: DrawnPool, scores: DrawScores) -> dict[str, Json]:
    """Return what stands of one transfer among `marks`."""
    common = {
        "paid_millibits": millibits(scores.paid),
        "score_millibits": millibits(scores.score),
        "status": "opened",
        "transfer": transfer,
    }
    if drawn.method == "tardos":
        return common | {"seen": scores.seen, "word_millibits": millibits(scores.bits)}
    return common | {
        "drawn": scores.drawn,
        "found": scores.hit,
        "others": scores.others,
        "others_found": scores.others_hit,
    }


def conclusion(
    drawn: DrawnPool, scores: DrawScores, recipients: int, tries: int, *, is_barred: bool
) -> dict[str, Json]:
    """Return whether the score is enough; `recipients` are those that are known, `tries` what could be chosen from.

    It never is where something else bars it (`is_barred`): custody, or one of the floors of docs/marks.md §5.
    """
    needed = needed_for(max(drawn.recipients, recipients), drawn.bound, tries)
    score = millibits(scores.score)
    is_vetoed = scores.control is not None and millibits(scores.control) >= needed + CODE_CONTROLS_MILLIBITS
    is_enough = score >= needed and not is_vetoed and not is_barred
    return {"is_enough": is_enough, "needed_millibits": needed, "score_millibits": score, "seals": tries}


def why_not(scores: DrawScores, ended: Mapping[str, Json]) -> list[str]:
    """Return what the score lacks, as stable words."""
    reasons = []
    if not (scores.hit or scores.seen):
        reasons.append("no-marks-found")
    elif ended["score_millibits"] < ended["needed_millibits"]:
        # Rows that were not drawn stand there, or lack, half as often at least: then so may those that were.
        shared = is_shared(scores.hit, scores.drawn, scores.others_hit, scores.others)
        reasons.append("others-found-as-often" if shared else "score-too-low")
    needed = ended["needed_millibits"] + CODE_CONTROLS_MILLIBITS
    if scores.control is not None and millibits(scores.control) >= needed:
        reasons.append("controls-score-too")
    return reasons
