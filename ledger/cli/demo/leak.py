"""A file turns up where it should not be: from the file to evidence that stands alone, when the ledger is gone."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.cli.demo.browser import read_in_a_browser
from ledger.cli.demo.stage import Stage
from ledger.cli.kit.exit_codes import NotAsTold
from ledger.cli.kit.words import console
from ledger.core.encoding import canonical
from ledger.party.text import plain

LEAK = "found-on-a-forum.csv"
_SHARE = 0.3
_DROPPED = {"speed"}
_NAMES = {"tailnum": "Registration", "year": "Built", "type": "Kind", "manufacturer": "Maker", "seats": "Capacity"}


@dataclass(frozen=True)
class Leak:
    """What turned up, and where it came from, as nobody but the demo knows."""

    file: Path
    trace: Path
    culprit: str


def leak(stage: Stage, culprit: str, victim: str) -> Leak:
    """Let `culprit` leak a part of its copy, unrecognisable at first sight, and let `victim` trace it."""
    stage.tell(
        "Weeks later, a file turns up on a forum",
        "Somebody shuffled the rows, kept three in ten, dropped a column, renamed and reordered the others, changed "
        "letters and numbers, and parted the fields by semicolons. It names nobody.",
    )
    found = stage.out / LEAK
    kept = _rewrite(stage.home(culprit).parent / "received" / "planes.csv", found)
    stage.saw(f"{LEAK}: {kept} rows")
    stage.tell(
        "Skyways asks its own vault whose copy that was",
        "Every copy is compared, record by record, and every row of every pool: a copy holds the rows that were drawn "
        "for it, and not those that were not. The answer is ENOUGH only where the bound on false accusations holds.",
    )
    trace = stage.out / "trace.json"
    how = ["--obtained", "downloaded from a forum by the compliance team", "--examiner", "Skyways compliance"]
    told = stage.ledger("trace", found, *how, "--out", trace, "--home", stage.home(victim))
    console().print(plain(told.stdout.rstrip()), style="dim")
    document = json.loads(trace.read_bytes())
    named = [item["recipient"] for item in document["transfers"] if item["conclusion"]["is_enough"]]
    if named != [culprit]:
        raise NotAsTold(f"the trace was to name {culprit} alone, and named {named}")
    stage.saw(f"it derives from the copy made for {culprit}, and from no other")
    return Leak(found, trace, culprit)


def prove(stage: Stage, leaked: Leak, claim: str, victim: str) -> None:
    """Build the bundle from the mirror, for the exchange is closed, and have it checked by two programs."""
    stage.tell(
        "Skyways builds the evidence, though the exchange is gone",
        "One file for a court: exact entries, receipts, opened records and marks, judgement, report. A mirror will do.",
    )
    bundle = stage.out / "evidence" / "case.zip"
    bundle.parent.mkdir(exist_ok=True)
    source = [
        "--mirror",
        stage.out / "mirror",
        "--whole-log",
        "--found",
        leaked.file,
        "--single-file",
    ]
    what = ["--trace", leaked.trace, "--claim", claim, "--out", bundle, "--home", stage.home(victim)]
    stage.ledger("evidence", "build", *what, *source)
    made = sorted(path.name for path in bundle.parent.iterdir() if path.name.startswith("case"))
    stage.saw(f"in {bundle.parent}: {', '.join(made)}")
    _checked(stage, bundle, leaked)
    _forged(stage, bundle)


def _checked(stage: Stage, bundle: Path, leaked: Leak) -> None:
    stage.tell(
        "A court's expert checks it, offline, with two independent programs",
        "Neither believes anything because it is in the bundle: the policy and the pinned keys are the expert's own.",
    )
    pins = ["--parties", stage.out / "parties.txt"]
    page = bundle.with_name("verified.html")
    told = stage.verifier("bundle", bundle, *pins, "--html", page, expect=0)
    console().print(plain(told.stdout.rstrip()), style="dim")
    report: dict[str, Any] = json.loads(stage.verifier("bundle", bundle, *pins, "--json", expect=0).stdout)
    if leaked.culprit not in json.dumps(report["proved"]):
        raise NotAsTold(f"the verifier was to say that the file is from {leaked.culprit}'s copy: {report['proved']}")
    stage.saw("'verifier bundle': verified")
    code = read_in_a_browser(bundle, stage.out / "policy.txt", stage.out / "parties.txt")
    if code is None:
        stage.saw("no Chromium here: open verify.html from the bundle yourself, and drop case.zip and policy.txt on it")
    elif code != 0:
        raise NotAsTold(f"verify.html came to {code}, and the verifier to 0")
    else:
        stage.saw("verify.html, in a browser: verified")


def _forged(stage: Stage, bundle: Path) -> None:
    stage.tell(
        "Somebody changes an entry in the bundle, and makes all digests of files fit",
        "Digests prove nothing that was made anew with them. Signatures and the tree do.",
    )
    forged = stage.out / "forged.zip"
    _forge(bundle, forged)
    caught = stage.verifier("bundle", forged, expect=1)
    named = [line for line in caught.stdout.splitlines() if line.startswith("  [receipt]")]
    if not named:
        raise NotAsTold(f"an entry was changed, and the verifier did not say that nothing proves it any more: {forged}")
    stage.saw(f"caught: {named[0].strip()}")


def _forge(bundle: Path, forged: Path) -> None:
    """Write the bundle anew with one character of an entry changed, and a manifest to match."""
    with zipfile.ZipFile(bundle) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members["entries.bin"] = members["entries.bin"].replace(b'"payload":"e', b'"payload":"f', 1)
    manifest = json.loads(members["manifest.json"])
    for item in manifest["files"]:
        item["sha256"] = sha256(members[item["path"]]).hexdigest()
    members["manifest.json"] = canonical(manifest) + b"\n"
    with zipfile.ZipFile(forged, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)


def _rewrite(copy: Path, found: Path) -> int:
    """Write a part of a copy as somebody would who does not want it to be recognised; return how many rows."""
    chance = random.Random(7)  # noqa: S311 - the same leak every time; nothing secret hangs on it
    with copy.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in reversed(rows[0]) if name not in _DROPPED]
    kept = chance.sample(rows, int(len(rows) * _SHARE))
    with found.open("w", encoding="utf-16", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(_NAMES.get(name, name.upper()) for name in columns)
        writer.writerows([_disguise(name, row[name]) for name in columns] for row in kept)
    return len(kept)


def _disguise(column: str, text: str) -> str:
    if text.isdigit():
        return f"{text}.0" if column == "year" else f"{int(text):,}"
    return f" {text.lower()} "
