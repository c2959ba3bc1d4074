"""Options that many commands have, apart from what those need who speak with a ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.passphrase import ENVIRONMENT, PIN_ENVIRONMENT, RECOVERY_ENVIRONMENT

DEFAULT_HOME = Path("~/.provenance-ledger")
MAX_PAGE = 500

Home = Annotated[
    Path,
    typer.Option(
        "--home", envvar="LEDGER_HOME", help="Your vault: who you are, receipts, disclosures. Keep it, and back it up."
    ),
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help=(
            f"Read the key's passphrase (or its token's PIN) from this file. Otherwise {ENVIRONMENT} "
            f"({PIN_ENVIRONMENT}) is used, or you are asked."
        ),
        exists=True,
        dir_okay=False,
    ),
]
RecoveryPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--recovery-passphrase-file",
        help=f"The same for the recovery key ({RECOVERY_ENVIRONMENT}), if its passphrase is another one.",
        exists=True,
        dir_okay=False,
    ),
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror",
        help="Read a copy of the ledger (made by 'verifier mirror') instead of asking it.",
        exists=True,
        file_okay=False,
    ),
]
MirrorPolicy = Annotated[
    Path | None,
    typer.Option("--policy", help="With --mirror: whom to trust; your home's by default.", exists=True, dir_okay=False),
]
PartyFilter = Annotated[str | None, typer.Option("--party", help="Only those that concern this party.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Go on where an earlier page ended.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=MAX_PAGE, help="At most so many.")]
