"""What the documents say is there, and what is there is in the documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.server.service.routes import ROUTES
from ledger.statements.parse import STATEMENTS

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"(?:^|`|then )((?:ledger|verifier) [a-z-]+(?: [a-z-]+(?=[ `]))?)", re.MULTILINE)
COMMANDS = sorted(set(COMMAND.findall(README)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([\w./-]+)", text)
    paths = re.findall(r"`((?:ledger|verifier|tests|docs|benchmarks|examples)/[\w/.-]+)`", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_has_help(command: str) -> None:
    program, *words = command.split()
    done = subprocess.run(
        [sys.executable, "-m", program, *words, "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert words[-1] in done.stdout


def test_format_has_a_section_for_every_statement() -> None:
    text = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    sections = re.findall(r"^\*\*6\.\d+ `([a-z_.]+)`\*\*", text, re.MULTILINE)
    assert sorted(sections) == sorted(STATEMENTS[1])
    told = (ROOT / "docs" / "statements.md").read_text(encoding="utf-8")
    assert [kind for kind in STATEMENTS[2] if f"**`{kind}`**" not in told and kind not in STATEMENTS[1]] == []


def test_every_call_that_records_or_reads_is_in_http() -> None:
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    for route in ROUTES:
        name = route.path.split("/{")[0]
        kinds = re.findall(r"\{kind:([a-z|]+)\}", route.path)
        for path in [f"/v1/{kind}" for kind in kinds[0].split("|")] if kinds else [name]:
            assert path in text, path


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [
        path.parent.relative_to(ROOT) for wing in ("ledger", "verifier") for path in (ROOT / wing).rglob("__init__.py")
    ]
    assert [str(room) for room in rooms if f"`{room}/" not in text] == []
    assert len(rooms) > 40


def test_the_architecture_names_files_of_the_page() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+\.js)`", text))
    assert named <= {path.name for path in (ROOT / "verifier" / "page" / "src").iterdir()}
    assert len(named) > 10


def test_rooms_stand_on_the_levels_that_imports_are_held_to() -> None:
    """Each table of docs/architecture.md is from the top down, with the numbers that pyproject.toml's layers have."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d*) \| (`.+?`) \|", text, re.MULTILINE)
    told = [(int(level), name) for level, cell in rows if level for name in _modules(cell)]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    tables = 0
    for contract in (one for one in contracts if one["type"] == "layers"):
        prefix = f"{contract['containers'][0]}." if "containers" in contract else ""
        layers = [[f"{prefix}{name}" for name in re.split(r" [|:] ", layer)] for layer in contract["layers"]]
        held = [(len(layers) - place, name) for place, layer in enumerate(layers) for name in layer]
        names = {name for _, name in held}
        table = [(level, name) for level, name in told if name in names]
        if not prefix:  # of the whole ledger, a table has the ground floor; the two wings have their own
            held = held[-len(table) :]
        if table:
            assert sorted(table) == sorted(held), contract["name"]
            assert [level for level, _ in table] == sorted((level for level, _ in table), reverse=True)
            tables += 1
    assert tables == 5


def _modules(cell: str) -> list[str]:
    """Return the modules whose files and folders a cell names."""
    return [path.removesuffix("/").removesuffix(".py").replace("/", ".") for path in re.findall(r"`([\w/.]+)`", cell)]


def test_the_site_shows_every_page() -> None:
    shown = set(
        re.findall(r"^ *- (?:.*: )?([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert shown == pages


COMMANDS_AND_EXTRAS = {"data", "ledger", "replay", "verifier"}
"""What a room's docstring may quote beside its files."""


def test_a_room_says_what_is_in_it() -> None:
    """Files that its docstring names are there, and it says what it may import."""
    missing, silent = [], []
    for path in (path for wing in ("ledger", "verifier") for path in (ROOT / wing).glob("*/**/__init__.py")):
        words = ast.get_docstring(ast.parse(path.read_bytes())) or ""
        names = set(re.findall(r"`([a-z_0-9]+)`", words)) - COMMANDS_AND_EXTRAS
        missing += [
            (path.parent, name)
            for name in names
            if not any((path.parent / place).exists() for place in (f"{name}.py", name))
        ]
        silent += [path.parent.relative_to(ROOT)] if "mports" not in words else []
    assert missing == []
    assert {str(room) for room in silent} <= {
        "ledger/cli",
        "ledger/cli/demo",
        "ledger/registry/terms",
        "ledger/statements/terms",
    }


_CITED = re.compile(r"docs/([a-z]+)\.md((?:,? (?:and )?§[\d.]+\d|,? §\d|[–,] ?§?\d[\d.]*)*)")
_TREES = ("ledger", "verifier", "tests", "docs", "benchmarks", "examples")
_PATH = re.compile(rf"(?<![\w/.])((?:{'|'.join(_TREES)})/[\w/-]+\.(?:py|md|html|json|csv))\b")


def _prose() -> Iterator[tuple[str, str]]:
    """Yield every comment and every string of the project's Python files, with its file."""
    for path in (path for tree in _TREES for path in (ROOT / tree).rglob("*.py")):
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type in {tokenize.COMMENT, tokenize.STRING}:
                    yield str(path.relative_to(ROOT)), " ".join(token.string.split())


def _sections(text: str) -> set[str]:
    """Return the numbers that a document gives its sections, paragraphs and steps."""
    return set(re.findall(r"^(?:#+ |\*\*|\| )?(\d+(?:\.\d+)*)\.? ", text, re.MULTILINE))


def test_what_code_cites_is_there() -> None:
    """Documents, their sections, and files that docstrings and comments name."""
    sections = {path.stem: _sections(path.read_text(encoding="utf-8")) for path in (ROOT / "docs").glob("*.md")}
    cited, missing = 0, set()
    for path, text in _prose():
        for document, numbers in _CITED.findall(text):
            for number in re.findall(r"\d+(?:\.\d+)*", numbers):
                cited += 1
                if number not in sections.get(document, ()):
                    missing.add((path, f"docs/{document}.md §{number}"))
        missing |= {(path, name) for name in _PATH.findall(text) if not (ROOT / name).exists()}
    assert missing == set()
    assert cited > 300


def test_nothing_cites_what_is_not_part_of_the_project() -> None:
    """A page that readers do not have explains nothing to them."""
    texts = [
        *_prose(),
        *((str(path), path.read_text(encoding="utf-8")) for path in [*DOCUMENTS, ROOT / "pyproject.toml"]),
    ]
    assert [path for path, text in texts if re.search(r"\bDES" + r"IGN\b", text)] == []
