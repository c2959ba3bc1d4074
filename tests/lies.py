"""See a lie told and caught: `python -m tests.lies NAME`, or `make lie NAME=…`; without a name, what there is to see.

Names are those of docs/threats.md, whose rows are read from there. A lie is told anew each time: what comes of it is
written to a folder, and the verifier, as anybody runs it, has to catch it there. Of what needs servers, a test is run.
"""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill, indent
from typing import NamedTuple

from ledger.statements.parse import NEWEST_RULES
from tests.harness import telling
from tests.harness.builder import write_files
from tests.harness.bundle_set import all_cases
from tests.harness.forger import LIES, Scene
from tests.harness.frauds import FRAUDS
from tests.harness.misdeeds import MISDEEDS
from tests.harness.scene_2 import LIES_2, scene_for
from tests.harness.telling import Catch, Step, Telling
from tests.harness.views import VIEWS

HOME = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
CAUGHT, NOT_CAUGHT, USAGE, NOT_SHOWN = range(4)
"""Exit codes."""
_TEST = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)
_NAME = re.compile(r"`([^`]+)`")
_ENDS = {
    0: (CAUGHT, "Caught", "the test passed; it fails where the lie is not caught."),
    5: (NOT_SHOWN, "NOT SHOWN", "it cannot be run on this machine."),
}
"""What pytest's exit codes mean; of all others: that it was not caught."""
_WARNINGS = [f"--override-ini=log_cli{option}" for option in ("=true", "_level=INFO", "_format=    %(message)s")]
"""Options of pytest: what programs of this process log is shown while they run."""
Make = Callable[[], Telling]
for _path in (path for kind in ("lies", "frauds") for path in (HOME / "tests" / "harness").glob(f"{kind}_*.py")):
    import_module(f"tests.harness.{_path.stem}")  # which fills LIES, LIES_2 or FRAUDS


class Row(NamedTuple):
    """A row of docs/threats.md: its section, what its cells say by their column, and the names in the last of them."""

    section: str
    cells: dict[str, str]
    names: list[str]


def read_rows() -> list[Row]:
    """Return the rows of every table of docs/threats.md."""
    rows, section, columns = [], "", list[str]()
    for line in (HOME / "docs" / "threats.md").read_text().splitlines():
        if line.startswith("## "):
            section, columns = line[3:], []
        elif line.startswith("| ") and not columns:
            columns = _cells(line)
        elif line.startswith("| "):
            cells = _cells(line)
            rows.append(Row(section, dict(zip(columns, cells, strict=True)), _NAME.findall(cells[-1])))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def read_tests() -> dict[str, list[Path]]:
    """Return the files that define a test, by its name."""
    found: dict[str, list[Path]] = {}
    for path in sorted((HOME / "tests").rglob("test_*.py")):
        for name in _TEST.findall(path.read_text()):
            found.setdefault(name, []).append(path)
    return found


def read_tellings() -> dict[str, list[Make]]:
    """Return the makers of every lie that a command line of the verifier catches, by name; a few names have two."""
    found: dict[str, list[Make]] = {}
    for name, make in _tellings():
        found.setdefault(name, []).append(make)
    return found


def _tellings() -> Iterator[tuple[str, Make]]:
    for lie in LIES:
        yield lie.__name__, partial(telling.told_on_a_log, lie, partial(Scene, rules=NEWEST_RULES))
    for lie_2 in LIES_2:
        yield lie_2.__name__, partial(telling.told_on_a_log, lie_2, partial(scene_for, lie_2))
    for fraud in FRAUDS:
        yield fraud.__name__, partial(telling.told_by_a_proof, fraud)
    for misdeed in MISDEEDS:
        yield misdeed.__name__, partial(telling.told_of_a_party, misdeed)
    for view in VIEWS:
        yield view.__name__, view
    for case in all_cases():
        if not case.name.startswith("good-"):
            yield case.name, partial(telling.told_in_a_bundle, case)


def show_telling(told: Telling, directory: Path) -> bool:
    """Write what came of a lie, run the verifier on it, and tell whether it was caught as it has to be."""
    write_files(directory, told.files)
    say("What was done", told.done)
    sys.stdout.write(f"\ncd {shlex.quote(str(directory))}\n")
    caught = [_run(step, directory, is_last=step is told.steps[-1]) for step in told.steps]
    for proof in sorted((directory / telling.PROOFS).glob("*.json"))[:1]:
        catch = Catch("a fraud proof, which convinces any stranger", "PROVEN")
        step = Step(("fraud", f"{telling.PROOFS}/{proof.name}", "--policy", "policy.txt"), 0, (catch,))
        caught.append(_run(step, directory, is_last=True))
    return all(caught)


def _run(step: Step, directory: Path, *, is_last: bool) -> bool:
    """Run one command line of the verifier; show what it said, of one that only prepares, the end."""
    sys.stdout.write(f"{BIN / 'verifier'} {shlex.join(step.words)}\n\n")
    sys.stdout.flush()
    done = subprocess.run([BIN / "verifier", *step.words], cwd=directory, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).rstrip()
    shown = said if is_last else "\n".join(said.splitlines()[-1:])[:200]
    sys.stdout.write(indent(shown, "    ") + f"\n\nexit code {done.returncode}\n")
    flat = " ".join(said.split())
    missed = [catch.name for catch in step.catches if catch.words.strip() not in flat]
    if done.returncode != step.exit_code or missed:
        say("NOT CAUGHT", f"it had to be by exit code {step.exit_code} and {', '.join(missed) or 'these words'}.")
        return False
    if step.catches:
        say("Caught by", ", ".join(dict.fromkeys(catch.name for catch in step.catches)))
    return True


def show_test(name: str, path: Path) -> int:
    """Run a test, with what programs say in it; return CAUGHT, NOT_CAUGHT, or NOT_SHOWN where it was skipped."""
    functions = (item for item in ast.parse(path.read_bytes()).body if getattr(item, "name", "") == name)
    [function] = [item for item in functions if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    words = ast.get_docstring(function) or name.removeprefix("test_").replace("_", " ").capitalize() + "."
    say("What is done", f"{words} A test does it, here and now:")
    node = f"{path.relative_to(HOME)}::{name}"
    sys.stdout.write(f"\n{BIN / 'pytest'} {node} -vv\n\n")
    sys.stdout.flush()
    options = ["-vv", "--no-header", "-rs", "-s", "-p", "no:cacheprovider", "-p", "tests.harness.echo", *_WARNINGS]
    code = subprocess.run([sys.executable, "-m", "pytest", node, *options], cwd=HOME, check=False).returncode
    end, title, words = _ENDS.get(code, (NOT_CAUGHT, "NOT CAUGHT", "the test failed."))
    say(title, words)
    return end


def say(title: str, words: str) -> None:
    """Print a paragraph under a title."""
    sys.stdout.write("\n" + fill(f"{title}: {words}", 100, subsequent_indent="    ") + "\n")


def show(name: str, directory: Path) -> int:
    """Show everything of a name; return an exit code."""
    for row in read_rows():
        if name in row.names:
            sys.stdout.write(f"\ndocs/threats.md, “{row.section}”\n")
            for column, cell in list(row.cells.items())[:-1]:
                say(column.capitalize(), cell)
    makes = read_tellings().get(name, [])
    if makes:
        places = [directory / str(number) if len(makes) > 1 else directory for number in range(1, len(makes) + 1)]
        is_caught = [show_telling(make(), place) for make, place in zip(makes, places, strict=True)]
        return CAUGHT if all(is_caught) else NOT_CAUGHT
    ends = [show_test(name, path) for path in read_tests()[name]]
    return min((end for end in ends if end != CAUGHT), default=CAUGHT)


def list_rows() -> None:
    """Print every row with its names."""
    section = ""
    for row in read_rows():
        if row.section != section:
            section = row.section
            sys.stdout.write(f"\n{section}\n")
        for words, margin in ((next(iter(row.cells.values())), "  "), (", ".join(row.names), "      ")):
            lines = fill(words, 110, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
            sys.stdout.write(lines + "\n")
    sys.stdout.write("\nmake lie NAME=… shows one of them.\n")


def main(arguments: list[str] | None = None) -> int:
    """Show a lie, or list all; return 0 if it was caught, 1 if not, 2 for an unknown name, 3 if it cannot be shown."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.lies", description="See a lie of docs/threats.md told and caught."
    )
    parser.add_argument(
        "name", nargs="?", help="of a lie or a test, as docs/threats.md has it; without it, all are listed"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep there what the lie made, to look at")
    given = parser.parse_args(arguments)
    if not given.name:
        list_rows()
        return CAUGHT
    if given.name not in read_tellings() and given.name not in read_tests():
        sys.stderr.write(f"nothing is called {given.name}; `make lie` lists what there is\n")
        return USAGE
    if given.keep:
        if given.keep.exists() and any(given.keep.iterdir()):
            parser.error(f"{given.keep} is not empty: name a new folder, so that nothing of another lie is in it")
        return show(given.name, given.keep.resolve())
    with TemporaryDirectory() as directory:
        return show(given.name, Path(directory))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever has read enough (`make lie | head`) sees no traceback
    sys.exit(main())
