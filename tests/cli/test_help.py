"""What `--help` teaches: an example for each command, of options that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

from ledger.cli.app import app, load
from ledger.core.keys import SigningKey
from ledger.party.keys.files import write_key

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
    """Return the whole command line, every command of it imported."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    group.commands = {name: load(name) for name in group.commands}
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


@pytest.mark.parametrize("name", root().commands)
def test_the_overview_says_what_a_command_says_of_itself(name: str) -> None:
    """Its first paragraph, though the overview does not import it."""
    overview = typer.main.get_command(app)
    assert isinstance(overview, TyperGroup)
    first = (load(name).help or "").partition("\n\n")[0]
    assert overview.commands[name].help == " ".join(first.split())


HEAVY = ("aiohttp", "aiosqlite", "pyarrow", "numpy", "cryptography", "nacl", "typst", "jinja2")


def run_and_list_imports(arguments: list[str], wanted: str, cwd: Path) -> tuple[int, str]:
    """Run `ledger` in a process of its own; return its exit code, and which modules it loaded of those wanted."""
    script = (
        "import sys\n"
        "from ledger.cli import main\n"
        f"sys.argv = ['ledger', *{arguments}]\n"
        "try: main()\n"
        f"finally: print([name for name in sys.modules if {wanted}])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.stdout, done.stderr
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["-h"], 0), (["--version"], 0), ([], 2), (["serv"], 2), (["--no-such-option"], 2)],
)
def test_what_needs_no_command_imports_none(arguments: list[str], code: int, tmp_path: Path) -> None:
    """A newcomer's first calls, and typing errors, are answered at once. Typer itself loads pydantic for some."""
    ours = "('ledger.server', 'ledger.party', 'ledger.statements')"
    wanted = f"name.split('.')[0] in {HEAVY} or name.startswith({ours})"
    assert run_and_list_imports(arguments, wanted, tmp_path) == (code, "[]")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["key", "show", "key.json"], 0),
        (["key", "show", "policy.txt"], 2),
        (["listing", "show", "sha256:" + "0" * 64, "--home", "none"], 2),
        (["license", "draft", "--help"], 0),
        (["trace", "--help"], 0),
    ],
)
def test_what_asks_no_ledger_and_reads_no_table_loads_nothing_for_it(
    arguments: list[str], code: int, tmp_path: Path
) -> None:
    """Commands and errors: the table from errors to words knows those of every room, and loads no room for them."""
    write_key(tmp_path / "key.json", SigningKey.generate(), b"a passphrase")
    (tmp_path / "policy.txt").write_text("no key")
    wanted = "name in ('aiohttp', 'aiosqlite', 'numpy', 'pyarrow', 'jinja2', 'typst', 'prometheus_client')"
    assert run_and_list_imports(arguments, wanted, tmp_path) == (code, "[]")


def test_showing_a_key_needs_no_statements(tmp_path: Path) -> None:
    write_key(tmp_path / "key.json", SigningKey.generate(), b"a passphrase")
    wanted = "name.startswith(('ledger.registry', 'ledger.server', 'ledger.statements.parse', 'ledger.party.client'))"
    assert run_and_list_imports(["key", "show", "key.json"], wanted, tmp_path) == (0, "[]")


def test_both_programs_say_the_one_version() -> None:
    version = metadata.version("provenance-ledger")
    for program in ("ledger", "verifier"):
        done = subprocess.run([sys.executable, "-m", program, "--version"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.split()) == (0, [program, version]), done.stderr
