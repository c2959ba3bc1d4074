"""The page refuses what the ledger refuses, and finds what the ledger finds, in random histories of every version."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.conformance.effort import rounds
from tests.conformance.histories import History
from tests.conformance.tale import Tale
from tests.conformance.test_acceptance import group
from tests.harness.builder import LedgerBuilder
from tests.harness.judged import Told, ledger_judged
from tests.page.browser import Opened

REPLAY = """
  const {entries, policy, disclosures} = argument, report = new parts.Report(), formless = {}, whole = new Map();
  entries.forEach((entry, i) => {
    const bytes = parts.decode64(entry);
    try { parts.parseEntry(bytes); whole.set(i, bytes); } catch (fault) { formless[i] = fault.reason; }
  });
  const {logs} = parts.parsePolicy(new TextEncoder().encode(policy)), [log] = logs;
  const checkpoint = {size: whole.size, cosigned: new Map(), log, signedBy: logs.map(key => key.vkey)};
  Object.assign(report.story, {checkpoint, accepted: []});
  await parts.verifyEntries(report, {entries: whole, disclosures}, async () => {});
  const judge = new parts.Judge(), {accepted} = report.story;
  for (const entry of accepted) judge.take(entry);
  const findings = judge.close(accepted.at(-1).time);
  return {formless, failures: report.failures, doubts: report.doubts, findings, undetermined: judge.undetermined};
"""


def replayed(page: Opened, ledger: LedgerBuilder, disclosures: list[Any] | None = None) -> dict[str, Any]:
    """Return what the page says of a whole log."""
    entries = [b64encode(entry).decode() for entry in ledger.entries]
    argument = {"entries": entries, "policy": ledger.policy(), "disclosures": disclosures or []}
    said: dict[str, Any] = page.call(REPLAY, argument)
    assert said["doubts"] == []
    return said


def told(items: list[dict[str, Any]]) -> list[Told]:
    found = []
    for item in items:
        places = [place.split(" ", 1) for place in item.get("places", [])]
        sealed = tuple(sorted((int(index), pointer) for index, pointer in places))
        found.append(Told(item["index"], item["slug"], item["party"], tuple(item["entries"]), item["since_ms"], sealed))
    return sorted(found)


@pytest.mark.parametrize(("seed", "rules"), [(1000 + n, 1 + n % 6) for n in range(6 * rounds(1))])
def test_acceptance(page: Opened, seed: int, rules: int) -> None:
    """Statements of all types, most of them spoiled; where several reasons apply, any may be given."""
    history = History(seed, rules=rules)
    for _ in range(200):
        history.step()
    said = replayed(page, history.ledger)
    reasons = {int(index): reason for index, reason in said["formless"].items()}
    reasons |= {int(item["where"].split()[1]): item["reason"] for item in said["failures"]}
    refused = {item.at: item.reason for item in history.judged if item.reason}
    assert reasons.keys() == refused.keys()
    same = sum(group(reasons[at]) == group(refused[at]) for at in refused)
    assert same >= len(refused) - 3, [(at, reasons[at], refused[at]) for at in refused if reasons[at] != refused[at]]


@pytest.mark.parametrize("first", range(0, 8 * rounds(1), 8))
def test_findings(page: Opened, first: int) -> None:
    found = 0
    for seed in range(first, first + 8):
        tale = Tale(seed)
        for _ in range(50):
            tale.step()
        said, expected = replayed(page, tale.ledger), ledger_judged(tale.ledger)
        assert said["failures"] == []
        assert told(said["findings"]) == expected.findings, seed
        assert told(said["undetermined"]) == expected.undetermined, seed
        found += len(expected.findings)
    assert found > 100


def test_what_is_disclosed_is_judged_as_if_it_had_never_been_sealed(page: Opened) -> None:
    disclosed = 0
    for seed in range(5000, 5005):
        clear, secret = Tale(seed, is_sealed=False), Tale(seed)
        for _ in range(50):
            clear.step()
            secret.step()
        said = replayed(page, secret.ledger, secret.disclosures)
        assert said["failures"] == []
        assert told(said["findings"]) == ledger_judged(clear.ledger).findings, seed
        assert said["undetermined"] == []
        disclosed += len(secret.disclosures)
    assert disclosed > 0
