"""What a bundle comes to, as facts: all that a report says is proved, and all that it leaves open, follows from these.

Imports what was examined; says nothing itself. `sentences` has the words, of each fact both halves together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from verifier.bundle.custody import first_handled_ms
from verifier.bundle.enough import NOT_OPENED
from verifier.bundle.marks import Seal, opened_value
from verifier.bundle.pool import PoolMarks
from verifier.bundle.pool_words import was_agreed
from verifier.bundle.weight import ratio_millibits

if TYPE_CHECKING:
    from verifier.bundle.bundle import Examination
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.bundle.form import Bundle


class Receipt(Enum):
    """What the recipient signed about the hand-off."""

    NOTHING = "neither acknowledged nor refused"
    REFUSED = "refused"
    SEALED = "acknowledged, and for what is not opened"
    OTHER = "acknowledged, for other content"
    SAME = "acknowledged, for this content"


@dataclass(frozen=True, slots=True)
class Score:
    """What the opened marks of the hand-off say, in millibits, and by whose word: all of it was computed anew."""

    score: int
    needed: int
    seals: int
    ratio: int | None
    expected: int
    observed: int
    """Marks that a part of the copy like what was found would hold, and those that were found."""
    surprise: int
    different: int
    """Rows of the file that show a mark, as far as they are different."""
    bound: str
    is_code: bool
    is_drawn: bool
    pool: PoolMarks | None = None
    """Where the marks were drawn from a sealed pool, what is known of these."""
    is_agreed: bool = False
    """Both had agreed, before the offer, how its copy is marked and by which bound."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case whose bundle was read; `score` is None where its marks were not opened."""

    sender: str
    respondent: str
    offer_index: int
    offer_ms: int
    receipt: Receipt
    receipt_index: int | None
    is_read: bool
    """The found file was read here."""
    found_name: str
    found_sha256: str
    row_count: int
    column_count: int
    holders: tuple[str, ...]
    """Who had the file, by the custody that somebody wrote down."""
    examined_ms: int | None
    file_count: int | None
    """How many files were examined against the listing, by the claimant's word; None if it does not say."""
    score: Score | None
    shortcomings: tuple[str, ...]
    """Why the marks do not show where the file comes from; none if they do."""
    was_called_enough: bool
    """The evidence says that they do."""
    withheld: int
    """Seals for the respondent that were not opened."""
    closed: int
    """Seals for others that were not."""


def read_facts(examination: Examination) -> Facts | None:
    """Return the facts of a bundle, None where too little of it could be read."""
    bundle, chain, case = examination.bundle, examination.chain, examination.case
    if bundle is None or chain is None or case is None:
        return None
    evidence, tried, found = bundle.evidence, examination.tried, examination.found
    receipt, receipt_index = _receipt(bundle, chain, case)
    return Facts(
        sender=case.sender,
        respondent=case.respondent,
        offer_index=case.transfer.index,
        offer_ms=case.transfer.time_ms,
        receipt=receipt,
        receipt_index=receipt_index,
        is_read=found is not None and found.is_read,
        found_name=evidence["found"]["name"],
        found_sha256=evidence["found"]["sha256"],
        row_count=evidence["found"]["count"],
        column_count=len(evidence["found"].get("columns", ())),
        holders=tuple(sorted({item["who"] for item in evidence["custody"]})),
        examined_ms=first_handled_ms(evidence),
        file_count=evidence["counts"].get("examined"),
        score=_score(examination),
        shortcomings=(NOT_OPENED,) if tried is None else tried.shortcomings,
        was_called_enough=evidence["conclusion"]["is_enough"],
        withheld=0 if tried is None else sum(told.statement.id not in tried.seals for told in tried.handoffs),
        closed=0 if tried is None else sum(told.statement.id not in tried.seals for told in tried.others),
    )


def _receipt(bundle: Bundle, chain: Chain, case: Case) -> tuple[Receipt, int | None]:
    """Return what the recipient signed, and at which entry."""
    transfer = chain.registry.transfers[case.transfer.statement.id]
    if transfer.decided_index is None:
        return Receipt.NOTHING, None
    if transfer.state == "refused":
        return Receipt.REFUSED, transfer.decided_index
    if "opens" in chain.told[transfer.decided_index].body:  # it is what the offer committed to, or was refused
        return Receipt.SAME, transfer.decided_index
    received = opened_value(bundle, chain.told[transfer.decided_index], "/content")
    offered = opened_value(bundle, case.transfer, "/content")
    if received is None or offered is None:
        return Receipt.SEALED, transfer.decided_index
    return Receipt.SAME if received == offered else Receipt.OTHER, transfer.decided_index


def _score(examination: Examination) -> Score | None:
    bundle, tried, chain, case = examination.bundle, examination.tried, examination.chain, examination.case
    if bundle is None or chain is None or case is None or tried is None or tried.own is None:
        return None
    if "score_millibits" not in bundle.evidence["conclusion"]:
        return None
    ended, own = bundle.evidence["conclusion"], tried.own
    first = next(iter(bundle.evidence["hypotheses"]), {"expected_milli": 0, "observed": 0, "surprise_millibits": 0})
    return Score(
        score=ended["score_millibits"],
        needed=ended["needed_millibits"],
        seals=ended["seals"],
        ratio=ratio_millibits(bundle.evidence),
        expected=first["expected_milli"] // 1000,
        observed=first["observed"],
        surprise=first["surprise_millibits"],
        different=own.different,
        bound=own.bound,
        is_code=own.is_code,
        is_drawn=isinstance(own, Seal) and own.value["origin"] == "drawn",
        pool=own if isinstance(own, PoolMarks) else None,
        is_agreed=isinstance(own, PoolMarks) and was_agreed(chain, case, own.preparation),
    )
