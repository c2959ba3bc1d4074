"""Step 9.14 of what is said after a hand-off: disclosures, use, venues, claims, erasure (docs/statements.md §5–§9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check
from verifier.core.ids import id_text
from verifier.rules.refusal import (
    find_license,
    find_listing,
    find_transfer,
    refuse,
    refuse_unknown,
    verify_issuer,
    verify_other_party,
    verify_registered,
    verify_undecided,
)

if TYPE_CHECKING:
    from verifier.rules.examine import Statement
    from verifier.rules.registry import Claim, Registry


def disclosure_compelled(registry: Registry, statement: Statement, index: int) -> None:
    """Check a disclosure: by its sender or recipient of a transfer, by its issuer of a listing."""
    body = statement.body
    if "transfer" in body:
        transfer = find_transfer(registry, body.id("transfer"), index)
        verify_issuer(statement, index, transfer.sender, transfer.recipient)
    else:
        verify_issuer(statement, index, find_listing(registry, body.id("listing"), index).issuer)


def usage_reported(registry: Registry, statement: Statement, index: int) -> None:
    """Check a use: by the licensee, of a copy that it received."""
    body = statement.body
    verify_issuer(statement, index, find_license(registry, body.id("license"), index).licensee)
    if "transfer" in body:
        verify_issuer(statement, index, find_transfer(registry, body.id("transfer"), index).recipient)


def venue_status(registry: Registry, statement: Statement, index: int) -> None:
    """Check a venue's status, which anybody may observe: the venue is a party."""
    verify_registered(registry, statement.body["venue"], index, "/venue")


def _parties_to(registry: Registry, statement: Statement, index: int) -> tuple[bytes, str, str]:
    """Return the license or transfer that a statement names, and its two parties, the giving one first."""
    if "license" in statement.body:
        named = statement.body.id("license")
        terms = find_license(registry, named, index)
        return named, terms.licensor, terms.licensee
    named = statement.body.id("transfer")
    transfer = find_transfer(registry, named, index)
    return named, transfer.sender, transfer.recipient


def claim_opened(registry: Registry, statement: Statement, index: int) -> None:
    """Check a claim: between parties to what it names or not, decided by a third party."""
    body = statement.body
    _, giver, taker = _parties_to(registry, statement, index)
    verify_issuer(statement, index, giver, taker)
    verify_other_party(registry, statement, body["respondent"], index, "/respondent")
    if "tribunal" in body:
        verify_other_party(registry, statement, body["tribunal"], index, "/tribunal")
        if body["tribunal"] == body["respondent"]:
            refuse(Check.REFERENCE, "same-party", index, "/tribunal", actual=body["tribunal"])


def _find_claim(registry: Registry, statement: Statement, index: int) -> Claim:
    named = statement.body.id("claim")
    return registry.claims.get(named) or refuse_unknown(index, "/claim", named)


def claim_answered(registry: Registry, statement: Statement, index: int) -> None:
    """Check an answer: once, by the respondent, while the claim is open."""
    claim = _find_claim(registry, statement, index)
    verify_issuer(statement, index, claim.respondent)
    verify_undecided(claim.answered_index, index)
    verify_undecided(claim.determined_index, index)


def claim_determined(registry: Registry, statement: Statement, index: int) -> None:
    """Check a determination: once, by the claimant (withdrawn, settled) or the tribunal that the claim named."""
    claim = _find_claim(registry, statement, index)
    if statement.body["outcome"] in ("withdrawn", "settled"):
        verify_issuer(statement, index, claim.claimant)
    else:
        verify_issuer(statement, index, *([claim.tribunal] if claim.tribunal else []))
    verify_undecided(claim.determined_index, index)


def erasure_requested(registry: Registry, statement: Statement, index: int) -> None:
    """Check a request: by the licensor or sender."""
    _, giver, _ = _parties_to(registry, statement, index)
    verify_issuer(statement, index, giver)


def erasure_attested(registry: Registry, statement: Statement, index: int) -> None:
    """Check an attestation: by a party to what was erased, or of salts, by anybody; no legal hold is on it."""
    body = statement.body
    if "statement" in body:
        if (recorded := body.id("statement")) not in registry.recorded:
            refuse_unknown(index, "/statement", recorded)
        if registry.is_held(recorded):
            refuse(Check.REFERENCE, "legal-hold", index, actual=id_text(recorded))
        return
    named, giver, taker = _parties_to(registry, statement, index)
    verify_issuer(statement, index, giver, taker)
    if "request" in body:
        request = body.id("request")
        if request not in registry.requests:
            refuse_unknown(index, "/request", request)
        if registry.requests[request] != named:
            expected, actual = (id_text(subject) for subject in (registry.requests[request], named))
            refuse(Check.REFERENCE, "wrong-value", index, "/request", expected, actual)
    if registry.is_held(named):
        refuse(Check.REFERENCE, "legal-hold", index, actual=id_text(named))
