"""Every finding of the ledger is the verifier's, and so is everything that neither can decide (docs/statements.md §10).

Random histories are told to an honest ledger and judged by both, at the end and at moments on the way. Most are judged
without checking signatures again: tests/conformance/test_acceptance.py does that.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

import ledger.core.keys
import verifier.core.keys
from ledger.core.keys import SIGNATURE_BYTES, LastingKey, SigningKey
from ledger.core.mldsa import MLDSA44_SIGNATURE_BYTES
from tests.conformance.effort import rounds
from tests.conformance.tale import Tale
from tests.harness.judged import Judged, Judging, ledger_judged, of_report, verifier_judged
from tests.harness.sealing import disclosures_file
from tests.harness.verify import replay_files
from verifier.core.checks import Finding
from verifier.sealed.disclosures import Disclosures

TALES = 120
STEPS = 70
SHORT_TALES = 2000
BLOCKS = 4
"""So many tests share the short tales, for as many cores."""
SHORT_STEPS = 12
SLUGS = {
    "transfer-without-license", "transfer-outside-term", "transfer-wrong-recipient", "transfer-wrong-sender",
    "marked-without-consent", "marked-otherwise-than-agreed",
    "listing-withdrawn", "venue-closed", "sublicense-wider-than-parent", "derived-from-unlicensed", "usage-prohibited",
    "usage-beyond-count", "onward-without-permission", "digest-mismatch", "not-acknowledged-in-time",
    "claim-unanswered", "erasure-late", "license-ended-without-erasure", "duty-unfulfilled", "key-compromised",
}  # fmt: skip


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe every signature, on both sides; so none is worth making."""
    monkeypatch.setattr(ledger.core.keys.PublicKey, "verify", lambda *_: True)
    monkeypatch.setattr(verifier.core.keys.PublicKey, "is_signed", lambda *_: True)
    for key, width in (SigningKey, SIGNATURE_BYTES), (LastingKey, MLDSA44_SIGNATURE_BYTES):
        monkeypatch.setattr(key, "sign", lambda *_, width=width: bytes(width))


def differences(ours: Judged, theirs: Judged) -> list[tuple[str, object]]:
    """Return what only one of the two says."""
    found: list[tuple[str, object]] = []
    for name in Judged._fields:
        left, right = getattr(ours, name), getattr(theirs, name)
        found += [(f"{name}, ledger only", item) for item in left if item not in right]
        found += [(f"{name}, verifier only", item) for item in right if item not in left]
        assert found or left == right, "the same, but not as often"
    return found


def about(finding: Finding) -> tuple[str, int, str]:
    """Return what a finding is about; by which constraint a use is prohibited may be sealed, too."""
    return finding.slug.replace("usage-beyond-count", "usage-prohibited"), finding.index, finding.party


def tell(seed: int, steps: int = STEPS) -> tuple[Tale, list[tuple[int, Judged]]]:
    """Tell a history, comparing on the way; return it and what was said as of some moments."""
    tale = Tale(seed)
    judging = Judging(tale.ledger)
    chance = Random(seed)
    moments: list[tuple[int, Judged]] = []
    sizes: list[int] = []

    def compare(_next_ms: int) -> None:
        if chance.random() < 0.15:
            ours = ledger_judged(tale.ledger)
            assert differences(ours, verifier_judged(judging.close())) == [], (seed, tale.ledger.size)
            moments.append((tale.ledger.times[-1], ours))
            sizes.append(tale.ledger.size)

    tale.before = compare
    for _ in range(steps):
        tale.step()
    ours = ledger_judged(tale.ledger)
    assert differences(ours, verifier_judged(judging.close())) == [], (seed, tale.ledger.size)
    moments.append((tale.ledger.times[-1], ours))
    sizes.append(tale.ledger.size)
    times = tale.ledger.times  # a moment is over once nothing more was recorded in that very millisecond
    return tale, [
        (at, said) for (at, said), size in zip(moments, sizes, strict=True) if size == len(times) or times[size] > at
    ]


@pytest.mark.usefixtures("trusting")
def test_findings_of_random_histories() -> None:
    """At every moment looked at, and as of each of them at the end."""
    found: Counter[str] = Counter()
    undetermined: Counter[str] = Counter()
    for seed in range(rounds(TALES)):
        tale, moments = tell(seed)
        found.update(item.slug for item in moments[-1][1].findings)
        undetermined.update(item.slug for item in moments[-1][1].undetermined)
        as_of_ms, before = Random(seed).choice(moments)
        later = verifier_judged(Judging(tale.ledger, as_of_ms).close())
        assert differences(before, later) == [], (seed, as_of_ms)
    assert set(found) == SLUGS, SLUGS ^ set(found)
    assert set(undetermined) >= {"usage-prohibited", "sublicense-wider-than-parent", "onward-without-permission"}


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("block", range(BLOCKS))
def test_findings_of_thousands_of_short_histories(block: int) -> None:
    """Beginnings are where most of what is possible differs; each is another world with other parties and terms."""
    found = 0
    seeds = range(20_000, 20_000 + rounds(SHORT_TALES))[block::BLOCKS]
    for seed in seeds:
        _, moments = tell(seed, SHORT_STEPS)
        found += len(moments[-1][1].findings)
    assert found > len(seeds) or not seeds


@pytest.mark.usefixtures("trusting")
def test_what_is_disclosed_is_judged_as_if_it_had_never_been_sealed() -> None:
    """Told in clear, a history is to the ledger what the sealed one is to a verifier with disclosures."""
    sealed = settled = 0
    for seed in range(5000, 5000 + rounds(TALES // 2)):
        clear, secret = Tale(seed, is_sealed=False), Tale(seed)
        for _ in range(STEPS):
            clear.step()
            secret.step()
        assert clear.ledger.times == secret.ledger.times
        if not secret.disclosures:
            continue
        sealed += len(secret.disclosures)
        disclosures = Disclosures()
        disclosures.add(disclosures_file(secret.disclosures))
        closed = Judging(secret.ledger, disclosures=disclosures).close()
        judgement = verifier_judged(closed)
        assert differences(ledger_judged(clear.ledger), judgement) == [], seed
        assert judgement.undetermined == []
        # What was undetermined is now found or cleared, and either says by which disclosures.
        undetermined = {about(item) for item in Judging(secret.ledger).close().undetermined}
        cleared = {about(item) for item in closed.cleared}
        assert cleared <= undetermined, seed
        assert undetermined <= cleared | {about(item) for item in closed.findings if item.rests_on}, seed
        settled += len(cleared)
    assert sealed > 0
    assert settled > 0


@pytest.mark.parametrize("seed", range(9000, 9000 + rounds(4)))
def test_the_report_of_a_replay_says_the_same(tmp_path: Path, seed: int) -> None:
    """Through the whole verifier: every signature, every link; at the end, and as of a moment before."""
    tale, moments = tell(seed, 150)
    files, policy = tale.ledger.files(), tale.ledger.policy()
    for as_of_ms, said in (moments[-1], Random(seed).choice(moments)):
        verdict = replay_files(tmp_path, files, policy, "--as-of", str(as_of_ms))
        assert (verdict.exit_code, verdict.failures, verdict.report["doubts"]) == (0, [], [])
        assert differences(said, of_report(verdict.report)) == []
    assert differences(moments[-1][1], of_report(replay_files(tmp_path, files, policy).report)) == []
