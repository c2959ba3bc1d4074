"""What strangers do with the copy of the log, when the exchange is gone."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.cli.demo.leak import prove
from ledger.cli.demo.stage import Stage
from ledger.cli.demo.story import NORTHWIND, SKYWAYS, Affair
from ledger.cli.kit.exit_codes import NotAsTold
from ledger.cli.kit.words import console
from ledger.party.text import plain

_FOUND = ["digest-mismatch", "usage-prohibited", "onward-without-permission"]
_LATER = "claim-unanswered"


def check(stage: Stage, affair: Affair) -> None:
    """Replay, judge, explain, and catch a lie; raise NotAsTold where anything is not as told."""
    _replay(stage)
    _later(stage)
    _disclosed(stage, affair)
    _explain(stage, affair)
    _receipts(stage)
    _lie(stage)
    prove(stage, affair.leak, affair.claim, SKYWAYS)


def _replay(stage: Stage) -> None:
    stage.tell(
        "An independent program replays every byte of the copy, and judges",
        "It shares no code with the ledger, and trusts the policy file, and the companies' keys in parties.txt.",
    )
    trust = ["--parties", stage.out / "parties.txt"]
    told = stage.verifier("replay", stage.out / "mirror", *trust, expect=0)
    console().print(plain(told.stdout.rstrip()), style="dim")
    raw = stage.verifier("replay", stage.out / "mirror", *trust, "--json", expect=0).stdout
    (stage.out / "replay.json").write_text(raw)
    report = json.loads(raw)
    _expect(stage, _slugs(report, "findings"), _FOUND)
    _expect(stage, _slugs(report, "undetermined"), ["usage-prohibited"])
    stage.saw("verified: three findings, and one use that nobody can judge without the sealed clause")


def _later(stage: Stage) -> None:
    stage.tell(
        "The same copy, judged as of a month later",
        "Deadlines pass whether or not anybody writes an entry.",
    )
    moment = (datetime.now(UTC) + timedelta(days=31)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = _report(stage, "--as-of", moment)
    _expect(stage, _slugs(report, "findings"), [*_FOUND, _LATER])
    stage.saw("Harbour has not answered the claim in time; its copies are under the legal hold, so not late")


def _disclosed(stage: Stage, affair: Affair) -> None:
    stage.tell(
        "The auditor replays with what Skyways disclosed",
        "The sealed clause opens against its commitment, and the report says which conclusions rest on it.",
    )
    report = _report(stage, "--disclosures", affair.disclosures)
    _expect(stage, _slugs(report, "undetermined"), [])
    _expect(stage, _slugs(report, "findings"), _FOUND)
    stage.saw("Northwind's use was permitted: nothing is left undetermined")


def _explain(stage: Stage, affair: Affair) -> None:
    stage.tell(
        "The same in plain sentences, for people who do not read JSON",
        "What happened under Harbour's license, each sentence with the entry that proves it.",
    )
    told = stage.verifier("explain", affair.bad_license, stage.out / "mirror", expect=0).stdout.rstrip()
    (stage.out / "explain.txt").write_text(told + "\n")
    console().print(plain(told), style="dim")


def _receipts(stage: Stage) -> None:
    stage.tell(
        "Northwind keeps receipts",
        "Each proves offline that an entry is in the log: the entry, its path in the tree, a signed checkpoint.",
    )
    evidence = stage.out / "evidence"
    evidence.mkdir()
    kept = sorted(stage.home(NORTHWIND).rglob("entries/*.tlog-proof"))
    if not kept:
        raise NotAsTold("Northwind kept no receipt")
    for receipt in kept:
        entry = receipt.with_suffix(".entry")
        for path in (receipt, entry):
            shutil.copy(path, evidence)
        stage.verifier("receipt", evidence / receipt.name, "--entry", evidence / entry.name, expect=0)
    stage.saw(f"{len(kept)} receipts verified")


def _lie(stage: Stage) -> None:
    stage.tell(
        "Somebody changes one byte in a copy of the mirror", "The independent program must notice, and say where."
    )
    tampered = stage.out / "tampered"
    shutil.copytree(stage.out / "mirror", tampered)
    bundle = next(path for path in sorted((tampered / "tile" / "entries").rglob("*")) if path.is_file())
    raw = bytearray(bundle.read_bytes())
    index, start = _entry_with(bytes(raw), b'"payload":"')
    raw[start + 40] ^= 0x01
    bundle.write_bytes(raw)
    caught = stage.verifier("replay", tampered, expect=1)
    named = [line for line in caught.stdout.splitlines() if f"changed-bytes at entry {index}," in line]
    if not named:
        raise NotAsTold(f"entry {index} was changed, and the verifier did not name it")
    stage.saw(f"caught: {named[0].strip()}")


def _report(stage: Stage, *options: object) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        stage.verifier("replay", stage.out / "mirror", *options, "--json", expect=0).stdout
    )
    return report


def _slugs(report: dict[str, Any], member: str) -> list[str]:
    return [finding["slug"] for finding in report[member]]


def _expect(stage: Stage, found: list[str], told: list[str]) -> None:
    if sorted(found) != sorted(told):
        raise NotAsTold(f"the replay was to find {told}, and found {found}: see {stage.out / 'mirror'}")


def _entry_with(bundle: bytes, text: bytes) -> tuple[int, int]:
    """Return the index and the offset of `text` in the middle entry of a bundle (docs/format.md §11.1)."""
    starts, at = [], 0
    while at < len(bundle):
        starts.append(at)
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    index = len(starts) // 2
    return index, bundle.index(text, starts[index]) + len(text)
