"""What is said of each rule of a license as of a moment, and why, in sentences (docs/terms.md §7.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verifier.core.words import escape, format_time
from verifier.explain.terms import rules_words
from verifier.explain.values import list_entries

if TYPE_CHECKING:
    from verifier.explain.values import Book
    from verifier.judgement.closing import LicenseState, RuleState
    from verifier.judgement.state import JudgedLicense

_VERSION_1, _PERMISSIONS, _PROHIBITIONS = "/terms", "/terms/permission/", "/terms/prohibition/"
Said = tuple[str, tuple[int, ...]]
"""A sentence and the entries that it follows from."""


def rule_sentences(state: LicenseState, book: Book, as_of_ms: int) -> Iterator[Said]:
    """Yield what is said of a license and of each of its rules as of a moment (Unix milliseconds)."""
    terms = book.facts.licenses[state.statement_id]
    entries = tuple(sorted(terms.entries()))
    yield f"As of {format_time(as_of_ms)} it {_force(terms, as_of_ms)}.", entries
    words = dict(rules_words(terms.terms, terms.licensee))
    for rule in state.rules:
        clause = words[rule.pointer]
        because = _why(rule, terms, as_of_ms)
        text = f"{rule.pointer}: {clause}. It is {rule.state}: {because}"
        if rule.rests_on:
            places = ", ".join(f"{escape(pointer)} of entry {index}" for index, pointer in rule.rests_on)
            text += f" This rests on what was disclosed: {places}."
        yield f"{text} It follows from {list_entries(rule.entries)}.", rule.entries


def _force(terms: JudgedLicense, as_of_ms: int) -> str:
    if terms.is_in_force(as_of_ms):
        return f"is in force, until just before {format_time(terms.ends_ms())}"
    if as_of_ms < terms.valid_from_ms:
        return f"is not in force yet: it begins at {format_time(terms.valid_from_ms)}"
    if terms.end_ms is not None and terms.end_ms <= terms.valid_until_ms:
        return f"is not in force: entry {terms.ended_index} ended it, with effect from {format_time(terms.end_ms)}"
    return f"is not in force: it ran out at {format_time(terms.valid_until_ms)}"


def _places(rule: RuleState) -> str:
    return ", ".join(f"{escape(pointer)} of entry {index}" for index, pointer in rule.places)


def _why(rule: RuleState, terms: JudgedLicense, as_of_ms: int) -> str:
    if rule.pointer == _VERSION_1 or rule.pointer.startswith(_PERMISSIONS):
        return _why_permission(rule, terms, as_of_ms)
    if rule.pointer.startswith(_PROHIBITIONS):
        return _why_prohibition(rule, terms)
    return _why_duty(rule, terms, as_of_ms)


def _why_permission(rule: RuleState, terms: JudgedLicense, as_of_ms: int) -> str:
    if rule.state == "permitted":
        return "the license is in force; whether a use meets its other conditions is judged use by use."
    if rule.state == "undetermined":
        return f"what would decide it is sealed: {_places(rule)}."
    if not terms.is_in_force(as_of_ms):
        return f"the license {_force(terms, as_of_ms)}."
    return "one of its conditions on time, count or version does not hold."


def _why_prohibition(rule: RuleState, terms: JudgedLicense) -> str:
    others = tuple(index for index in rule.entries if index not in terms.entries())
    if rule.state == "violated":
        return f"{list_entries(others)} met it (the first and the latest)."
    if rule.state == "undetermined":
        return f"{list_entries(others)} may have met it; what would decide it is sealed: {_places(rule)}."
    return "it stands, and nothing that was reported met it."


def _why_duty(rule: RuleState, terms: JudgedLicense, as_of_ms: int) -> str:
    due = "at no set time" if rule.due_ms is None else f"by {format_time(rule.due_ms)}"
    others = tuple(index for index in rule.entries if index not in terms.entries())
    if rule.state == "undetermined":
        return f"by when it is due is sealed: {_places(rule)}."
    if rule.state == "fulfilled":
        done = f" {list_entries(others)} met it." if others else ""
        return f"nothing is left to do.{done}"
    if rule.state == "violated":
        return f"it was due {due}, and was not done by then."
    count = len(terms.held) if rule.action == "delete" else 0
    held = f" {terms.licensee} holds what it received by {count} hand-off{'' if count == 1 else 's'}." if count else ""
    if rule.due_ms is None:
        why = "a legal hold is on it" if rule.action == "delete" else "the license sets none"
        return f"no moment is set by which it is due: {why}.{held}"
    return f"it is due {due}, which is not past as of {format_time(as_of_ms)}.{held}"
