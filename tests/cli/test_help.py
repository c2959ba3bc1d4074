"""What `--help` teaches: an example for each command, of options that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from ledger.cli.app import app

TAUGHT = ("usage", "claim", "erasure", "venue", "findings", "transfer forward", "transfer compelled", "party history")
_EXAMPLE = re.compile(r"Example: (ledger .*?)(?:\n\n|; then|$)", re.DOTALL)


def commands(group: TyperGroup, above: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Yield every command below a group with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{above}{name} ")
        elif isinstance(command, TyperCommand):
            yield f"{above}{name}", command


def root() -> TyperGroup:
    """Return the whole command line."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


COMMANDS = dict(commands(root()))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_in_a_help_is_a_call_of_that_command(name: str) -> None:
    command = COMMANDS[name]
    found = _EXAMPLE.search(command.help or "")
    if found is None:
        assert not name.startswith(TAUGHT), f"'ledger {name} --help' has no example"
        return
    words = shlex.split(found[1])[1:]
    assert " ".join(words).startswith(name)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert not {word for word in words if word.startswith("--")} - known
    needed = {parameter.opts[-1] for parameter in command.params if parameter.required and parameter.opts[0][0] == "-"}
    assert not needed - set(words)
