"""What terms and rules say of a case, from the entries of its bundle (docs/bundle.md §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ledger.core.encoding import Json, canonical, parse_canonical
from ledger.core.entry import Entry
from ledger.core.errors import FormatError
from ledger.party.answers.versions import read_statement
from ledger.party.evidence.parts.case import Act
from ledger.party.evidence.parts.errors import Missing
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.sealing import open_fields
from ledger.registry.acceptance import record
from ledger.registry.facts import KeyFact, ListingFact, View, key_key
from ledger.registry.finding import Finding, Moment
from ledger.registry.judging import judged_chain, version_of
from ledger.registry.lookup import chain
from ledger.registry.terms import Request, decide
from ledger.statements.common import Statement
from ledger.statements.content import POINTER
from ledger.statements.version_5 import TransferAcknowledged

JUDGEMENT_TYPE = "provenance-ledger.judgement/v1"


def judge(entries: Sequence[Entry], acts: Sequence[Act], disclosures: Iterable[Disclosure]) -> dict[str, Json]:
    """Return the judgement of a case; places that the disclosures open are known. Raises Missing.

    `entries` are those of the bundle, ascending: what is not among them did not happen.
    """
    opened = _by_statement(disclosures)
    read = [(entry, _statement(entry, opened.get(entry.envelope.id, []))) for entry in entries]
    return {
        "acts": [_decided(read, act) for act in acts],
        "findings": [finding for _, finding in sorted(_findings(read, opened), key=lambda item: item[0])],
        "type": JUDGEMENT_TYPE,
    }


def _by_statement(disclosures: Iterable[Disclosure]) -> dict[str, list[Disclosure]]:
    found: dict[str, list[Disclosure]] = {}
    for item in disclosures:
        found.setdefault(item.statement_id, []).append(item)
    return found


def _statement(entry: Entry, disclosures: Sequence[Disclosure]) -> Statement:
    """Return what an entry says, with the disclosed values in their places.

    A disclosed value that does not fit its place opens nothing: the place counts as sealed (docs/statements.md §1.2).
    """
    payload = parse_canonical(entry.envelope.payload)
    for item in disclosures:
        candidate = open_fields(payload, [item])
        try:
            read_statement(canonical(candidate))
        except FormatError:
            continue
        payload = candidate
    return read_statement(canonical(payload))


def _view(read: Iterable[tuple[Entry, Statement]]) -> View:
    view = View()
    for entry, statement in read:
        record(view, statement, Moment(entry.envelope.id, entry.index, entry.time_ms))
    return view


def _decided(read: Sequence[tuple[Entry, Statement]], act: Act) -> dict[str, Json]:
    view = _view((entry, statement) for entry, statement in read if entry.time_ms <= act.at_ms)
    licenses = chain(view, act.license)
    if not licenses:
        raise Missing(
            f"at the time of the alleged act ({act.action}) there was no license {act.license} yet",
            "allege the act under another license, or at another time",
        )
    listing = view.get(ListingFact, licenses[0].listing)
    decision = decide(
        judged_chain(view, licenses), Request(act.action, act.at_ms, version_of(listing), dict(act.stated))
    )
    deciding = licenses[decision.deciding or 0]
    return {"decision": decision.state, "entries": deciding.basis}


def _findings(
    read: Sequence[tuple[Entry, Statement]], opened: Mapping[str, Sequence[Disclosure]]
) -> Iterator[tuple[tuple[int, int], dict[str, Json]]]:
    """Yield each finding as of the newest entry, with what it is ordered by."""
    view = _view(read)
    as_of_ms = read[-1][0].time_ms if read else 0
    for finding in view.findings.values():
        if finding is None or finding.from_ms > as_of_ms or finding.places is not None:
            continue
        if not finding.keyid:
            yield finding.place, finding.document()
    yield from _compromised(read, view)
    for finding in _mismatches(read, opened):
        yield finding.place, finding.document()


def _compromised(
    read: Sequence[tuple[Entry, Statement]], view: View
) -> Iterator[tuple[tuple[int, int], dict[str, Json]]]:
    """Yield one finding an entry that a key signed when it was no longer only its owner's (docs/statements.md §10)."""
    for entry, statement in read:
        keys = [view.get(KeyFact, key_key(keyid)) for keyid in statement.signers]
        broken = sorted(
            (key.party, key.revoked_index)
            for key in keys
            if key is not None
            and key.revoked_index is not None
            and key.compromised_since_ms is not None
            and key.compromised_since_ms <= entry.time_ms
        )
        if broken:
            party, revoked = broken[0]
            entries = sorted({entry.index, revoked})
            found = Finding("key-compromised", entry.index, party, entries, entry.time_ms, entry.time_ms)
            yield found.place, found.document()


def _mismatches(
    read: Sequence[tuple[Entry, Statement]], opened: Mapping[str, Sequence[Disclosure]]
) -> Iterator[Finding]:
    """Yield acknowledgements of another content than was offered, where both contents are disclosed."""
    contents = {name: item.value for name, items in opened.items() for item in items if item.pointer == POINTER}
    indexes = {entry.envelope.id: entry.index for entry, _ in read}
    for entry, statement in read:
        if not isinstance(statement, TransferAcknowledged):
            continue
        theirs, ours = contents.get(statement.transfer), contents.get(entry.envelope.id)
        if theirs is not None and ours is not None and theirs != ours:
            entries = sorted({entry.index, indexes[statement.transfer]})
            yield Finding("digest-mismatch", entry.index, statement.issuer, entries, entry.time_ms, entry.time_ms)
