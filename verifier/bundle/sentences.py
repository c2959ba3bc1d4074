"""Of each fact what it proves and what it leaves open, side by side, so that the two cannot say different things.

What somebody wrote stands in quotes. Every sentence says no more than was computed here (docs/bundle.md §6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.bundle.enough import BEFORE, BOUND_TOO_HIGH, CONTROL, NOT_OPENED, SINCE, TOO_FEW, TOO_LOW
from verifier.bundle.facts import Receipt
from verifier.bundle.pool_words import about_draw, drawn_words, innocent_words
from verifier.bundle.weight import SURPRISING_MILLIBITS, factor, odds, support
from verifier.core.words import format_time, quote

if TYPE_CHECKING:
    from verifier.bundle.facts import Facts, Score
    from verifier.bundle.pool import PoolMarks

UNREAD = (
    "Nothing about any file: the one that was found is not in the bundle and was not given (--found), so no program "
    "read it."
)


def format_bits(millibits: int) -> str:
    """Return thousandths of a bit as bits."""
    return f"{millibits // 1000}.{millibits % 1000:03d}"


def origin(facts: Facts) -> list[str]:
    """Return what follows for the found file: where it was read, or if it holds the rows that are shown."""
    if facts.shortcomings or facts.score is None:
        return [_not_enough(facts)]
    copy = f"the copy that {facts.sender} made for {facts.respondent}, the hand-off of entry {facts.offer_index}"
    file = (
        f"the file {quote(facts.found_name)} (SHA-256 {facts.found_sha256})"
        if facts.is_read
        else f"a file of {facts.row_count} rows and {facts.column_count} columns that holds the rows shown"
    )
    return [
        f"If {_premise(facts, facts.score)}, {file} derives from {copy}. {_held(facts)}",
        _chance(facts, facts.score),
        *_weight(facts.score),
        (
            f"The marks do not distinguish {facts.respondent} from {facts.sender}: whichever of them let the copy out, "
            "the file is the same (a likelihood ratio of 1). It is not proved who did, nor that anybody meant to."
        ),
    ]


def _held(facts: Facts) -> str:
    """Say who had the copy: the recipient only by its signature for this very content."""
    who, at = facts.respondent, facts.receipt_index
    if facts.receipt is Receipt.SAME:
        return f"Both of them held it, by their own signatures: {who} signed for this very content at entry {at}."
    unshown = {
        Receipt.NOTHING: f"that {who} ever had it is not shown: it neither acknowledged nor refused it",
        Receipt.REFUSED: f"that {who} ever had it is not shown: it refused it at entry {at}",
        Receipt.SEALED: f"{who} acknowledged something under this hand-off at entry {at}, and that it is this content "
        "is not shown",
        Receipt.OTHER: f"that {who} ever had it is not shown: at entry {at} it acknowledged other content",
    }
    return f"{facts.sender} held it; {unshown[facts.receipt]}."


def about_receipt(facts: Facts) -> str:
    """Return what stays open of the recipient's word."""
    who, at = facts.respondent, facts.receipt_index
    return {
        Receipt.NOTHING: f"Nothing here says that {who} received the copy: it neither acknowledged nor refused it.",
        Receipt.REFUSED: f"Nothing here says that {who} received the copy: it refused it (entry {at}).",
        Receipt.SEALED: f"What {who} acknowledged at entry {at} is under a seal of its own, which was not opened: that "
        "it is this content is not shown.",
        Receipt.OTHER: f"{who} signed for other content (entry {at}) than was offered: nothing here says that it "
        "received this copy.",
        Receipt.SAME: f"Whether {who} computed the content that it signed for (entry {at}), or was told it, is not "
        "shown.",
    }[facts.receipt]


def _chance(facts: Facts, score: Score) -> str:
    if score.pool is not None:
        return _drawn(facts, score, score.pool)
    innocent = (
        "Somebody whose copy had no part in it would seem to have one this clearly"
        if score.is_code
        else "A file that owes nothing to that copy would hold so many of its marks"
    )
    return (
        f"{innocent} with a chance of {odds(score.score)} (a score of {format_bits(score.score)} bits, where "
        f"{format_bits(score.needed)} were needed for the bound of {score.bound} that {facts.sender} stated"
        f"{_picked(score)}). No control reached what was needed."
    )


def _picked(score: Score) -> str:
    return f", for {score.seals} seals that could have been picked" if score.seals > 1 else ""


def _drawn(facts: Facts, score: Score, pool: PoolMarks) -> str:
    """Say what of a pool is in the file, and how rare that would be of a file that owes nothing to the draw."""
    whose = f"{facts.sender} and {facts.respondent} had agreed on" if score.is_agreed else f"{facts.sender} stated"
    return (
        f"{drawn_words(pool, facts.sender)} {innocent_words(pool)} with a chance of {odds(score.score)} (a score of "
        f"{format_bits(score.score)} bits, where {format_bits(score.needed)} were needed for the bound of "
        f"{score.bound} that {whose}{_picked(score)})."
    )


def _premise(facts: Facts, score: Score) -> str:
    """Say what every number rests on that nobody here can check."""
    if score.pool is not None:
        return f"{facts.sender} or {facts.respondent} took its coin at random"
    if score.is_code:
        return f"the code's key was drawn at random, as {facts.sender} says"
    return f"every mark was as unlikely as {facts.sender} says"


def _weight(score: Score) -> list[str]:
    """Say how the explanations compare; how probable each was before is nobody's here."""
    if score.ratio is None:
        return []
    return [
        (
            f"What was found is {factor(score.ratio)} as probable if the file derives from that copy as if it derives "
            f"from another one, or from none: {support(score.ratio)} for that copy (ENFSI's scale of 2015). How "
            "probable each was before is for the court."
        )
    ]


def _not_enough(facts: Facts) -> str:
    said = "Nothing about where the file comes from"
    score = facts.score
    if score is None or NOT_OPENED in facts.shortcomings:
        return f"{said}: no marks of the hand-off were opened."
    why = {
        TOO_LOW: f"its marks reach {format_bits(score.score)} bits, and {format_bits(score.needed)} are needed",
        CONTROL: "a control reaches what is needed too",
        BEFORE: f"it was examined at {format_time(facts.examined_ms or 0)}, before the marks were sealed at "
        f"{format_time(facts.offer_ms)} (entry {facts.offer_index})",
        BOUND_TOO_HIGH: f"the bound that {facts.sender} stated, {score.bound}, is above 0.001",
        TOO_FEW: f"{score.different} different marks were found, and fewer than three can travel by accident",
    }
    earlier = (
        " By the rule when this was made it was called enough."
        if facts.was_called_enough and SINCE.issuperset(facts.shortcomings)
        else ""
    )
    return f"{said}: {'; '.join(why[name] for name in facts.shortcomings)}.{earlier}"


def about_found(facts: Facts) -> list[str]:
    """Return what stays open of the found file."""
    lines = []
    if not facts.is_read:
        named = ", ".join(map(quote, facts.holders)) or "nobody named"
        lines.append(
            f"That there is a file that holds the rows shown, how many others are in it, and that no control is among "
            f"these, is the word of {named}."
        )
    lines.append("Where the file was found, and by whom, is the word of whoever says so.")
    lines.append("How many records were found, and how many others hold them, is the claimant's word.")
    if facts.file_count is None:
        lines.append("How many files were examined against this listing is not said.")
    else:
        lines.append(f"1 of {facts.file_count} files examined against this listing: the claimant's own count.")
    return lines


def about_marks(facts: Facts) -> list[str]:
    """Return what stays open of the marks."""
    lines = []
    if facts.withheld:
        lines.append(f"{facts.withheld} seals of marks for {facts.respondent} were not opened; the bound counts them.")
    if facts.closed:
        lines.append(
            f"{facts.closed} seals of marks for other recipients were not opened: they were not tried on the file."
        )
    score = facts.score
    if score is None:
        return lines
    if score.pool is not None:
        return [*lines, *about_draw(score.pool, facts.offer_index), *_surprising(score)]
    how = "drawn by a program" if score.is_drawn else "brought by the company"
    lines.append(
        f"That the marks stand nowhere else, and how unlikely each was, is the word of {facts.sender} ({how})."
    )
    lines.append(
        f"The marks were sealed at entry {facts.offer_index}: that this was before the leak rests on its time."
    )
    return lines + _surprising(score)


def _surprising(score: Score) -> list[str]:
    """Say where so many marks are not what a part of that copy would hold."""
    if score.surprise < SURPRISING_MILLIBITS:
        return []
    return [
        (
            f"A part of that copy taken at random, as large as what was found, would hold about {score.expected} of "
            f"its marks, and {score.observed} were found: rows were chosen, copies were pooled, or somebody who knew "
            "the marks added or removed them. So no likelihood ratio is given."
        )
    ]
