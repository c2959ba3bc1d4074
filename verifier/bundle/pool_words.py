"""What marks from a sealed pool come to, in sentences: what was drawn and seen, and what was not drawn and seen.

Numbers here were computed anew; how they follow from each other is docs/marks.md §9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.bundle.pool import PoolMarks
    from verifier.rules.registry import Preparation


def was_agreed(chain: Chain, case: Case, preparation: Preparation) -> bool:
    """Tell whether the license says just these marks, as the entries before the offer that are here tell."""
    terms = case.license
    if terms is None or terms.body["listing"] != case.raw["listing"]:
        return False
    said = [
        told.body
        for told in chain.told.values()
        if told.index < case.transfer.index and "marking_consent" in told.body
        if told is terms or (told.kind == "license.amended" and told.body.id("license") == terms.statement.id)
    ]
    return bool(said) and preparation.is_marking(said[-1].get("marking", {}))


def drawn_words(marks: PoolMarks, sender: str) -> str:
    """Return what of the pool is in the file, drawn and not drawn."""
    numbers, who = marks.numbers, f"coins of both {sender} and {marks.recipient}"
    if marks.is_code:
        return (
            f"Of {len(marks.pool.value['positions'])} pairs of rows in a sealed pool, {who} drew one row each; of "
            f"{numbers['seen']} pairs just one row is in the file."
        )
    what = (
        f"{numbers['drawn']} of {numbers['drawn'] + numbers['others']} rows of a sealed pool were drawn by {who}, and "
    )
    if marks.pool.is_omission:
        return (
            f"{what}left out of that copy: {numbers['found']} of these are not in the file, and "
            f"{numbers['others_found']} of the {numbers['others']} that were not drawn are not in it either."
        )
    return (
        f"{what}added to that copy: {numbers['found']} of these are in the file, and {numbers['others_found']} of the "
        f"{numbers['others']} that were not drawn are in it too."
    )


def item_words(item: dict[str, Any]) -> str:
    """Return what an item of the evidence says of one copy's marks, opened or not (docs/bundle.md §4)."""
    if item["status"] == "withheld":
        return "marks withheld"
    if "seen" in item:
        return f"{item['seen']} positions seen"
    if "drawn" in item:
        drawn, others = f"{item['found']} of {item['drawn']}", f"{item['others_found']} of {item['others']}"
        return f"{drawn} rows that were drawn speak, and {others} that were not"
    return f"{item['found']} of {item['of']} marks found"


def innocent_words(marks: PoolMarks) -> str:
    """Return the beginning of what would happen by chance."""
    if marks.is_code:
        return "Rows that were shown without regard to that draw would follow it so closely"
    return "Rows that stand in a file, or do not, without regard to that draw would so often be those that were drawn"


def about_draw(marks: PoolMarks, offer_index: int) -> list[str]:
    """Return what the draw rests on."""
    preparation = marks.preparation
    return [
        (
            f"The pool was sealed at entry {preparation.index}. {marks.recipient} added its coin at entry "
            f"{preparation.requested_index}, over a tree that it had seen and that holds that entry, and the sender's "
            f"coin was opened only by the offer, entry {offer_index}: neither could choose what is drawn, but "
            f"both of them together could."
        ),
        "That this was before the leak rests on the times of these entries.",
    ]
