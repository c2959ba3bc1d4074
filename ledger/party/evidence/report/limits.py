"""What the evidence does not show: said in every report, and longer if there is less evidence."""

from __future__ import annotations

from ledger.party.evidence.parts.documents import Documents

_SURPRISING_MILLIBITS = 20_000
"""What happens once in a million times is said."""


def limits(documents: Documents, is_enough: bool) -> list[str]:  # noqa: FBT001 - the one thing that it depends on
    """Return the limits of this bundle, each a sentence or two."""
    case, evidence = documents.case, documents.evidence
    found = [
        (
            f"Who let the file out. {holders(documents)}, and so does whoever got it from there. The marks name a "
            "copy; they name no person."
        ),
        "How and when the file left, and by whose hand.",
        (
            "That a key belongs to a company. Names are names on the ledger; compare the keys with those that the "
            "companies themselves publish ('verifier bundle --parties')."
        ),
        "Where the found file was found. That is the word of whoever is named under custody.",
        "That the data are true, or that anybody has a right in them. That is for the license and the law.",
    ]
    if case.acts:
        found.append(
            "That the acts alleged took place. The judgement says what the license, as it stood then, allowed if they "
            "did."
        )
    found += _delivery(documents)
    counts = evidence["counts"]
    if counts["records_found"]:
        found.append(
            "That nobody else holds the matching records: which are exclusive is the claimant's word, from the "
            "hand-offs that its own machine knows of."
        )
    found += _fit(documents)
    if not is_enough:
        found.append("From which copy the file derives: the evidence is below what was agreed to be needed.")
    if any(item["status"] == "withheld" for item in evidence["marks"]):
        found.append(
            "What the withheld marks would show. The claimant handed further marked copies to the same recipient and "
            "did not open their seals; the score that is needed was raised for them."
        )
    completeness = documents.completeness()
    if completeness == "complete according to the operator":
        found.append(
            "That the ledger recorded nothing else about this dataset, other than by the signed word of its operator."
        )
    elif completeness == "omissions possible":
        found.append("That the ledger recorded nothing else about this dataset: entries may have been left out.")
    if not documents.cosigned_s():
        found.append(
            "That the operator showed everybody the same ledger: no witness that the claimant's policy trusts has "
            "cosigned this state of it. Times of entries are the operator's word."
        )
    if "found" in evidence and "path" not in evidence["found"]:
        found.append(
            "The found file itself, which is not in this bundle. Give it to the verifier (--found) to have the rows "
            "compared with it."
        )
    return found


def _fit(documents: Documents) -> list[str]:
    """Return that so many marks are not what a part of that copy would hold, where they are not."""
    for item in documents.evidence["hypotheses"]:
        if item["hypothesis"] == "recipient" and item["surprise_millibits"] >= _SURPRISING_MILLIBITS:
            return [
                (
                    f"Why {item['observed']} marks were found, where a part of that copy taken at random, as large as "
                    f"what was found, would hold about {item['expected_milli'] // 1000}: rows were chosen, copies were "
                    "pooled, or somebody who knew the marks added or removed them."
                )
            ]
    return []


def acknowledgements(documents: Documents) -> list[str]:
    """Return the ids of the entries by which the recipient says that it has the copy: one, or none."""
    return [
        told.id
        for told in documents.gathered.told()
        if told.type == "transfer.acknowledged" and told.name("transfer") == documents.case.transfer
    ]


def holders(documents: Documents) -> str:
    """Return who had the copy, as far as somebody said so of itself: the recipient only if it acknowledged it."""
    case = documents.case
    sender = next(told.issuer for told in documents.gathered.told() if told.id == case.transfer)
    if acknowledgements(documents):
        return f"{case.respondent}, which acknowledged it, and {sender}, which made it, both held this very copy"
    return f"{sender}, which made it, held this very copy, and {case.respondent} never acknowledged it"


def _delivery(documents: Documents) -> list[str]:
    """Return what is not shown of the recipient's countersignature."""
    case = documents.case
    contents = {item.statement_id for item in documents.disclosures if item.kind == "content"}
    acknowledged = acknowledgements(documents)
    if not acknowledged:
        return [f"That {case.respondent} received the copy: it did not acknowledge it."]
    if contents.issuperset(acknowledged):
        return []
    words = f"That {case.respondent} signed for this very content: it sealed what it signed for under its own salt,"
    return [f"{words} which only it can open."]
