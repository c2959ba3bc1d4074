"""May this statement enter? Steps 9.4 to 9.15 of docs/format.md §9, in that order.

The ledger records what parties sign: a statement enters if it is authentic, fresh and refers to what exists. Whether it
was lawful is not asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ledger.core.dsse import Envelope
from ledger.core.entry import fits
from ledger.core.errors import LedgerError
from ledger.registry.effects import apply, check_references, concerns
from ledger.registry.facts import KeyFact, PartyFact, View, key_key, party_key
from ledger.registry.refusal import Refused
from ledger.statements.common import OnLedger, Statement
from ledger.statements.ledger import LedgerCreated, LedgerRulesChanged
from ledger.statements.license import LicenseAgreed
from ledger.statements.party import RECOVERY, SIGNING, PartyKeyAdded, PartyKeyRevoked, PartyRegistered

MAX_AHEAD_MS = 300_000
RootAt = Callable[[int], bytes]


class Duplicate(LedgerError):
    """The statement is recorded already (step 9.5): the answer is the entry at `index`."""

    def __init__(self, index: int) -> None:
        """Keep the index of the entry as recorded."""
        self.index = index
        super().__init__(f"recorded as entry {index}")


@dataclass(frozen=True)
class Candidate:
    """A statement that passed steps 9.1 to 9.3.

    `invalid` are the keyids whose signature does not verify under the key that the keyid names: step 9.8, which is
    computed elsewhere because it is the expensive one.
    """

    statement: Statement
    envelope: Envelope
    invalid: Collection[str] = ()


def accept(view: View, candidate: Candidate, index: int, time_ms: int, root_at: RootAt) -> list[str]:
    """Accept the candidate as entry `index`: change `view` accordingly and return the subjects that it concerns.

    `root_at(size)` returns this log's root at a size of at most `index`. Raises Duplicate, or Refused, and then has
    changed nothing.
    """
    statement, envelope = candidate.statement, candidate.envelope
    try:
        _check_ledger(view, statement)
    except Refused as refused:
        refused.authentic = _has_signed(view, candidate)
        raise
    if envelope.id in view.recorded:
        raise Duplicate(view.recorded[envelope.id])
    _check_signatures(view, candidate)
    # From here on every signature is known to be good: a refusal is one of an authentic statement, and gets signed.
    try:
        _check_authentic(view, candidate, index, time_ms, root_at)
    except Refused as refused:
        refused.authentic = True
        raise
    subjects = concerns(view, statement, envelope.id)
    apply(view, statement, envelope.id, index, subjects)
    view.recorded[envelope.id] = index
    return subjects


def _check_authentic(view: View, candidate: Candidate, index: int, time_ms: int, root_at: RootAt) -> None:
    """Take steps 9.9 to 9.15, of a statement whose signatures verify."""
    statement = candidate.statement
    _check_revoked(view, statement)
    introduces_issuer = isinstance(statement, LedgerCreated | PartyRegistered)
    if not introduces_issuer and view.get(PartyFact, party_key(statement.issuer)) is None:
        raise Refused("unknown-party", "/issuer", statement.issuer)
    _check_signers(view, statement)
    _check_fresh(statement, index, time_ms, root_at)
    check_references(view, statement)
    if not fits(candidate.envelope):
        raise Refused("too-large", detail="the entry would exceed 65,535 bytes")


def needed_facts(statement: Statement) -> set[str]:
    """Return the keys of all facts that `accept` may ask for, so that they can be loaded at once."""
    keys = {"ledger", party_key(statement.issuer)}
    keys.update(key_key(keyid) for keyid in statement.signers)
    keys.update(key_key(keyid) for keyid in statement.introduced)
    keys.update(party_key(name) for name in statement.named_parties)
    keys.update(statement.named_ids)
    if isinstance(statement, PartyKeyRevoked):
        keys.add(key_key(statement.keyid))
    return keys


def _check_ledger(view: View, statement: Statement) -> None:
    if isinstance(statement, LedgerCreated):
        return
    if view.ledger is None:
        raise Refused("not-created", "/type", "entry 0 is ledger.created")
    if not isinstance(statement, OnLedger) or statement.ledger != view.ledger.id:
        raise Refused("wrong-ledger", "/ledger", f"this ledger is {view.ledger.id}")


def _check_signatures(view: View, candidate: Candidate) -> None:
    statement = candidate.statement
    present = dict(candidate.envelope.signatures)
    for keyid in statement.signers:
        if keyid not in present:
            raise Refused("missing-signature", "/signers", keyid)
    for keyid in present:
        if keyid not in statement.signers:
            raise Refused("extra-signature", "/signers", keyid)
    for keyid in statement.signers:
        if keyid not in statement.introduced and view.get(KeyFact, key_key(keyid)) is None:
            raise Refused("unknown-key", "/signers", keyid)
    for keyid in statement.signers:
        if keyid in candidate.invalid:
            raise Refused("wrong-signature", "/signers", keyid)


def _has_signed(view: View, candidate: Candidate) -> bool:
    try:
        _check_signatures(view, candidate)
    except Refused:
        return False
    return True


def _check_revoked(view: View, statement: Statement) -> None:
    for keyid in statement.signers:
        key = view.get(KeyFact, key_key(keyid))
        if key is not None and key.revoked_index is not None:
            raise Refused("revoked-key", "/signers", f"{keyid} was revoked by entry {key.revoked_index}")


def _check_signers(view: View, statement: Statement) -> None:
    """Step 9.11: exactly the parties and uses that the type requires; nobody can add or strip a signer."""
    introduced = set(statement.introduced)
    others = [keyid for keyid in statement.signers if keyid not in introduced]
    if not introduced <= set(statement.signers):
        raise Refused("wrong-signers", "/signers", "every new key signs")
    owners = set()
    for keyid in others:
        key = view.get(KeyFact, key_key(keyid))
        if key is not None:
            owners.add((key.party, key.use))
    if owners not in _required(view, statement):
        signed = " and ".join(f"a {use} key of {party}" for party, use in sorted(owners)) or "no registered key"
        raise Refused("wrong-signers", "/signers", f"signed by {signed}; docs/format.md §6 says by whom it must be")
    if (statement.issuer, SIGNING) in owners and isinstance(statement, PartyKeyRevoked):
        _check_revokes_itself(statement)


def _check_revokes_itself(statement: PartyKeyRevoked) -> None:
    if statement.signers != [statement.keyid]:
        raise Refused("wrong-signers", "/signers", "a signing key may revoke only itself, alone")


def _required(view: View, statement: Statement) -> list[set[tuple[str, str]]]:
    """Return the sets of (party, use) of already registered keys of which one must be the signers'."""
    issuer, ledger = statement.issuer, view.ledger
    countersigned = isinstance(statement, PartyRegistered) and ledger is not None and ledger.admission == "operator"
    if ledger is not None and (countersigned or isinstance(statement, LedgerRulesChanged)):
        return [{(ledger.operator, SIGNING)}]
    match statement:
        case LedgerCreated() | PartyRegistered():
            return [set()]
        case PartyKeyAdded():
            return [{(issuer, RECOVERY)}]
        case PartyKeyRevoked():
            return [{(issuer, RECOVERY)}, {(issuer, SIGNING)}]
        case LicenseAgreed():
            return [{(issuer, SIGNING), (statement.licensee, SIGNING)}]
        case _:
            return [{(issuer, SIGNING)}]


def _check_fresh(statement: Statement, index: int, time_ms: int, root_at: RootAt) -> None:
    if statement.issued_ms > time_ms + MAX_AHEAD_MS:
        raise Refused("issued-in-future", "/issued_ms", f"it is {time_ms} here")
    if time_ms > statement.not_after_ms:
        raise Refused("expired", "/not_after_ms", f"it is {time_ms} here")
    seen = statement.seen if isinstance(statement, OnLedger) else None
    if seen is not None and (seen.size > index or root_at(seen.size).hex() != seen.root):
        raise Refused("seen-mismatch", "/seen", f"this log's root at size {seen.size} is another, or not there yet")
