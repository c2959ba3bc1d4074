"""Whose signatures a type requires: step 9.11 of docs/format.md."""

from __future__ import annotations

from ledger.registry.facts import KeyFact, LicenseFact, PartyFact, View, key_key, party_key
from ledger.registry.lookup import find
from ledger.registry.refusal import Refused
from ledger.registry.things import ClaimFact
from ledger.statements import version_1 as v1
from ledger.statements.claim import ClaimDetermined
from ledger.statements.common import Statement
from ledger.statements.ledger import LedgerCreated, LedgerLogKeyAdded, LedgerLogKeyRetired, LedgerRulesChanged
from ledger.statements.license import LicenseAgreed, LicenseAmended
from ledger.statements.party import RECOVERY, SIGNING, PartyKeyAdded, PartyKeyRevoked, PartyRegistered

_OPERATORS = LedgerRulesChanged | LedgerLogKeyAdded | LedgerLogKeyRetired
"""What the operator alone says, about the ledger itself."""


def check_signers(view: View, statement: Statement) -> None:
    """Raise Refused unless exactly the parties and uses sign that the type requires: nobody can add or strip one."""
    introduced = set(statement.introduced)
    others = [keyid for keyid in statement.signers if keyid not in introduced]
    if not introduced <= set(statement.signers):
        raise Refused("wrong-signers", "/signers", "every new key signs")
    owners: dict[tuple[str, str], set[str]] = {}
    for keyid in others:
        key = view.get(KeyFact, key_key(keyid))
        if key is not None:
            owners.setdefault((key.party, key.use), set()).add(key.alg)
    if owners.keys() not in _required(view, statement):
        signed = " and ".join(f"a {use} key of {party}" for party, use in sorted(owners)) or "no registered key"
        message = f"signed by {signed}; docs/format.md §6 and docs/statements.md say by whom it must be"
        raise Refused("wrong-signers", "/signers", message)
    if (statement.issuer, SIGNING) in owners and isinstance(statement, PartyKeyRevoked | v1.PartyKeyRevoked):
        _check_revokes_itself(statement)
        return
    for (party, use), algorithms in owners.items():
        _check_algorithms(view, party, use, algorithms)


def _check_algorithms(view: View, party: str, use: str, signed: set[str]) -> None:
    """Refuse what a party with keys of both algorithms signed with one of them: breaking one must forge nothing."""
    fact = view.get(PartyFact, party_key(party))
    if fact is None:
        raise AssertionError(f"a key of {party} was loaded, and the party was not: what it has to sign with is unknown")
    if lacking := set(fact.algorithms.get(use, ())) - signed:
        message = f"{party} has {use} keys of {' and '.join(sorted(lacking | signed))}: at least one of each must sign"
        raise Refused("wrong-signers", "/signers", message)


def _check_revokes_itself(statement: PartyKeyRevoked | v1.PartyKeyRevoked) -> None:
    if statement.signers != [statement.keyid]:
        raise Refused("wrong-signers", "/signers", "a signing key may revoke only itself, alone")


def _required(view: View, statement: Statement) -> list[set[tuple[str, str]]]:  # noqa: PLR0911 - one case a type
    """Return the sets of (party, use) of already registered keys of which one must be the signers'."""
    issuer, ledger = statement.issuer, view.ledger
    is_registration = isinstance(statement, PartyRegistered | v1.PartyRegistered)
    countersigned = is_registration and ledger is not None and ledger.admission == "operator"
    if ledger is not None and (countersigned or isinstance(statement, _OPERATORS)):
        return [{(ledger.operator, SIGNING)}]
    match statement:
        case LedgerCreated() | PartyRegistered() | v1.PartyRegistered():
            return [set()]
        case PartyKeyAdded():
            return [{(issuer, RECOVERY)}]
        case PartyKeyRevoked() | v1.PartyKeyRevoked():
            return [{(issuer, RECOVERY)}, {(issuer, SIGNING)}]
        case LicenseAgreed() | v1.LicenseAgreed():
            return [_both(issuer, statement.licensee)]
        case LicenseAmended():
            agreed = find(view, LicenseFact, statement.license, "/license")
            return [_both(agreed.licensor, agreed.licensee)]
        case ClaimDetermined(outcome="settled"):
            claim = find(view, ClaimFact, statement.claim, "/claim")
            return [_both(claim.claimant, claim.respondent)]
        case _:
            return [{(issuer, SIGNING)}]


def _both(one: str, other: str) -> set[tuple[str, str]]:
    return {(one, SIGNING), (other, SIGNING)}
