"""Findings: what parties did wrong on a sound ledger, judged at the entry's time (docs/format.md §13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.checks import Finding
from verifier.examine import id_bytes

if TYPE_CHECKING:
    from verifier.examine import Statement
    from verifier.registry import Registry


def judge(registry: Registry, index: int, time_ms: int, statement: Statement) -> list[Finding]:
    """Return the findings on the accepted entry at `index`; `registry` is the state before it."""
    if statement.kind == "transfer.offered":
        return _judge_transfer(registry, index, time_ms, statement)
    if statement.kind == "license.agreed":
        return _judge_listing(registry, index, id_bytes(statement.body["listing"]), "licensed")
    return []


def _judge_listing(registry: Registry, index: int, listing: bytes, what: str) -> list[Finding]:
    withdrawn_index = registry.listings[listing].withdrawn_index
    if withdrawn_index is None:
        return []
    sentence = f"The listing that entry {index} {what} had been withdrawn at entry {withdrawn_index}."
    return [Finding("listing-withdrawn", index, sentence)]


def _judge_transfer(registry: Registry, index: int, time_ms: int, statement: Statement) -> list[Finding]:
    listing, license_id, recipient, _ = statement.body
    findings = _judge_listing(registry, index, listing, "hands off")
    terms = registry.licenses[license_id] if license_id is not None else None
    who = f"{statement.issuer} handed data to {recipient}"
    if terms is None or terms.listing != listing:
        named = "without naming a license" if terms is None else f"under license {terms.index}, of another listing"
        return [Finding("transfer-without-license", index, f"{who} {named}."), *findings]
    if terms.ended_index is not None:
        why = f"after its license, entry {terms.index}, was ended at entry {terms.ended_index}"
        findings.append(Finding("transfer-outside-term", index, f"{who} {why}."))
    elif not terms.valid_from_ms <= time_ms < terms.valid_until_ms:
        why = f"at {time_ms} ms, outside the term [{terms.valid_from_ms}, {terms.valid_until_ms}) ms"
        findings.append(Finding("transfer-outside-term", index, f"{who} {why} of its license, entry {terms.index}."))
    if recipient != terms.licensee:
        why = f"but license {terms.index} is for {terms.licensee}"
        findings.append(Finding("transfer-wrong-recipient", index, f"{who}, {why}."))
    if statement.issuer != terms.licensor:
        why = f"but license {terms.index} is from {terms.licensor}"
        findings.append(Finding("transfer-wrong-sender", index, f"{who}, {why}."))
    return findings


def judge_compromises(registry: Registry) -> list[Finding]:
    """Return one finding for every entry signed with a key that was, as its owner said later, compromised by then.

    It flags and never voids: an owner could else undo what it signed by calling its own key stolen.
    """
    findings: dict[int, Finding] = {}
    for key in registry.keys.values():
        if key.compromised_since_ms is None:
            continue
        for index in key.signed:
            if registry.times_ms[index] < key.compromised_since_ms:
                continue
            sentence = (
                f"A key of {key.owner} that signed entry {index} was compromised since {key.compromised_since_ms} ms, "
                f"says entry {key.revoked_index}."
            )
            findings.setdefault(index, Finding("key-compromised", index, sentence))
    return [findings[index] for index in sorted(findings)]
