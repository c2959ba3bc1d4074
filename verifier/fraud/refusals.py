"""Refusals that the log itself contradicts, on the very state that they name (docs/format.md §19.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.errors import CheckFailed
from verifier.core.moments import MAX_CLOCK_DIFFERENCE_MS
from verifier.core.words import escape, format_time
from verifier.fraud.form import REFUSAL
from verifier.fraud.parts import Head, NotProven, Parts, name_of, open_statement
from verifier.fraud.rules import Beginning
from verifier.rules.examine import Reading, examine_statement, readable_rules
from verifier.rules.subject import Told

if TYPE_CHECKING:
    from verifier.rules.examine import Statement


def prove_refusal(parts: Parts) -> tuple[Head, str]:
    """Return a refusal and what is false about it.

    Raises `NotProven`, or `UntoldFraud` where rules are in force that this program does not know.
    """
    for refusal in parts.of_kind(REFUSAL):
        name, reason = refusal.payload["statement_id"], refusal.payload["reason"]
        refused = (
            f"refused {name} at {format_time(refusal.time_ms)} ({escape(reason)}), on its log of {refusal.size} "
            "entries, although "
        )
        for item in parts.shown:
            if item.index < refusal.size and item.statement_id == name:
                return refusal, f"{refused}it was recorded there already, as entry {item.index}"
        if parts.fraud.statement:
            payload, signatures = open_statement(parts.fraud.statement)
            if name_of(payload) == name:
                is_whole = 0 < refusal.size == parts.prefix_size
                why = _judge(parts, refusal) if is_whole else _contradict(parts, refusal, payload, signatures)
                if why:
                    return refusal, refused + why
    raise NotProven("no-contradiction", "nothing that is shown contradicts a refusal")


def _contradict(parts: Parts, refusal: Head, payload: bytes, signatures: list[tuple[str, bytes]]) -> str:
    """Return what the reason of a refusal is contradicted by; empty if by nothing."""
    try:
        statement = examine_statement(payload, signatures, {}, Reading(readable_rules(payload)))
    except CheckFailed:
        return ""
    time_ms = refusal.time_ms or 0
    match refusal.payload["reason"]:
        case "expired" if time_ms <= statement.not_after_ms:
            return f"it could be recorded until {format_time(statement.not_after_ms)}"
        case "issued-in-future" if statement.issued_ms <= time_ms + MAX_CLOCK_DIFFERENCE_MS:
            return f"it was issued at {format_time(statement.issued_ms)}"
        case "unknown-party" if _parties(statement) <= _registered(parts, refusal):
            return "every party that it names is registered there"
        case "seen-mismatch" if statement.seen is not None and statement.seen[0] <= refusal.size:
            if any((head.size, head.root) == statement.seen for head in parts.heads):
                return f"the tree that it has seen, of {statement.seen[0]} entries, was signed by the log"
    return ""


def _parties(statement: Statement) -> set[str]:
    return Told(0, 0, statement).parties()


def _registered(parts: Parts, refusal: Head) -> set[object]:
    """Return the names that entries below the refusal's size registered: a name is never given back."""
    said = (item.payload() for item in parts.before(refusal.size))
    return {value.get("issuer") for value in said if value.get("type") in {"ledger.created", "party.registered"}}


def _judge(parts: Parts, refusal: Head) -> str:
    """Record the statement, as it were, on the whole log that the refusal names."""
    prefix = parts.fraud.prefix
    if prefix is None:
        return ""
    beginning = Beginning(prefix.entries)
    if beginning.tree.root(refusal.size) != refusal.root:
        return ""
    previous = beginning.tree.leaf(refusal.size - 1).hex().encode()
    head = (refusal.size, previous, parts.fraud.statement, refusal.payload["time"])
    failure = beginning.judge(b'{"index":%d,"previous":"%s","statement":%s,"time":%d}' % head, refusal.size)
    return "on those entries it keeps every rule" if failure is None else ""
