"""A report's contents in plain words, computed from what a verifier reads and nothing else (docs/bundle.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.core.encoding import Json
from ledger.party.acts.terms_in_words import describe
from ledger.party.answers.versions import read_statement
from ledger.party.chain.told import Told
from ledger.party.evidence.parts.documents import Documents, by_id
from ledger.party.evidence.report import numbers
from ledger.party.evidence.report.court import front_words
from ledger.party.evidence.report.events import Event, Tale, custody_of, handoffs
from ledger.party.evidence.report.examples import example_words
from ledger.party.evidence.report.facts import Facts, read_facts
from ledger.party.evidence.report.formula import formula_words
from ledger.party.evidence.report.limits import limits
from ledger.party.evidence.report.measured import bound_words, control_words, hypothesis_words, mark_words, match_words
from ledger.party.evidence.report.pictures import Arrow, arrows_of, graph, timelines
from ledger.party.evidence.report.sentences import stamp
from ledger.party.evidence.report.verdict import judge_evidence
from ledger.party.marks.weight import undistinguished, weighed
from ledger.party.vault.disclosures import Disclosure


def tell(documents: Documents) -> dict[str, Any]:
    """Return everything that a report shows: words, tables and drawings; the same for the same bundle."""
    tale = Tale(documents)
    told = by_id(tale.told)
    case, evidence = documents.case, documents.evidence
    verdict, facts, offer = judge_evidence(documents), read_facts(documents), told[case.transfer]
    arrows, found = _arrows(documents, tale, facts), None
    if evidence["conclusion"]["is_enough"]:
        found = f"“{evidence['found']['name']}”" if facts.is_file_here else "a file with these rows"
        arrows.append(Arrow(_copy_node(tale.label(case.transfer)), found, ("derives from this copy",), is_dashed=True))
    return {
        "title": tale.title,
        "case": case.document(),
        "label": tale.label(case.transfer),
        "sender": offer.issuer,
        "verdict": verdict,
        "front": front_words(documents, facts, verdict),
        "examples": example_words(documents),
        "formula": formula_words(documents, facts),
        "made": {**documents.made, "at": stamp(documents.made["at_ms"])},
        "parties": _parties(documents, tale.told),
        "found": _found(evidence["found"]),
        "custody": [{**item, "at": stamp(item["at_ms"])} for item in custody_of(documents)],
        "handoff": _handoff(facts),
        "license": _license(tale, case.license),
        "claim": _claim(tale, case.claim),
        "counts": {name: f"{count:,}" for name, count in evidence["counts"].items()},
        "marks": [mark_words(tale, item) for item in evidence["marks"]],
        "bound": bound_words(facts),
        "controls": control_words(tale, evidence),
        "hypotheses": [hypothesis_words(item, case.respondent, offer.issuer) for item in evidence["hypotheses"]],
        "premise": facts.premise(),
        "weight": weighed(evidence["conclusion"], evidence["hypotheses"]),
        "undistinguished": undistinguished(case.respondent, offer.issuer),
        "records": match_words(evidence),
        "acts": _acts(documents, tale),
        "findings": [_finding(item, tale) for item in documents.judgement["findings"]],
        "events": [_row(event) for event in tale.entries()],
        "timelines": timelines(tale.timeline()),
        "graph": graph(offer.issuer, arrows, found, _copy_node(tale.label(case.transfer))),
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


def _copy_node(label: str) -> str:
    return f"the copy: {label}"


def _arrows(documents: Documents, tale: Tale, facts: Facts) -> list[Arrow]:
    """Return who handed what to whom; the copy in question stands between those who made it and were to get it."""
    case, copy = documents.case, _copy_node(tale.label(documents.case.transfer))
    arrows = arrows_of(list(handoffs(tale.told)), tale.told, tale.labels, case.transfer)
    central = next(arrow for arrow in arrows if arrow.is_central)
    made = Arrow(central.source, copy, (f"made by {facts.sender}",))
    return [made, central._replace(source=copy, is_central=False), *(arrow for arrow in arrows if arrow is not central)]


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


def _handoff(facts: Facts) -> dict[str, Any]:
    offer = facts.offer
    return {
        "id": offer.id,
        "index": offer.index,
        "at": stamp(offer.time_ms),
        "recipient": offer.fields["recipient"],
        "state": facts.state(),
    }


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
    kinds = {"content": "digests and roots of the files", "marks": "the marks of the copy", "pool": "the pool of rows"}
    shown = kinds.get(item.kind) or (item.value if isinstance(item.value, str) else "see disclosures.json")
    return {"index": index, "pointer": item.pointer, "value": shown}


def _clear(field: Json) -> str:
    return field if isinstance(field, str) else ("(sealed)" if field is not None else "")
