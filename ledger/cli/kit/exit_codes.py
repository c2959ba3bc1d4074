"""How a command ends that does not end well: its exit codes. Which error has which, `error_words` says."""

from __future__ import annotations

from typing import NoReturn

import typer

from ledger.cli.kit.words import say
from ledger.core.errors import LedgerError

REFUSED = 1
"""Refused or false, by the ledger, by this program or by whoever was asked."""
USAGE = 2
"""Asked for in a way that cannot be done, on this machine."""
UNSURE = 3
"""Could not reach, or could not tell."""


class NotAsTold(LedgerError):
    """A step of the demo did not happen as told."""


def decline(words: str = "", *, err: bool = True) -> NoReturn:
    """End the command, as whoever was asked whether to go on said no; `words` say what was not done."""
    if words:
        say(words, err=err)
    raise typer.Exit(REFUSED)
