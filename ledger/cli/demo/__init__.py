"""`ledger demo`: the whole story on real data, through the real commands.

`stage` types commands and reads what they say; `story` is what the companies do; `leak` is what becomes of a file that
turns up; `check` is what a stranger does with the copy of the log that is left; `cheat` is an operator who rewrites it.
Each step states what must happen; the demo ends with an error at the first that happens otherwise.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.demo.cheat import cheat
from ledger.cli.demo.check import check
from ledger.cli.demo.stage import Stage
from ledger.cli.demo.story import EXAMPLES, OPERATOR, ORIGIN, act
from ledger.cli.kit.exit_codes import NotAsTold
from ledger.cli.kit.words import fields, say

_MARK = ".ledger-demo"


def register(app: typer.Typer) -> None:
    """Add the demo to `app`."""
    app.command()(demo)


def demo(
    data: Annotated[
        Path,
        typer.Option(help="Where airports.csv and planes.csv are, if not those that come along.", exists=True),
    ] = EXAMPLES,
    out: Annotated[
        Path, typer.Option(help="Where everything is written; what an earlier demo left is removed.")
    ] = Path("var/demo"),
) -> None:
    """Show the whole story: real data, licenses, marked copies, a breach, a leak traced and proved, lies caught."""
    stage = Stage(_fresh(out.absolute()))
    stage.tell(
        "An exchange starts a ledger",
        "It runs the ledger, and nobody has to trust it. Its policy file names the two keys that sign its checkpoints: "
        "one of Ed25519, and one of ML-DSA-44, which quantum computers leave alone.",
    )
    stage.ledger("init", stage.out / "exchange", "--origin", ORIGIN, "--operator", OPERATOR, "--lasting")
    shutil.copy(stage.out / "exchange" / "policy.txt", stage.out / "policy.txt")
    with stage.serving(stage.out / "exchange"):
        affair = act(stage, data)
    check(stage, affair)
    cheat(stage, affair)
    say()
    say("Everything happened as told.", "bold green")
    for name, what in (
        ("policy", "policy.txt"),
        ("pins", "parties.txt"),
        ("mirror", "mirror"),
        ("trace", "trace.json"),
        ("evidence", "evidence/case.zip"),
        ("report", "evidence/case.pdf"),
        ("page", "evidence/case.html"),
        ("replay", "replay.json"),
        ("frauds", "frauds"),
        ("story", "explain.txt"),
        ("provenance", "provenance.json"),
    ):
        fields({name: stage.out / what})


def _fresh(out: Path) -> Path:
    """Empty a directory that an earlier demo made; refuse to touch any other."""
    if out.exists() and any(out.iterdir()):
        if not (out / _MARK).exists():
            raise NotAsTold(f"{out} holds something other than a demo; choose another --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()
    return out
