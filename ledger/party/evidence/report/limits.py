"""What the evidence does not show: said in every report, and longer if there is less evidence."""

from __future__ import annotations

from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report.facts import Facts, read_facts
from ledger.party.marks.weight import SURPRISING_MILLIBITS, undistinguished


def limits(documents: Documents, is_enough: bool) -> list[str]:  # noqa: FBT001 - the one thing that it depends on
    """Return the limits of this bundle, each a sentence or two."""
    case, evidence, facts = documents.case, documents.evidence, read_facts(documents)
    found = [
        (
            f"Who let the file out. {undistinguished(case.respondent, facts.sender)} {facts.held()} Somebody may have "
            "taken it from where it was. The marks name a copy; they name no person."
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
    found += filter(None, [facts.unshown_delivery()])
    found += _premise(documents, facts)
    found.append(_examined(evidence["counts"].get("examined")))
    counts = evidence["counts"]
    if counts["records_found"]:
        found.append(
            "That nobody else holds the matching records: which are exclusive is the claimant's word, from the "
            "hand-offs that its own machine knows of."
        )
    found += _fit(documents)
    if not is_enough:
        found.append("From which copy the file derives: the evidence is below what is needed for that.")
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
    if not facts.is_file_here:
        found.append(
            "That there is a file that holds the rows shown, and how many others are in it. It is not in this bundle: "
            "give it to the verifier (--found), which says so much only on that condition."
        )
    return found


def _premise(documents: Documents, facts: Facts) -> list[str]:
    """Return what the numbers rest on that nothing here shows."""
    if facts.prepared is not None:
        who = f"{facts.sender} and {facts.respondent}"
        return [f"That {who} did not choose the draw together. Nobody else's number rests on that."]
    if any(item["status"] == "opened" for item in documents.evidence["marks"]):
        whose = f"That is the word of {facts.sender}, which had them made."
        return [f"That the marks stand nowhere else, and how unlikely each was. {whose}"]
    return []


def _examined(count: int | None) -> str:
    if count is None:
        return "How many files were examined against this dataset."
    return (
        f"What other files would have shown. 1 of {count:,} files examined against this listing is the claimant's own "
        "count, and whoever tries many finds something by chance in one of them."
    )


def _fit(documents: Documents) -> list[str]:
    """Return that so many marks are not what a part of that copy would hold, where they are not."""
    for item in documents.evidence["hypotheses"]:
        if item["hypothesis"] == "recipient" and item["surprise_millibits"] >= SURPRISING_MILLIBITS:
            return [
                (
                    f"Why {item['observed']} marks were found, where a part of that copy taken at random, as large as "
                    f"what was found, would hold about {item['expected_milli'] // 1000}: rows were chosen, copies were "
                    "pooled, or somebody who knew the marks added or removed them."
                )
            ]
    return []
