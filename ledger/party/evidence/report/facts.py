"""What a bundle comes to, as facts: whatever a report says is shown, or is not, follows from these, and from one place.

Each fact has its words here, those of what is shown beside those of what is not: so no page of a report contradicts
another. They say what a verifier recomputes from the bundle, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ledger.core.encoding import Json
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.documents import Documents, by_id
from ledger.party.evidence.report.sentences import stamp

_MARKING = ("bound", "method", "recipients")


class Receipt(Enum):
    """What the recipient signed about the hand-off."""

    NOTHING = "neither acknowledged nor refused"
    REFUSED = "refused"
    SEALED = "acknowledged, and for what is not opened"
    OTHER = "acknowledged, for other content"
    SAME = "acknowledged, for this content"


@dataclass(frozen=True)
class Facts:
    """The hand-off in question, its marks and its found file, as far as the bundle itself says."""

    offer: Told
    respondent: str
    receipt: Receipt
    decided: Told | None
    is_file_here: bool
    rows: int
    columns: int
    stated: Mapping[str, Json] | None
    """`bound` and `method` of the marks, as they stand in the open; None of a copy without any."""
    prepared: Told | None
    """What sealed the pool that they were drawn from, before the draw."""
    is_agreed: bool
    """The license says the same bound, method and number of recipients."""

    @property
    def is_code(self) -> bool:
        """The marks are a code."""
        return self.stated is not None and self.stated["method"] == "tardos"

    @property
    def sender(self) -> str:
        """Who made the copy."""
        return self.offer.issuer

    @property
    def copy(self) -> str:
        """The copy in question, named."""
        return f"the copy that {self.sender} made for {self.respondent}"

    def held(self) -> str:
        """Return who had the copy: the recipient only by its signature for this very content."""
        who, at = self.respondent, self.decided.index if self.decided is not None else None
        if self.receipt is Receipt.SAME:
            return f"Both of them held it, by their own signatures: {who} signed for this very content at entry {at}."
        unshown = {
            Receipt.NOTHING: f"that {who} ever had it is not shown: it neither acknowledged nor refused it",
            Receipt.REFUSED: f"that {who} ever had it is not shown: it refused it at entry {at}",
            Receipt.SEALED: f"{who} acknowledged something under this hand-off at entry {at}, and that it is this "
            "content is not shown",
            Receipt.OTHER: f"that {who} ever had it is not shown: at entry {at} it acknowledged other content",
        }
        return f"{self.sender} held it; {unshown[self.receipt]}."

    def state(self) -> str:
        """Return what became of the offer."""
        if self.decided is None:
            return "It was neither acknowledged nor refused."
        who, when = self.decided.issuer, f"on {stamp(self.decided.time_ms)} (entry {self.decided.index})"
        return {
            Receipt.REFUSED: f"{who} refused it {when}.",
            Receipt.SEALED: f"{who} acknowledged something under it {when}. What it signed for is sealed under its own "
            "salt and not opened here: that it is this content is not shown.",
            Receipt.OTHER: f"{who} signed {when} for other content than was offered. Both are opened here, and differ.",
            Receipt.SAME: f"{who} signed {when} for this very content: {self._sameness()}.",
        }[self.receipt]

    def _sameness(self) -> str:
        """Return how it is known that both signed for one content."""
        if self.decided is not None and "opens" in self.decided.fields:
            return "it says that what it computed opens what the offer committed to, and it computed that or was told"
        return "both are opened here, and are the same. It computed that from the data, or was told"

    def unshown_delivery(self) -> str | None:
        """Return what the bundle does not show of the delivery; None where the recipient signed for this content."""
        return {
            Receipt.NOTHING: f"That {self.respondent} received the copy: it neither acknowledged nor refused it.",
            Receipt.REFUSED: f"That {self.respondent} received the copy: it refused it.",
            Receipt.SEALED: f"That {self.respondent} signed for this very content: it sealed what it signed for under "
            "its own salt, which only it can open.",
            Receipt.OTHER: f"That {self.respondent} received the copy: it signed for other content.",
            Receipt.SAME: None,
        }[self.receipt]

    def premise(self) -> str:
        """Return what every number rests on that no verifier can check."""
        if self.prepared is not None:
            return f"{self.sender} and {self.respondent} did not choose the draw together"
        if self.is_code:
            return f"the code's key was drawn at random, as {self.sender} says"
        return f"every mark was as unlikely as {self.sender} says"

    def file(self) -> str:
        """Return what the conclusion is about: the found file only where it is in the bundle, for anybody to read."""
        if self.is_file_here:
            return "the file"
        return f"a file of {self.rows:,} rows and {self.columns:,} columns that holds the rows shown"


def read_facts(documents: Documents) -> Facts:
    """Return the facts of a bundle."""
    told = documents.gathered.told()
    offer, found = by_id(told)[documents.case.transfer], documents.evidence["found"]
    marks = offer.fields.get("marks")
    prepared = by_id(told).get(str(marks.get("prepared"))) if isinstance(marks, dict) else None
    stated = prepared.fields if prepared is not None else marks
    receipt, decided = _receipt(documents, offer)
    return Facts(
        offer=offer,
        respondent=documents.case.respondent,
        receipt=receipt,
        decided=decided,
        is_file_here="path" in found,
        rows=found["count"],
        columns=len(found.get("columns", ())),
        stated=stated if isinstance(stated, Mapping) and "bound" in stated else None,
        prepared=prepared,
        is_agreed=prepared is not None and _marking(told, offer) == {name: prepared.fields[name] for name in _MARKING},
    )


def _marking(told: Sequence[Told], offer: Told) -> Json:
    """Return how the license of the hand-off says that copies are marked, as it stood then; None if it does not."""
    agreed = offer.name("license")
    said = [
        one.fields.get("marking")
        for one in told
        if one.index < offer.index and "marking_consent" in one.fields and agreed in {one.id, one.name("license")}
    ]
    return said[-1] if said else None


def _receipt(documents: Documents, offer: Told) -> tuple[Receipt, Told | None]:
    """Return what the recipient signed, and the entry that says so."""
    kinds = {"transfer.acknowledged", "transfer.refused"}
    decided = next(
        (one for one in documents.gathered.told() if one.type in kinds and one.name("transfer") == offer.id), None
    )
    if decided is None:
        return Receipt.NOTHING, None
    if decided.type == "transfer.refused":
        return Receipt.REFUSED, decided
    if "opens" in decided.fields:  # it is what the offer committed to, or the ledger had refused it
        return Receipt.SAME, decided
    contents = {item.statement_id: item.value for item in documents.disclosures if item.kind == "content"}
    if offer.id not in contents or decided.id not in contents:
        return Receipt.SEALED, decided
    return Receipt.SAME if contents[offer.id] == contents[decided.id] else Receipt.OTHER, decided
