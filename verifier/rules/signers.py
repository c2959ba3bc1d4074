"""Whose signatures a statement needs: *Signed by*, docs/format.md §6 and docs/statements.md (step 9.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check
from verifier.rules.refusal import find_license, refuse, refuse_unknown
from verifier.rules.registry import RECOVERY, SIGNING

if TYPE_CHECKING:
    from collections.abc import Collection

    from verifier.rules.examine import Statement
    from verifier.rules.registry import Registry

_OF_ITS_OWN = frozenset(
    {
        "ledger.created",
        "ledger.log_key_added",
        "ledger.log_key_retired",
        "ledger.rules_changed",
        "party.registered",
        "party.key_added",
        "party.key_revoked",
        "license.agreed",
        "license.amended",
        "claim.determined",
    }
)
"""The types that need other signatures than those of signing keys of the issuer."""


def verify_signers(registry: Registry, statement: Statement, index: int) -> None:
    """Check that the signers are keys of exactly the parties and uses that the type requires.

    Raises `CheckFailed`: `wrong-signers`, or `unknown-reference` where what decides whose keys they are does not exist.
    """
    if statement.kind in _OF_ITS_OWN:
        is_right = _has_right_signers(registry, statement, index)
    else:
        is_right = _are_all(registry, statement.signers, statement.issuer, SIGNING)
    if not is_right:
        refuse(Check.SIGNERS, "wrong-signers", index, "/signers", actual=" ".join(statement.signers))


def verify_algorithms(registry: Registry, statement: Statement, index: int) -> None:
    """Check that whoever has keys of both algorithms signed with both: breaking one of them forges nothing.

    `signers` are known to be of the right parties and uses. Raises `CheckFailed`: `wrong-signers`.
    """
    if not registry.lasting:
        return
    new = {key.keyid for key in statement.introduced}  # a taken one among them is another step's fault
    keys = [registry.keys[keyid] for keyid in statement.signers if keyid in registry.keys and keyid not in new]
    if all(key.owner not in registry.lasting for key in keys):
        return
    if statement.kind == "party.key_revoked" and keys[0].use == SIGNING:
        return  # a key ends itself, alone
    signed: dict[tuple[str, str], set[str]] = {}
    for key in keys:
        signed.setdefault((key.owner, key.use), set()).add(key.public_key.algorithm)
    for (owner, use), algorithms in signed.items():
        if not registry.algorithms(owner, use) <= algorithms:
            expected = f"a {use} key of {owner} of each of {' and '.join(sorted(registry.algorithms(owner, use)))}"
            refuse(Check.SIGNERS, "wrong-signers", index, "/signers", expected, " ".join(statement.signers))


def _are_all(registry: Registry, keyids: Collection[str], owner: str, use: str) -> bool:
    """Tell whether `keyids` are one or more keys of one party and use, and none of anybody else."""
    for keyid in keyids:
        key = registry.keys.get(keyid)
        if key is None or key.owner != owner or key.use != use:
            return False
    return bool(keyids)


def _are_of_both(registry: Registry, keyids: set[str], one: str, other: str) -> bool:
    """Tell whether `keyids` are signing keys of both parties, and none of anybody else."""
    keys = [registry.keys[keyid] for keyid in keyids]
    return {key.owner for key in keys} == {one, other} and all(key.use == SIGNING for key in keys)


def _has_right_signers(registry: Registry, statement: Statement, index: int) -> bool:  # noqa: PLR0911 (one a type)
    issuer, body = statement.issuer, statement.body
    signers = set(statement.signers)
    new = {key.keyid for key in statement.introduced}
    match statement.kind:
        case "ledger.created":
            return signers == new
        case "ledger.rules_changed" | "ledger.log_key_added" | "ledger.log_key_retired":
            return _are_all(registry, signers, registry.operator, SIGNING)
        case "party.registered":
            if registry.admission == "operator":
                return new <= signers and _are_all(registry, signers - new, registry.operator, SIGNING)
            return signers == new
        case "party.key_added":
            return new <= signers and _are_all(registry, signers - new, issuer, RECOVERY)
        case "party.key_revoked":
            revokes_itself = signers == {body["keyid"]} and _are_all(registry, signers, issuer, SIGNING)
            return revokes_itself or _are_all(registry, signers, issuer, RECOVERY)
        case "license.agreed":
            return _are_of_both(registry, signers, issuer, body["licensee"])
        case "license.amended":
            terms = find_license(registry, body.id("license"), index)
            return _are_of_both(registry, signers, terms.licensor, terms.licensee)
        case "claim.determined" if body["outcome"] == "settled":
            named = body.id("claim")
            claim = registry.claims.get(named) or refuse_unknown(index, "/claim", named)
            return _are_of_both(registry, signers, claim.claimant, claim.respondent)
        case _:
            return _are_all(registry, signers, issuer, SIGNING)
