"""What becomes of an exchange that comes back with an older database, as if something had never been said."""

from __future__ import annotations

import shutil
from pathlib import Path

from ledger.cli.demo.stage import Stage, first_line
from ledger.cli.demo.story import HARBOUR, SKYWAYS, Affair, key_options
from ledger.cli.kit.exit_codes import NotAsTold
from ledger.cli.kit.words import console
from ledger.party.text import plain

_COULD_NOT_TELL = 3


def cheat(stage: Stage, affair: Affair) -> None:
    """Let the operator rewrite history for Harbour, and be caught by all who remember; raise NotAsTold otherwise."""
    stage.tell(
        "The exchange comes back, with its database of the day before Harbour's breach",
        "Its operator has the log's keys, and signs on from there: Harbour reports a lawful use, and nothing else ever "
        "happened. Whoever saw the log before notices, and keeps what proves it.",
    )
    again = stage.out / "exchange-again"
    shutil.copytree(stage.out / "exchange" / "keys", again / "keys")
    shutil.copy(affair.backup, again / "ledger.db")
    with stage.serving(again):
        _pretend(stage, affair, again / "harbour")
        refused = stage.ledger("findings", "--home", stage.home(SKYWAYS), expect=_COULD_NOT_TELL)
        stage.saw(f"Skyways, whose vault remembers: {first_line(refused.stderr)}")
        frauds = stage.out / "frauds"
        stage.verifier("mirror", stage.url, stage.out / "mirror", "--fraud-dir", frauds, expect=1)
    proofs = sorted(frauds.iterdir()) if frauds.exists() else []
    if not proofs:
        raise NotAsTold("the mirror kept no proof of the fork")
    stage.saw(f"the mirror is left as it was, and has kept {len(proofs)} proofs in {frauds.name}/")
    stage.tell(
        "A stranger checks the proofs",
        "Offline, by the policy file alone. They hold the log's own signatures under two histories.",
    )
    for proof in proofs:
        told = stage.verifier("fraud", proof, expect=0)
        console().print(plain(told.stdout.rstrip()), style="dim")
    stage.saw("the operator is convicted by what it signed")


def _pretend(stage: Stage, affair: Affair, home: Path) -> None:
    """Have Harbour, which plays along, say on the older log that it did no wrong."""
    trust = ["--ledger", stage.url, "--policy", stage.out / "policy.txt", "--home", home]
    stage.ledger("party", "register", HARBOUR, *trust, *key_options(stage, HARBOUR))
    use = ["--action", "derive", "--purpose", "AcademicResearch", "--region", "DE"]
    stage.ledger("usage", "report", affair.bad_license, *use, "--home", home)
