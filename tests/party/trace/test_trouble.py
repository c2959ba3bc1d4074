"""Found files that are no tables, copies that are gone or damaged, runs that are cut short."""

from __future__ import annotations

import gzip
import json
import random
import resource
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.party.trace import wrapping
from ledger.party.trace.errors import FoundEmpty, FoundTooLarge, NothingToCompare, TraceRunning
from ledger.party.trace.evidence import evidence_members
from ledger.party.trace.words import summary
from ledger.party.trace.work import Work
from tests.party.trace.vaults import AIRPORTS, PLANES, Sender, marked_copies, rows_of, write


def test_what_unpacks_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(tmp_path, "beta")
    sender.offer("beta", [AIRPORTS])
    monkeypatch.setattr(wrapping, "MAX_UNPACKED_BYTES", 5_000_000)
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(FoundTooLarge):
        sender.trace(bomb)
    assert not list(sender.vault.directory.glob("traces/*/work/unpacked/*"))


def test_marks_that_were_sealed_after_the_file_was_examined_are_not_enough(tmp_path: Path) -> None:
    """The rows of a file that is already out cannot be made into marks of somebody who never had it."""
    sender = Sender(tmp_path, "gamma")
    names, _ = rows_of(PLANES)
    found = write(tmp_path / "found.csv", names, marked_copies(sender, PLANES, 30)["gamma"][1])
    assert sender.trace(found).document["conclusion"]["is_enough"]
    (custody,) = sender.vault.directory.glob("traces/*/custody.json")
    lines = json.loads(custody.read_bytes())
    offered_ms = sender.trace(found).document["transfers"][0]["time_ms"]
    lines[0]["at_ms"] = offered_ms - 1
    custody.write_text(json.dumps(lines))
    trace = sender.trace(found).document
    assert not trace["conclusion"]["is_enough"]
    (item,) = trace["transfers"]
    assert item["why_not"] == ["examined-before"]
    assert item["conclusion"]["score_millibits"] > item["conclusion"]["needed_millibits"]
    assert "examined before this hand-off was sealed" in "\n".join(summary(trace))


def test_every_file_that_was_examined_is_counted(tmp_path: Path) -> None:
    """Once each, also by an earlier version; whoever tries a thousand finds something in one of them."""
    sender = Sender(tmp_path, "gamma")
    names, _ = rows_of(PLANES)
    rows = marked_copies(sender, PLANES, 30)["gamma"][1]
    files = [write(tmp_path / f"found {number}.csv", names, rows[number:]) for number in range(3)]
    counted = [sender.trace(path).document["transfers"][0]["examined"] for path in (files[0], files[1], files[0])]
    assert counted == [1, 2, 2]
    for kept in sender.vault.directory.glob("traces/*/listings.json"):
        kept.unlink()
    trace = sender.trace(files[2]).document
    (item,) = trace["transfers"]
    assert item["examined"] == 3
    assert "1 of 3 files examined against this listing." in "\n".join(summary(trace))
    assert evidence_members(trace, item["transfer"])["counts"]["examined"] == 3


def test_what_is_no_table_is_said_not_to_be_one(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta")
    sender.offer("beta", [AIRPORTS])
    found = tmp_path / "found"
    found.write_bytes(b"")
    with pytest.raises(FoundEmpty):
        sender.trace(found)
    for content in (
        random.Random(1).randbytes(300_000),
        b"\x1f\x8b" + bytes(100),
        b"PAR1" + bytes(50),
        ",".join(map(str, range(1_000_000))).encode() + b"\n",
        AIRPORTS.read_bytes()[:-30],
        b'{"a": 1}\n{"a": ',
    ):
        found.write_bytes(content)
        trace = sender.trace(found).document
        assert not trace["conclusion"]["is_enough"]
        assert "cannot be read as a table" in trace["notes"][0]
        assert (trace["found"]["format"], trace["found_rows"]) == ("chunks", [])
        assert "NOT ENOUGH" in "\n".join(summary(trace))
    found.write_bytes(b"faa,name\n")
    assert sender.trace(found).document["found"]["count"] == 0


def test_a_table_may_have_more_columns_than_a_process_may_have_files_open(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta")
    wide = [f"c{number}" for number in range(1100)]
    sender.offer("beta", [write(tmp_path / "wide.csv", wide, [[f"{row}.{name}" for name in wide] for row in range(5)])])
    found = write(tmp_path / "found.csv", wide[::-1], [[f"{row}.{name}" for name in wide[::-1]] for row in (3, 1)])
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[0], 1024), limit[1]))
    try:
        (beta,) = sender.trace(found).document["transfers"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert (beta["counts"]["records_found"], len(beta["mapping"])) == (2, 1100)


def test_rows_that_are_only_alike_are_a_lead_and_no_evidence(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta", "gamma")
    sender.offer("beta", [AIRPORTS])
    sender.offer("gamma", [PLANES])
    names, rows = rows_of(AIRPORTS)
    changed = [[row[1] + " Intl", row[2][:7], row[3][:7], str(int(row[4]) + 1), row[7]] for row in rows[:300]]
    trace = sender.trace(write(tmp_path / "near.csv", names[1:6], changed)).document
    beta, gamma = trace["transfers"]
    assert beta["near"]["alike"] > 150
    assert gamma["near"]["alike"] == 0
    assert not trace["conclusion"]["is_enough"]
    assert "A lead only, never evidence" in "\n".join(summary(trace))


def test_other_files_are_compared_by_chunks_and_by_digest(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta", "gamma")
    common, own = random.Random(1).randbytes(200_000), random.Random(2).randbytes(100_000)
    for name, content in (("beta", common + own), ("gamma", common)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").write_bytes(content)
    transfers = {name: sender.offer(name, [tmp_path / name / "model.bin"]) for name in ("beta", "gamma")}
    found = tmp_path / "found.bin"
    found.write_bytes(b"a new header" + common + own[:60_000])
    trace = sender.trace(found).document
    beta, gamma = trace["transfers"]
    assert (beta["by"], beta["transfer"], trace["found"]["count"]) == ("chunks", transfers["beta"], trace["chunks"])
    assert beta["counts"]["exclusive"] > 2 < beta["counts"]["shared"]
    assert gamma["counts"]["exclusive"] == 0 < gamma["counts"]["shared"] == beta["counts"]["shared"]
    assert beta["matches"][0]["kind"] == "exact"
    assert not trace["conclusion"]["is_enough"]
    found.write_bytes(common)
    assert [item["same_file"] for item in sender.trace(found).document["transfers"]] == [[], [0]]


def test_a_damaged_copy_is_left_out_and_said(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta", "gamma", "delta")
    copies = marked_copies(sender, AIRPORTS, 30)
    names, _ = rows_of(AIRPORTS)
    found = write(tmp_path / "found.csv", names, copies["delta"][1][::4])
    kept = {name: sender.vault.directory / "copies" / copies[name][0].removeprefix("sha256:") for name in copies}
    (kept["beta"] / "0.keys.parquet").write_bytes(b"PAR1 and nothing more")
    about = kept["gamma"] / "copy.json"
    about.write_bytes(about.read_bytes().replace(b'"bytes":1', b'"bytes":2'))
    trace = sender.trace(found).document
    beta, gamma, delta = trace["transfers"]
    assert (beta["status"], gamma["status"], delta["status"]) == ("skipped", "skipped", "compared")
    assert "cannot be used" in beta["problems"][0]
    assert "not what was sealed" in gamma["problems"][0]
    assert trace["conclusion"]["transfers"] == [copies["delta"][0]]
    assert "Not compared: gamma" in "\n".join(summary(trace))
    (kept["delta"] / "copy.json").unlink()
    with pytest.raises(NothingToCompare) as nothing:
        sender.trace(found)
    assert len(nothing.value.reasons) == 3


def test_a_vault_from_which_nothing_was_handed_off(tmp_path: Path) -> None:
    with pytest.raises(NothingToCompare, match="nothing was handed off"):
        Sender(tmp_path, "beta").trace(AIRPORTS)


def test_an_entry_without_a_receipt_that_holds_names_nobody(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta")
    transfer = sender.offer("beta", [AIRPORTS])
    sender.offer("beta", [PLANES])
    receipt = sender.vault.directory / "entries" / f"{transfer.removeprefix('sha256:')}.tlog-proof"
    receipt.write_bytes(receipt.read_bytes().replace(b"index 4", b"index 3"))
    trace = sender.trace(AIRPORTS).document
    assert len(trace["transfers"]) == 1
    assert len(trace["notes"]) == 2


def test_an_interrupted_trace_goes_on_where_it_stopped(tmp_path: Path) -> None:
    sender = Sender(tmp_path, "beta", "gamma")
    copies = marked_copies(sender, AIRPORTS, 30)
    names, _ = rows_of(AIRPORTS)
    found = write(tmp_path / "found.csv", names, copies["gamma"][1][::3])
    steps: list[str] = []

    def stop(what: str) -> None:
        steps.append(what)
        if what.startswith("Comparing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sender.trace(found, at=stop)
    (directory,) = (sender.vault.directory / "traces").iterdir()
    with Work(sender.vault.directory, directory.name), pytest.raises(TraceRunning):
        sender.trace(found)
    table, (mapping,) = directory / "work" / "table" / "found.json", directory.glob("work/mapping-*")
    before = table.stat().st_mtime_ns, mapping.stat().st_mtime_ns

    def unchanged(_what: str) -> None:
        assert (table.stat().st_mtime_ns, mapping.stat().st_mtime_ns) == before

    trace = sender.trace(found, at=unchanged).document
    assert trace["conclusion"]["transfers"] == [copies["gamma"][0]]
    assert [line["who"] for line in trace["custody"]] == ["J. Doe", "J. Doe"]
    assert sorted(path.name for path in directory.iterdir()) == ["custody.json", "listings.json", "trace.json"]
    first = (directory / "trace.json").read_bytes()
    sender.trace(found)
    older = directory / f"trace-{sha256(first).hexdigest()}.json"
    assert older.read_bytes() == first
