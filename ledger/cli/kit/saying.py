"""What the commands that say one thing on the ledger share: sealing, choices of one, and the way there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.home import run, speaking
from ledger.cli.kit.words import when
from ledger.party.answers.recorded import Recorded
from ledger.party.speaking.speaker import Speaker
from ledger.statements.fields import Model, Sealed

Seal = Annotated[
    list[str] | None,
    typer.Option(
        "--seal",
        metavar="POINTER",
        help="Keep this place secret, as in --seal /purpose: the ledger gets a commitment, your vault what opens it. "
        "May be given several times; 'ledger disclose' shows it to whom you choose.",
    ),
]


def pointers(seal: Sequence[str] | None) -> list[str]:
    """Return the RFC 6901 pointers that were asked for, each once; a bare name is taken for a member."""
    return sorted({place if place.startswith("/") else f"/{place}" for place in seal or ()})


def exactly_one(**options: str | None) -> None:
    """Raise typer.BadParameter unless exactly one of these options was given; `_` in a name stands for `-`."""
    given = [name for name, value in options.items() if value is not None]
    if len(given) != 1:
        names = " or ".join(f"--{name.replace('_', '-')}" for name in options)
        also = "both" if len(given) > 1 else "neither"
        raise typer.BadParameter(f"give exactly one of {names}: {also} was given")


def stated(value: object) -> str | None:
    """Return a field that may be sealed in words: what it says, or that it is sealed; None if it is absent."""
    if isinstance(value, Sealed):
        return f"sealed ({value.sealed[:16]}…)"
    if isinstance(value, Model):
        return ", ".join(_member(name, item) for name, item in value if item is not None)
    if isinstance(value, list):
        return "; ".join(stated(item) or "" for item in value)
    return None if value is None else str(value)


def _member(name: str, value: object) -> str:
    """Return a member of a field in words, a time as a date."""
    words = when(value) if name.endswith("_ms") and isinstance(value, int) else stated(value)
    return f"{name.removesuffix('_ms').replace('_', ' ')} {words}"


def spoken(home: Path, passphrase_file: Path | None, act: Callable[[Speaker], Awaitable[Recorded]]) -> Recorded:
    """Open the home's key, say something with it, and return what was recorded."""

    async def work() -> Recorded:
        async with speaking(home, passphrase_file) as speaker:
            return await act(speaker)

    return run(work())
