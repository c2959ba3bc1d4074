"""Everything that judging knows after the newest entry taken, and how a finding is noted (docs/statements.md §10)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.core.checks import Finding
from verifier.core.ids import id_bytes
from verifier.judgement.identity import Presented
from verifier.judgement.state import ErasureRequest, JudgedClaim, JudgedLicense, JudgedListing, Periods, Stated
from verifier.rules.registry import Preparation, Registry, Transfer
from verifier.schema.checks import key_of
from verifier.terms.answers import YES, Answer, Truth
from verifier.terms.parsed import is_sealed

if TYPE_CHECKING:
    from verifier.rules.body import Body
    from verifier.rules.examine import Statement

_PLACES = frozenset({"/identity", "/identity/certificates"})
"""Where a registration may seal its certificates."""


@dataclass(slots=True)
class AcceptedEntry:
    """An accepted entry, as the judgement takes it."""

    index: int
    time_ms: int
    statement: Statement
    opened: frozenset[str]
    """Pointers of the places in it that were sealed and opened."""

    @property
    def body(self) -> Body:
        """What the statement says."""
        return self.statement.body

    @property
    def issuer(self) -> str:
        """Who says it."""
        return self.statement.issuer

    def stated(self, name: str) -> Stated | None:
        """Return what a field of the statement says; None if it is absent."""
        value = self.statement.body.get(name)
        if value is None:
            return None
        pointer = f"/{name}"
        return Stated(None if is_sealed(value) else value, (self.index, pointer), pointer in self.opened)


@dataclass(slots=True)
class Facts:
    """Everything that is known after the newest entry taken, and what was found on the way."""

    registry: Registry = field(default_factory=Registry)
    """What the rules know of it."""
    transfers: dict[bytes, Transfer] = field(init=False)
    """The registry's: nothing more need be known of a hand-off."""
    listings: dict[bytes, JudgedListing] = field(default_factory=dict)
    licenses: dict[bytes, JudgedLicense] = field(default_factory=dict)
    grants: dict[tuple[bytes, str], list[JudgedLicense]] = field(default_factory=dict)
    """Licenses by listing and licensee, in the order of their agreement."""
    acknowledged: dict[bytes, Transfer] = field(default_factory=dict)
    """By the id of the acknowledgement."""
    awaited: dict[bytes, int] = field(default_factory=dict)
    """Undecided transfers to the moment by which they should be decided."""
    contents: dict[bytes, bytes] = field(default_factory=dict)
    """Offers to the digest of the content that was disclosed of them."""
    transfer_holds: dict[bytes, Periods] = field(default_factory=dict)
    """By claims on the transfer itself."""
    transfer_attested_ms: dict[bytes, int] = field(default_factory=dict)
    """Transfers to the time of the recipient's first attestation of erasure."""
    claims: dict[bytes, JudgedClaim] = field(default_factory=dict)
    """Those that are not determined."""
    requests: list[ErasureRequest] = field(default_factory=list)
    compelled: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    """Demands by an authority: who says so, and the transfer or listing."""
    venues: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What a venue announced last, and where."""
    signed: dict[str, array[int]] = field(default_factory=dict)
    """Keyid to the index and the time of every entry that it signed, one after the other."""
    certificates: dict[str, Presented] = field(default_factory=dict)
    """By the party that showed them when it registered."""
    compromises: list[tuple[str, int, str, int]] = field(default_factory=list)
    """Keyid, since when, its owner, and the entry that says so."""
    sealed: dict[bytes, tuple[int, str, tuple[str, ...]]] = field(default_factory=dict)
    """Statements, but for hand-offs without marks, to index, issuer and the pointers of what is sealed in them."""
    sealed_count: int = 0
    """Sealed places, opened ones too."""
    opened_count: int = 0
    attestations: list[tuple[int, str, bytes, tuple[str, ...]]] = field(default_factory=list)
    """Index and issuer of an attestation that salts were destroyed, the statement, and the pointers."""
    findings: list[Finding] = field(default_factory=list)
    undetermined: list[Finding] = field(default_factory=list)
    cleared: list[Finding] = field(default_factory=list)
    """What disclosed places show to be no finding; without disclosures there is none."""

    def __post_init__(self) -> None:
        """Look at the hand-offs where they are kept."""
        self.transfers = self.registry.transfers

    def license_of(self, transfer: Transfer) -> JudgedLicense | None:
        """Return the license that a hand-off names, right or wrong."""
        return None if transfer.license is None else self.licenses[transfer.license]

    def preparation_of(self, entry: AcceptedEntry) -> Preparation | None:
        """Return what sealed the marks of an offer beforehand; None where nothing did."""
        prepared = (entry.statement.offer.marks or {}).get("prepared")
        return None if prepared is None else self.registry.preparations[id_bytes(prepared)]

    def note(  # noqa: PLR0917 (the members of a finding, in their order)
        self, slug: str, entry: AcceptedEntry, party: str, others: Iterable[int], sentence: str, answer: Answer = YES
    ) -> None:
        """Note a finding on an entry, or, where `answer` is unknown, that it could not be decided."""
        if answer.truth is Truth.UNKNOWN:
            sentence = f"It cannot be told whether this is so: {sentence}"
        finding = make_finding(slug, entry.index, party, others, entry.time_ms, sentence, answer)
        (self.undetermined if answer.truth is Truth.UNKNOWN else self.findings).append(finding)

    def clear(  # noqa: PLR0917 (the members of a finding, in their order)
        self, slug: str, entry: AcceptedEntry, party: str, others: Iterable[int], sentence: str, answer: Answer
    ) -> None:
        """Note that an entry is no such finding, where `answer`, which says so, rests on what was disclosed."""
        if answer.rests_on:
            self.cleared.append(make_finding(slug, entry.index, party, others, entry.time_ms, sentence, answer))


def make_finding(  # noqa: PLR0917 (the members of a finding, in their order)
    slug: str, index: int, party: str, others: Iterable[int], since_ms: int, sentence: str, answer: Answer = YES
) -> Finding:
    """Return a finding with the members of docs/statements.md §10; `others` are its entries beside `index`."""
    entries = tuple(sorted({index, *others}))
    rests_on, places = tuple(sorted(answer.rests_on)), tuple(sorted(answer.places))
    return Finding(slug, index, party, entries, since_ms, sentence, rests_on, places)


def take_registered(facts: Facts, entry: AcceptedEntry) -> None:
    """Keep the certificates that a registration shows, if it does."""
    identity = entry.body.get("identity")
    if identity is None or is_sealed(identity) or "certificates" not in identity:
        return
    certificates = identity["certificates"]
    if not is_sealed(certificates):
        facts.certificates[entry.issuer] = Presented(
            entry.index,
            entry.time_ms,
            tuple(sorted(key_of(key).keyid for key in entry.body["keys"])),
            tuple(certificates["chain"]),
            certificates["signature"],
            not _PLACES.isdisjoint(entry.opened),
        )
