"""From what a verifier reads, and nothing else, to the finished files: pages, archive, and the report, set by Typst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ledger.party.chain.gathering import Story
from ledger.party.chain.told import parties_of, select
from ledger.party.evidence.parts.archive import as_json, pack_entries, zip_members
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report.fonts import absent_words
from ledger.party.evidence.report.papers import PAGES, pages, verify_page
from ledger.party.evidence.report.pdf import report_pdf
from ledger.party.evidence.report.story import tell
from ledger.party.evidence.report.verdict import Verdict, judge_evidence
from ledger.party.evidence.single import single_page
from ledger.party.interop.exporting import Format, export
from ledger.party.vault.disclosures import format_disclosures

_WRITTEN = (*PAGES, "report.pdf", "verify.html")


@dataclass(frozen=True)
class Built:
    """A bundle: the ZIP, the report that carries it, the page that holds it, and what the evidence comes to."""

    archive: bytes
    report: bytes
    page: bytes
    documents: Documents
    verdict: Verdict
    left_out: tuple[str, ...] = ()
    """What would have been in it, and could not be had: a sentence each, for whoever made it."""


def machine_members(documents: Documents) -> dict[str, bytes]:
    """Return the members that follow from the documents alone."""
    gathered, case = documents.gathered, documents.case
    members = {
        "case.json": as_json(case.document()),
        "checkpoint.txt": gathered.note,
        "disclosures.json": format_disclosures(documents.disclosures, f"the case of {case.claimant}"),
        "evidence.json": as_json(dict(documents.evidence)),
        "judgement.json": as_json(dict(documents.judgement)),
        "provenance.json": _provenance(documents),
    }
    members["entries.bin"] = pack_entries(gathered.entries)
    members["inclusion.bin"] = b"".join(gathered.inclusion)
    for number, history in enumerate(gathered.histories):
        members[f"histories/{number}.json"] = as_json(history)
    return members


def finish(documents: Documents, others: Mapping[str, bytes]) -> Built:
    """Return the finished bundle; `others` are members that are taken as they are, by path.

    Raises MissingExtra where a library is missing, Missing without the page, TooLarge.
    """
    members = machine_members(documents) | dict(others)
    documents = replace(documents, paths=tuple(sorted({*members, *_WRITTEN})))
    story = tell(documents)
    page = verify_page()
    members |= pages(story) | {"report.pdf": report_pdf(story).pdf, "verify.html": page}
    archive = zip_members(members, documents.made)
    report = report_pdf(story, archive)
    return Built(
        archive=archive,
        report=report.pdf,
        page=single_page(page, archive),
        documents=documents,
        verdict=judge_evidence(documents),
        left_out=(absent_words(report.absent),) if report.absent else (),
    )


def _provenance(documents: Documents) -> bytes:
    """Return the case's hand-off as PROV-JSON; what is sealed stands there as its commitment."""
    told = documents.gathered.told()
    statements = select(told, documents.case.transfer)
    names = {name for one in statements for name in parties_of(one)}
    registered = {
        one.issuer: one
        for one in reversed(told)
        if one.type in {"party.registered", "ledger.created"} and one.issuer in names
    }
    return export(Story(documents.case.transfer, statements, registered), Format.PROV_JSON)
