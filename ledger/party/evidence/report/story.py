"""A report's contents in plain words, computed from what a verifier reads and nothing else (docs/bundle.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.core.encoding import Json
from ledger.party.acts.terms_in_words import describe
from ledger.party.answers.versions import read_statement
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.documents import Documents, by_id
from ledger.party.evidence.report import numbers
from ledger.party.evidence.report.events import Event, Tale, handoffs
from ledger.party.evidence.report.limits import holders, limits
from ledger.party.evidence.report.measured import bound_words, control_words, hypothesis_words, mark_words, match_words
from ledger.party.evidence.report.pictures import Arrow, arrows_of, graph, timelines
from ledger.party.evidence.report.sentences import stamp
from ledger.party.vault.disclosures import Disclosure


@dataclass(frozen=True)
class Verdict:
    """What the evidence comes to: one sentence, and why."""

    is_enough: bool
    headline: str
    reason: str


def tell(documents: Documents) -> dict[str, Any]:
    """Return everything that a report shows: words, tables and drawings; the same for the same bundle."""
    tale = Tale(documents)
    told = by_id(tale.told)
    case, evidence = documents.case, documents.evidence
    verdict = judge_evidence(documents)
    arrows = arrows_of(list(handoffs(tale.told)), tale.told, tale.labels, case.transfer)
    found_name = evidence["found"]["name"]
    if verdict.is_enough:
        arrows.append(Arrow(case.respondent, found_name, ("derives from this copy",), is_central=True, is_dashed=True))
    offer = told[case.transfer]
    return {
        "title": tale.title,
        "case": case.document(),
        "label": tale.label(case.transfer),
        "sender": offer.issuer,
        "verdict": verdict,
        "made": {**documents.made, "at": stamp(documents.made["at_ms"])},
        "parties": _parties(documents, tale.told),
        "found": _found(evidence["found"]),
        "custody": [{**item, "at": stamp(item["at_ms"])} for item in evidence["custody"]],
        "handoff": _handoff(documents, tale),
        "license": _license(tale, case.license),
        "claim": _claim(tale, case.claim),
        "counts": {name: f"{count:,}" for name, count in evidence["counts"].items()},
        "marks": [mark_words(tale, item) for item in evidence["marks"]],
        "bound": bound_words(offer),
        "controls": control_words(tale, evidence),
        "hypotheses": [hypothesis_words(item, case.respondent, offer.issuer) for item in evidence["hypotheses"]],
        "records": match_words(evidence),
        "acts": _acts(documents, tale),
        "findings": [_finding(item, tale) for item in documents.judgement["findings"]],
        "events": [_row(event) for event in tale.entries()],
        "timelines": timelines(tale.timeline()),
        "graph": graph(offer.issuer, arrows, found_name if verdict.is_enough else None),
        "keys": _keys(documents),
        "log": _log(documents),
        "limits": limits(documents, verdict.is_enough),
        "opened": [_opened(item, tale) for item in documents.disclosures],
        "withheld": [
            {"index": index, "pointer": pointer, "commitment": commitment}
            for index, pointer, commitment in documents.withheld()
        ],
        "paths": list(documents.paths),
    }


def judge_evidence(documents: Documents) -> Verdict:
    """Return what the conclusion of `evidence.json` says, in words."""
    case, conclusion = documents.case, documents.evidence["conclusion"]
    copy = f"the copy that was made for {case.respondent} under the hand-off in question"
    if "score_millibits" not in conclusion:
        return Verdict(
            is_enough=False,
            headline="The evidence is not enough to say from which copy the file derives.",
            reason="No marks of that copy were opened. Matching records alone have no error bound: others may hold "
            "the same records.",
        )
    is_here = "path" in documents.evidence["found"]
    subject = "The file" if is_here else "If the rows that are shown are in it, the file"
    score, needed = conclusion["score_millibits"], conclusion["needed_millibits"]
    compared = f"The score is {numbers.bits(score)} bits; {numbers.bits(needed)} bits are needed for the agreed bound"
    if conclusion["is_enough"]:
        return Verdict(
            is_enough=True,
            headline=f"{subject} derives from {copy}.",
            reason=f"{compared}. Had the file nothing to do with that copy, so high a score would come about with a "
            f"chance of {numbers.odds(score)}. {holders(documents)}: the evidence does not say who let it out.",
        )
    if is_examined_before(documents):
        compared += ", but the file was examined before the marks of that copy were sealed: it cannot derive from it"
    is_low = score < needed or is_examined_before(documents)
    failed = "" if is_low else ", and a control that must stay below them did not"
    return Verdict(
        is_enough=False,
        headline=f"The evidence is not enough to say that the file derives from {copy}.",
        reason=f"{compared}{failed}.",
    )


def is_examined_before(documents: Documents) -> bool:
    """Tell whether the found file was in hand before the marks were sealed (docs/marks.md §5)."""
    custody = documents.evidence["custody"]
    offer = by_id(documents.gathered.told())[documents.case.transfer]
    return bool(custody) and custody[0]["at_ms"] < offer.time_ms


def _found(found: Mapping[str, Json]) -> dict[str, Any]:
    units = "chunks" if found["format"] == "chunks" else "rows"
    return {**found, "size": f"{numbers.size(found['bytes'])}, {found['count']:,} {units}"}


def _parties(documents: Documents, told: Sequence[Told]) -> list[dict[str, Any]]:
    case = documents.case
    roles = {case.respondent: ["respondent, recipient of the copy"], case.claimant: ["claimant"]}
    sender = by_id(told)[case.transfer].issuer
    roles.setdefault(sender, []).append("sender of the copy")
    found = []
    for one in told:
        if one.type not in {"party.registered", "ledger.created"}:
            continue
        words = roles.get(one.issuer, []) + (["operator of the ledger"] if one.type == "ledger.created" else [])
        identity = one.fields.get("identity") or {}
        name = identity.get("legal_name") if isinstance(identity, dict) else None
        found.append(
            {
                "name": one.issuer,
                "role": ", ".join(words) or "other party",
                "legal_name": name if isinstance(name, str) else "",
                "registered": f"entry {one.index}, {stamp(one.time_ms)}",
                "is_side": bool(roles.get(one.issuer)),
            }
        )
    return sorted(found, key=lambda item: not item["is_side"])


def _handoff(documents: Documents, tale: Tale) -> dict[str, Any]:
    offer, decided = next(pair for pair in handoffs(tale.told) if pair[0].id == documents.case.transfer)
    state = "It was neither acknowledged nor refused."
    if decided is not None and decided.type == "transfer.acknowledged":
        state = f"{decided.issuer} signed on {stamp(decided.time_ms)} (entry {decided.index}) that it received it. "
        state += (
            "What it signed for is opened here, and is what was offered: it computed that from the data, or was told."
            if _is_same_content(documents, offer, decided)
            else "What it signed for is sealed under its own salt and not opened here: that it is this very content is "
            "not shown."
        )
    elif decided is not None:
        state = f"{decided.issuer} refused it on {stamp(decided.time_ms)} (entry {decided.index})."
    return {
        "id": offer.id,
        "index": offer.index,
        "at": stamp(offer.time_ms),
        "recipient": offer.fields["recipient"],
        "state": state,
    }


def _is_same_content(documents: Documents, offer: Told, decided: Told) -> bool:
    contents = {item.statement_id: item.value for item in documents.disclosures if item.kind == "content"}
    return offer.id in contents and contents.get(decided.id) == contents[offer.id]


def _license(tale: Tale, license_id: str | None) -> dict[str, Any] | None:
    if license_id is None:
        return None
    agreed = by_id(tale.told)[license_id]
    versions = [
        one
        for one in tale.told
        if "terms" in one.fields
        and (one.id == license_id or (one.type == "license.amended" and one.name("license") == license_id))
    ]
    terms = versions[-1].fields["terms"]
    clauses = describe(terms) if "@type" in terms else []
    changes = [one for one in tale.told if one.type.startswith("license.") and one.name("license") == license_id]
    return {
        "label": tale.label(license_id),
        "licensor": agreed.issuer,
        "licensee": agreed.fields.get("licensee"),
        "index": agreed.index,
        "at": stamp(agreed.time_ms),
        "clauses": [{"heading": each.heading, "conditions": list(each.conditions)} for each in clauses],
        "governing_law": _clear(agreed.fields.get("governing_law")),
        "consent": bool(agreed.fields.get("marking_consent")),
        "changes": [f"entry {one.index}, {stamp(one.time_ms)}: {one.type}" for one in changes],
    }


def _claim(tale: Tale, claim: str | None) -> dict[str, Any] | None:
    if claim is None:
        return None
    opened = by_id(tale.told)[claim]
    return {
        "index": opened.index,
        "at": stamp(opened.time_ms),
        "clause": _clear(opened.fields.get("clause")),
        "demand": _clear(opened.fields.get("demand")),
    }


def _acts(documents: Documents, tale: Tale) -> list[dict[str, Any]]:
    found = []
    for act, judged in zip(documents.case.acts, documents.judgement["acts"], strict=True):
        stated = "".join(f", {name} {value}" for name, value in act.stated.items())
        found.append(
            {
                "words": f"{act.action}{stated}",
                "at": stamp(act.at_ms),
                "license": tale.label(act.license),
                "decision": judged["decision"],
                "entries": ", ".join(map(str, judged["entries"])),
            }
        )
    return found


def _finding(finding: Mapping[str, Json], tale: Tale) -> dict[str, Any]:
    entries = ", ".join(map(str, finding["entries"]))
    about = next((event.words for event in tale.entries() if event.index == finding["index"]), "")
    return {
        "party": finding["party"],
        "slug": finding["slug"].replace("-", " "),
        "since": stamp(finding["since_ms"]),
        "entries": entries,
        "about": about,
    }


def _row(event: Event) -> dict[str, Any]:
    return {
        "index": event.index,
        "at": stamp(event.time_ms),
        "words": event.words,
        "is_central": event.is_central,
    }


def _keys(documents: Documents) -> list[dict[str, str]]:
    """Return every key that an entry registers: whose, for what, from when, and until when it speaks."""
    revoked = {str(one.fields["keyid"]): one for one in documents.gathered.told() if one.type == "party.key_revoked"}
    found = []
    for entry in documents.gathered.entries:
        statement = read_statement(entry.envelope.payload)
        for keyid, (_, use) in statement.introduced.items():
            end = revoked.get(keyid)
            found.append(
                {
                    "party": statement.issuer,
                    "keyid": keyid,
                    "use": use,
                    "since": f"entry {entry.index}, {stamp(entry.time_ms)}",
                    "until": "not revoked here" if end is None else f"entry {end.index}, {stamp(end.time_ms)}",
                }
            )
    return found


def _log(documents: Documents) -> dict[str, Any]:
    created = documents.gathered.told()[0].fields
    cosigned = documents.cosigned_s()
    return {
        "id": documents.case.ledger,
        "origin": created["origin"],
        "operator": created["issuer"],
        "relation": created["relation"],
        "size": documents.gathered.head.size,
        "root": documents.gathered.head.root.hex(),
        "entries": len(documents.gathered.entries),
        "completeness": documents.completeness(),
        "witnesses": [name for name, _ in cosigned],
        "witnessed": stamp(1000 * min(time_s for _, time_s in cosigned)) if cosigned else None,
        "tokens": documents.tokens(),
    }


def _opened(item: Disclosure, tale: Tale) -> dict[str, Any]:
    index = by_id(tale.told)[item.statement_id].index
    kinds = {"content": "digests and roots of the files", "marks": "the marks of the copy"}
    shown = kinds.get(item.kind) or (item.value if isinstance(item.value, str) else "see disclosures.json")
    return {"index": index, "pointer": item.pointer, "value": shown}


def _clear(field: Json) -> str:
    return field if isinstance(field, str) else ("(sealed)" if field is not None else "")
