"""What an entry concerns: itself, parties, and what it names (docs/format.md §12.3)."""

from __future__ import annotations

from functools import partial

from ledger.registry.concerning import counted
from ledger.registry.facts import KeyFact, LicenseFact, ListingFact, Thing, TransferFact, View, key_key
from ledger.registry.things import ClaimFact, DisclosureFact, ErasureFact, GrantFact, grant_key
from ledger.statements.common import Statement


def concerns(view: View, statement: Statement, statement_id: str) -> list[str]:
    """Return the subjects that the statement's entry concerns, sorted (docs/format.md §12.3)."""
    named, mentioned = counted(statement, view.in_force.version, partial(_is_party, view))
    subjects = {statement_id, statement.issuer, *statement.named_parties, *named, *mentioned}
    for keyid in statement.signers:
        key = view.get(KeyFact, key_key(keyid))
        if key is not None:
            subjects.add(key.party)
    for name in named:
        thing = view.get(Thing, name)
        if thing is not None:
            subjects.update(thing.subjects)
    return sorted(subjects)


def _is_party(view: View, name: str, party: str) -> bool:
    """Tell whether a party is one of what an id stands for (docs/format.md §12.4)."""
    match view.get(Thing, name):
        case ListingFact(issuer=issuer):
            return party == issuer or view.get(GrantFact, grant_key(name, party)) is not None
        case LicenseFact(licensor=giver, licensee=taker) | TransferFact(sender=giver, recipient=taker):
            return party in {giver, taker}
        case ClaimFact(claimant=claimant, respondent=respondent, tribunal=tribunal):
            return party in {claimant, respondent, tribunal}
        case DisclosureFact(issuer=issuer):
            return party == issuer
        case ErasureFact(license=license_, transfer=transfer):
            return _is_party(view, license_ or transfer or "", party)
    return False
