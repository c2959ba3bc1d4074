"""What ledger and verifier say that parties did (docs/statements.md §10), in one form, to be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ledger.registry.finding import Finding
from tests.harness.builder import LedgerBuilder
from verifier.core.checks import Failure
from verifier.judgement.judge import Judge, Judgement
from verifier.rules.examine import Examined, Reading, examine_entry
from verifier.schema.versions import STATEMENT_TYPES
from verifier.sealed.disclosures import Disclosures


class Told(NamedTuple):
    """A finding, or something undetermined, of which `places` are sealed."""

    at: int
    slug: str
    party: str
    entries: tuple[int, ...]
    since_ms: int
    places: tuple[tuple[int, str], ...] = ()


class Judged(NamedTuple):
    """Both lists, ordered."""

    findings: list[Told]
    undetermined: list[Told]


def of_documents(documents: Iterable[dict[str, Any]]) -> list[Told]:
    """Return findings as reports and answers have them."""
    found = []
    for item in documents:
        places = tuple(sorted((place["index"], place["pointer"]) for place in item.get("places", [])))
        entries = tuple(item["entries"])
        found.append(Told(item["index"], item["slug"], item["party"], entries, item["since_ms"], places))
    return sorted(found)


def ledger_judged(ledger: LedgerBuilder, as_of_ms: int | None = None) -> Judged:
    """Return what the ledger's registry has found, as of a moment that is not before the newest entry."""
    now_ms = ledger.times[-1] if as_of_ms is None else as_of_ms
    kept = [item for item in ledger.view.findings.values() if item is not None and item.from_ms <= now_ms]
    told = [item.document() for item in kept if not item.keyid]
    findings = [item for item in told if "places" not in item] + list(_compromised(ledger, kept))
    return Judged(of_documents(findings), of_documents(item for item in told if "places" in item))


def _compromised(ledger: LedgerBuilder, kept: list[Finding]) -> Iterable[dict[str, Any]]:
    """Yield one finding for each entry that a compromised key signed, as a store makes them out of one a key."""
    revocations = [item for item in kept if item.keyid]
    for index, (signers, time_ms) in enumerate(zip(ledger.signers, ledger.times, strict=True)):
        guilty = [item for item in revocations if item.keyid in signers and time_ms >= item.since_ms]
        if guilty:
            first = min(guilty, key=lambda item: (item.party, item.index))
            entries = sorted({index, first.index})
            slug, party = "key-compromised", first.party
            yield {"slug": slug, "index": index, "party": party, "entries": entries, "since_ms": time_ms}


def of_report(report: dict[str, Any]) -> Judged:
    """Return what a report, or an answer of the ledger, says."""
    return Judged(of_documents(report["findings"]), of_documents(report["undetermined"]))


def verifier_judged(judgement: Judgement) -> Judged:
    """Return what the verifier's judge says."""
    findings, undetermined = (
        sorted(
            Told(item.index, item.slug, item.party, tuple(item.entries), item.since_ms, tuple(sorted(item.places)))
            for item in items
        )
        for items in (judgement.findings, judgement.undetermined)
    )
    return Judged(findings, undetermined)


class Judging:
    """The verifier's judge over a ledger that grows, without acceptance: what is honest need not be checked again."""

    def __init__(
        self, ledger: LedgerBuilder, as_of_ms: int | None = None, disclosures: Disclosures | None = None
    ) -> None:
        """Begin before entry 0."""
        self.ledger = ledger
        self.judge = Judge(as_of_ms, disclosures)
        self.reading = Reading(ledger.rules, STATEMENT_TYPES[ledger.rules], disclosures)
        self._taken = 0

    def close(self) -> Judgement:
        """Take what was recorded since, and judge as of the newest entry."""
        for index in range(self._taken, self.ledger.size):
            examined = examine_entry(self.ledger.entries[index], {}, self.reading)
            assert isinstance(examined, Examined), examined
            assert not isinstance(examined, Failure)
            assert examined.statement is not None, (index, examined.failure)
            self.judge.take(index, examined.time_ms, examined.statement)
        self._taken = self.ledger.size
        return self.judge.close(self.ledger.times[-1])
