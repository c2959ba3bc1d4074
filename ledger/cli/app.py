"""The commands, one file a group."""

from __future__ import annotations

import typer

from ledger.cli import demo
from ledger.cli.kit import keys
from ledger.cli.operating import copies, log_keys, operator, timestamp
from ledger.cli.party import (
    claim,
    disclose,
    erasure,
    evidence,
    findings,
    history,
    license,  # noqa: A004 (the command's name)
    listing,
    onward,
    party,
    provenance,
    settlement,
    trace,
    transfer,
    usage,
    venue,
)

app = typer.Typer(
    name="ledger",
    no_args_is_help=True,
    add_completion=False,
    # A traceback that shows local variables would show passphrases.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    help=(
        "A ledger of data hand-offs: who gave which data to whom, under which license, signed by both.\n\n"
        "Keys and data stay on this machine; commitments and signatures go to the ledger, and every receipt that comes "
        "back is verified before a command says that it is done.\n\n"
        "Exit codes: 0 done, 1 refused or false, 2 usage, 3 could not reach the ledger or could not tell."
    ),
)
operator.register(app)
copies.register(app)
timestamp.register(app)
demo.register(app)
disclose.register(app)
findings.register(app)
history.register(party.app)
onward.register(transfer.app)
settlement.register(claim.app)
trace.register(app)
for _group in (keys, log_keys, party, listing, license, transfer, usage, claim, evidence, erasure, venue, provenance):
    app.add_typer(_group.app)
