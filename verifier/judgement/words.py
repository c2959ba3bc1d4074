"""What follows from the entries, for people and for programs: findings, rules, sealed places. Only the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.core.ids import id_text
from verifier.core.words import escape, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.core.checks import Finding
    from verifier.judgement.closing import RuleState
    from verifier.judgement.judge import Judgement

Places = tuple[tuple[int, str], ...]


def describe_places(places: Places) -> list[dict[str, Any]]:
    """Return places as JSON values."""
    return [{"index": index, "pointer": pointer} for index, pointer in places]


def describe_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding, or something undetermined or cleared: the members of docs/statements.md §10, and a sentence."""
    described: dict[str, Any] = {
        "slug": finding.slug,
        "index": finding.index,
        "party": finding.party,
        "entries": list(finding.entries),
        "since_ms": finding.since_ms,
        "sentence": finding.sentence,
    }
    if finding.rests_on:
        described["rests_on"] = describe_places(finding.rests_on)
    if finding.places:
        described["places"] = describe_places(finding.places)
    return described


def describe_rule(rule: RuleState) -> dict[str, Any]:
    """Return what is said of one rule of a license as a JSON value."""
    described: dict[str, Any] = {
        "pointer": rule.pointer,
        "action": rule.action,
        "state": rule.state,
        "entries": list(rule.entries),
    }
    if rule.due_ms is not None:
        described["due_ms"] = rule.due_ms
    if rule.rests_on:
        described["rests_on"] = describe_places(rule.rests_on)
    if rule.places:
        described["places"] = describe_places(rule.places)
    return described


def describe_judgement(judgement: Judgement) -> dict[str, Any]:
    """Return everything that follows from the entries as JSON values."""
    return {
        "as_of_ms": judgement.as_of_ms,
        "findings": [describe_finding(finding) for finding in judgement.findings],
        "undetermined": [describe_finding(finding) for finding in judgement.undetermined],
        "cleared": [describe_finding(finding) for finding in judgement.cleared],
        "licenses": [
            {
                "id": id_text(terms.statement_id),
                "index": terms.index,
                "rules": [describe_rule(rule) for rule in terms.rules],
            }
            for terms in judgement.licenses
        ],
        "sealed": {
            "places": judgement.sealed_count,
            "opened": judgement.opened_count,
            "erased": [
                {"index": item.index, "pointer": item.pointer, "by": item.erased_index} for item in judgement.erased
            ],
        },
    }


def format_places(places: Iterable[tuple[int, str]]) -> str:
    """Return places in words."""
    return ", ".join(f"{escape(pointer)} of entry {index}" for index, pointer in places)


def format_finding(finding: Finding) -> str:
    """Return a finding, or something undetermined or cleared, as a line."""
    line = f"  [{finding.slug}] entry {finding.index}: {escape(finding.sentence)}"
    if finding.rests_on:
        line += f" This rests on what was disclosed: {format_places(finding.rests_on)}."
    if finding.places:
        line += f" What would decide it is sealed: {format_places(finding.places)}."
    return line


def format_sealed(judgement: Judgement) -> str:
    """Return in a line what is sealed; empty if nothing is."""
    if not judgement.sealed_count:
        return ""
    words = f"{judgement.sealed_count} places, {judgement.opened_count} of them opened by what was disclosed"
    erased = [f"{escape(item.pointer)} of entry {item.index} by entry {item.erased_index}" for item in judgement.erased]
    return words + (f"; erased, as their owners say: {', '.join(erased)}" if erased else "")


def format_moment(judgement: Judgement) -> str:
    """Return the moment that was judged as of."""
    return format_time(judgement.as_of_ms)
