"""The `ledger` command: arguments in, a call, words out."""

from __future__ import annotations

import sys

from ledger.cli.app import app
from ledger.core.errors import LedgerError


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused or false, 2 usage, 3 could not reach or could not tell."""
    try:
        app()
    except (LedgerError, OSError) as error:
        from ledger.cli.kit.error_words import report  # noqa: PLC0415 - it knows every error there is, and so every module

        sys.exit(report(error))
