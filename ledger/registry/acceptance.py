"""May this statement enter? Steps 9.4 to 9.15 of docs/format.md §9, in that order.

The ledger records what parties sign: a statement enters if it is authentic, fresh and refers to what exists. Whether it
was lawful is not asked here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ledger.core.cosignature import MAX_CLOCK_DIFFERENCE_S
from ledger.core.dsse import Envelope
from ledger.core.entry import fits
from ledger.core.errors import LedgerError
from ledger.registry.effects import apply
from ledger.registry.facts import KeyFact, PartyFact, View, key_key, party_key
from ledger.registry.finding import Moment
from ledger.registry.findings import found
from ledger.registry.licensing import made_or_amended
from ledger.registry.references import check_references
from ledger.registry.refusal import Refused
from ledger.registry.signing import check_signers
from ledger.registry.subjects import concerns
from ledger.statements import version_1 as v1
from ledger.statements.common import OnLedger, Statement
from ledger.statements.ledger import LedgerCreated
from ledger.statements.party import PartyRegistered

MAX_AHEAD_MS = 1000 * MAX_CLOCK_DIFFERENCE_S
"""How far before its statement was issued an entry may be recorded (docs/format.md §9)."""
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

    Raises what `check` raises, and then has changed nothing.
    """
    check(view, candidate, index, time_ms, root_at)
    return record(view, candidate.statement, Moment(candidate.envelope.id, index, time_ms))


def check(view: View, candidate: Candidate, index: int, time_ms: int, root_at: RootAt) -> None:
    """Raise Duplicate or Refused unless the candidate may enter as entry `index`; nothing is changed.

    `root_at(size)` returns this log's root at a size of at most `index`.
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


def record(view: View, statement: Statement, moment: Moment) -> list[str]:
    """Change `view` by a statement that was accepted; return the subjects that its entry concerns."""
    subjects = concerns(view, statement, moment.statement_id)
    changed = made_or_amended(view, statement, moment, subjects)
    view.keep_findings(list(found(view, statement, moment, changed)))
    apply(view, statement, moment, subjects, changed)
    view.recorded[moment.statement_id] = moment.index
    return subjects


def _check_authentic(view: View, candidate: Candidate, index: int, time_ms: int, root_at: RootAt) -> None:
    """Take steps 9.9 to 9.15, of a statement whose signatures verify."""
    statement = candidate.statement
    _check_revoked(view, statement)
    introduces_issuer = isinstance(statement, LedgerCreated | PartyRegistered | v1.PartyRegistered)
    if not introduces_issuer and view.get(PartyFact, party_key(statement.issuer)) is None:
        raise Refused("unknown-party", "/issuer", statement.issuer)
    check_signers(view, statement)
    _check_fresh(statement, index, time_ms, root_at)
    check_references(view, statement)
    if not fits(candidate.envelope):
        raise Refused("too-large", detail="the entry would exceed 65,535 bytes")


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


def _check_fresh(statement: Statement, index: int, time_ms: int, root_at: RootAt) -> None:
    if statement.issued_ms > time_ms + MAX_AHEAD_MS:
        raise Refused("issued-in-future", "/issued_ms", f"it is {time_ms} here")
    if time_ms > statement.not_after_ms:
        raise Refused("expired", "/not_after_ms", f"it is {time_ms} here")
    seen = statement.seen if isinstance(statement, OnLedger) else None
    if seen is not None and (seen.size > index or root_at(seen.size).hex() != seen.root):
        raise Refused("seen-mismatch", "/seen", f"this log's root at size {seen.size} is another, or not there yet")
