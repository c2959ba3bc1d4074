"""The commands, one file a group; a file is imported when one of its commands is called."""

from __future__ import annotations

from functools import cache
from importlib import import_module, metadata
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class _Place(NamedTuple):
    """The module of a command or group, and its help in one sentence, which `ledger --help` shows without it."""

    module: str
    help: str
    more: tuple[str, ...] = ()
    """Modules that `register` further commands of a group."""


_PLACES = {
    "init": _Place(
        "operating.operator",
        "Make a ledger: four keys, a database with entry 0, and the policy file that verifiers need.",
    ),
    "serve": _Place(
        "operating.operator", "Run a ledger until SIGINT or SIGTERM, which finish what was accepted and then stop."
    ),
    "rules": _Place(
        "operating.operator", "Take up the newest version of the rules, for a ledger that was made under an older one."
    ),
    "backup": _Place("operating.copies", "Copy the database to OUT while the ledger runs, and check the copy."),
    "check": _Place(
        "operating.copies",
        "Check the database at leisure, while the ledger runs or not: every entry, every index, all that is derived.",
    ),
    "restore": _Place(
        "operating.copies",
        "Rebuild the database from a mirror, after a loss or from an old backup; stop the server first.",
    ),
    "adopt": _Place("operating.copies", "Start a successor of a ledger that has ended, under a new name and new keys."),
    "timestamp": _Place(
        "operating.timestamp",
        "Have the newest checkpoint time-stamped, now: whether the ledger is being served or not.",
    ),
    "demo": _Place(
        "demo",
        "Show the whole story: real data, licenses, marked copies, a breach, a leak traced and proved, lies caught.",
    ),
    "disclose": _Place(
        "party.disclose", "Show somebody what you sealed: values, and proof that they are what you sealed then."
    ),
    "erase": _Place(
        "party.disclose",
        "Destroy what opens places that you sealed, for good, and say so on the ledger ('erasure.attested').",
    ),
    "findings": _Place("party.findings", "List what parties did wrong, as the ledger itself judges its entries."),
    "trace": _Place(
        "party.trace", "Find out which hand-off a file came from, and how sure that is. Nothing leaves this machine."
    ),
    "found": _Place("party.found", "Found files: register one the day you find it, before you trace it."),
    "key": _Place("kit.keys", "Keys: sealed in files, in the environment, or in a token (HSM); never sent anywhere."),
    "log-key": _Place(
        "operating.log_keys",
        "The keys that sign the log's checkpoints: add one, then retire its predecessor. Stop the server meanwhile.",
    ),
    "party": _Place("party.party", "Parties: who speaks on a ledger, and with which keys.", ("party.history",)),
    "listing": _Place("party.listing", "Listings: datasets that a party offers."),
    "license": _Place("party.license", "Licenses: who may use a listing, for what, until when."),
    "transfer": _Place(
        "party.transfer",
        "Hand-offs: the sender offers; the recipient acknowledges what it computed from what it received, or refuses.",
        ("party.onward",),
    ),
    "usage": _Place("party.usage", "Use: what a licensee did with the data, in its own signed words."),
    "claim": _Place(
        "party.claim",
        "Claims: one party says that another broke a license or a hand-off; the other answers.",
        ("party.settlement",),
    ),
    "evidence": _Place(
        "party.evidence",
        "Evidence: one file that anybody can check offline, with two independent programs, when the ledger is gone.",
    ),
    "erasure": _Place(
        "party.erasure",
        "Erasure: who gave data asks for their destruction; who had them says what is gone, and on what basis.",
    ),
    "venue": _Place("party.venue", "Venues: the exchanges on which data are listed, and whether they operate."),
    "provenance": _Place(
        "party.provenance", "Provenance: what the chain tells, in the field's own languages, and from them."
    ),
}
"""Every command and group, in the order of `ledger --help`."""


@cache
def load(name: str) -> TyperCommand | TyperGroup:
    """Import a command or group; raise KeyError if there is none of this name.

    A module has either an `app`, which is the group, or `register`, which adds its commands to the one it is given.
    """
    module = import_module(f"ledger.cli.{_PLACES[name].module}")
    if hasattr(module, "app"):
        for further in _PLACES[name].more:
            import_module(f"ledger.cli.{further}").register(module.app)
        return get_group(module.app)
    above = typer.Typer()
    module.register(above)
    command = get_group(above).commands[name]
    if not isinstance(command, TyperCommand):
        raise TypeError(f"{name} is not a command of typer")
    return command


class _Lazy(TyperGroup):
    """The whole command line: it knows every name and what it is for, and imports what is called."""

    def __init__(self, **attributes: object) -> None:
        stubs = {name: TyperCommand(name, help=place.help) for name, place in _PLACES.items()}
        super().__init__(**(attributes | {"commands": stubs}))  # type: ignore[arg-type] # passed on as typer gives it

    def resolve_command(  # type: ignore[no-untyped-def] # typer keeps a copy of click's types to itself
        self,
        ctx,  # noqa: ANN001 - same
        args: list[str],
    ) -> tuple[str | None, Any, list[str]]:
        """Return the command that is called in place of the one that stood for it in the help."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in _PLACES else command, rest


app = typer.Typer(
    name="ledger",
    cls=_Lazy,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # A traceback that shows local variables would show passphrases.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"ledger {metadata.version('provenance-ledger')}")
        raise typer.Exit


@app.callback(
    help=(
        "A ledger of data hand-offs: who gave which data to whom, under which license, signed by both.\n\n"
        "Keys and data stay on this machine; commitments and signatures go to the ledger, and every receipt that comes "
        "back is verified before a command says that it is done.\n\n"
        "Exit codes: 0 done, 1 refused or false, 2 usage, 3 could not reach the ledger or could not tell."
    )
)
def ledger(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold what all commands share: nothing but `--version`."""
