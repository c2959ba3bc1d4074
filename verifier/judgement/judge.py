"""The judge: what parties did wrong on a sound ledger, and what each rule says, as of a moment (statements.md §10).

It takes accepted entries one by one and keeps what later ones can refer to. Nothing that is undecided is a finding, and
nothing that a sealed place would have decided.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verifier.core.checks import Finding
from verifier.core.jcs import Json
from verifier.judgement import claims, grants, handoffs
from verifier.judgement.closing import Erased, LicenseState, compromised, erased, license_states, overdue
from verifier.judgement.dump import dump_facts, load_facts
from verifier.judgement.facts import AcceptedEntry, Facts, take_registered
from verifier.rules.registry import Registry
from verifier.sealed.disclosures import Disclosures
from verifier.terms.parsed import is_sealed

if TYPE_CHECKING:
    from verifier.rules.examine import Statement

_TAKE: dict[str, Callable[[Facts, AcceptedEntry], None]] = {
    "party.registered": take_registered,
    "listing.registered": grants.take_listing,
    "listing.amended": grants.take_listing_amended,
    "license.agreed": grants.take_license,
    "license.amended": grants.take_amended,
    "license.ended": grants.take_ended,
    "venue.status": grants.take_venue,
    "transfer.refused": handoffs.take_refused,
    "transfer.forwarded": handoffs.take_forwarded,
    "disclosure.compelled": handoffs.take_compelled,
    "usage.reported": handoffs.take_usage,
    "claim.opened": claims.take_claim,
    "claim.answered": claims.take_answered,
    "claim.determined": claims.take_determined,
    "erasure.requested": claims.take_request,
    "erasure.attested": claims.take_attested,
}
"""The types that something follows from, but for the two hot ones."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that follows from the entries of a ledger, as of a moment."""

    as_of_ms: int = 0
    findings: list[Finding] = field(default_factory=list)
    """Ascending by index."""
    undetermined: list[Finding] = field(default_factory=list)
    """What could not be decided, with the sealed places that would tell."""
    licenses: list[LicenseState] = field(default_factory=list)
    """In the order of their agreements."""
    sealed_count: int = 0
    """Places that are sealed, opened and erased ones included."""
    opened_count: int = 0
    """Those that a disclosure opened."""
    erased: list[Erased] = field(default_factory=list)
    """Those whose salts were destroyed."""
    cleared: list[Finding] = field(default_factory=list)
    """What disclosed places show to be no finding."""


class Judge:
    """Judges accepted entries, in their order."""

    def __init__(
        self, as_of_ms: int | None = None, disclosures: Disclosures | None = None, registry: Registry | None = None
    ) -> None:
        """Begin before entry 0.

        `registry` is one in which every entry is recorded just before it is taken here. Without one, and as of another
        moment than the newest entry's, the judge keeps its own.
        """
        self.as_of_ms = as_of_ms
        """Unix milliseconds; None: as of the newest entry."""
        self.disclosures = disclosures
        self._is_recording = registry is None or as_of_ms is not None
        self.facts = Facts(Registry() if registry is None or as_of_ms is not None else registry)
        self._is_over = False

    def take(self, index: int, time_ms: int, statement: Statement) -> None:
        """Take the accepted entry at `index`; what is later than the moment judged at does not count."""
        if self.as_of_ms is not None and time_ms > self.as_of_ms:
            self._is_over = True  # for good, even if the log's time ran backwards: later entries may refer to this one
        if self._is_over:
            return
        facts = self.facts
        if self._is_recording:
            facts.registry.record(index, statement)
        for keyid in statement.signers:
            if keyid not in facts.signed:
                facts.signed[keyid] = array("Q")
            facts.signed[keyid].extend((index, time_ms))
        opened = frozenset([item.pointer for item in statement.opened]) if statement.opened else _NOTHING
        entry = AcceptedEntry(index, time_ms, statement, opened)
        facts.opened_count += len(opened)
        if statement.kind == "transfer.offered":
            facts.sealed_count += 1
            handoffs.take_offer(facts, entry, self.disclosures)
        elif statement.kind == "transfer.acknowledged":
            facts.sealed_count += 1
            handoffs.take_acknowledged(facts, entry, self.disclosures)
        else:
            self._take_fields(entry)

    def _take_fields(self, entry: AcceptedEntry) -> None:
        facts, statement = self.facts, entry.statement
        sealed = tuple(pointer for pointer in _sealed_places(dict(statement.body), "") if pointer not in entry.opened)
        facts.sealed_count += len(sealed) + len(entry.opened)
        if sealed:
            facts.sealed[statement.id] = (entry.index, entry.issuer, sealed)
        take = _TAKE.get(statement.kind)
        if take is not None:
            take(facts, entry)
        elif statement.kind == "party.key_revoked" and "compromised_since_ms" in statement.body:
            body = statement.body
            facts.compromises.append((body["keyid"], body["compromised_since_ms"], entry.issuer, entry.index))

    def close(self, newest_time_ms: int) -> Judgement:
        """Return what follows from the entries taken; `newest_time_ms` is the time of the log's newest entry."""
        as_of_ms = newest_time_ms if self.as_of_ms is None else self.as_of_ms
        facts = self.facts
        late = list(overdue(facts, as_of_ms))
        findings = facts.findings + [item for item in late if not item.places] + list(compromised(facts))
        undetermined = facts.undetermined + [item for item in late if item.places]
        return Judgement(
            as_of_ms,
            sorted(findings, key=_order),
            sorted(undetermined, key=_order),
            list(license_states(facts, as_of_ms)),
            facts.sealed_count,
            facts.opened_count,
            list(erased(facts)),
            sorted(facts.cleared, key=_order),
        )

    def dump(self) -> Json:
        """Return what the next replay needs to go on; there must have been no disclosures and no other moment."""
        if self.disclosures is not None or self.as_of_ms is not None:
            raise ValueError("only a judgement of everything, by what is public, can be remembered")
        return dump_facts(self.facts)

    @classmethod
    def load(cls, saved: Json, registry: Registry) -> Judge:
        """Return a judge that goes on where `dump` left off.

        Raises `KeyError`, `TypeError` or `ValueError` for a value of another form.
        """
        judge = cls(registry=registry)
        judge.facts = load_facts(saved, registry)
        return judge


_NOTHING: frozenset[str] = frozenset()


def _order(finding: Finding) -> tuple[Any, ...]:
    return finding.index, finding.slug, finding.party, finding.entries


def _sealed_places(value: dict[str, Any] | list[Any], pointer: str) -> list[str]:
    """Return the pointers of the commitments in an object or array."""
    if is_sealed(value):
        return [pointer]
    places = []
    for name, member in value.items() if type(value) is dict else enumerate(value):
        if type(member) is dict or type(member) is list:
            token = str(name).replace("~", "~0").replace("/", "~1")
            places += _sealed_places(member, f"{pointer}/{token}")
    return places
