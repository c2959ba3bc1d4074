"""Prose that people read is English as natives write it: patterns that CONTRIBUTING.md's style guide rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
SOURCES = ["ledger", "verifier"]
"""Folders of Python files whose strings people see: help (which docstrings of commands are), errors, reports."""

TEMPLATES = [path for path in sorted((ROOT / "ledger").rglob("*")) if path.parent.name in {"templates", "pages"}]
PAGE = [path for path in sorted((ROOT / "verifier" / "page" / "src").iterdir()) if path.suffix in {".html", ".js"}]
"""What reports, the server's pages and `verify.html` are made of: prose between markup, or in JavaScript."""

KEPT = {"somebody who is no party"}
"""Of a finding's sentence, which reports of earlier ledgers in tests/vectors/ hold as it was."""


class Rule(NamedTuple):
    """What is not written, what is written instead, and an example of each that the test tries on itself."""

    refused: re.Pattern[str]
    instead: str
    bad: str
    good: str


def _rule(refused: str, instead: str, bad: str, good: str) -> Rule:
    return Rule(re.compile(refused, re.IGNORECASE), instead, bad, good)


RULES = [
    _rule(
        r"(?<!there )\b(?:is|are|was|were) no "
        r"(?!longer|more\b|less\b|fewer|one\b|such\b|later|earlier|smaller|greater|larger|better|worse|need\b)[a-z]",
        "is not a …, are not …",
        "This file is no receipt.",
        "This file is not a receipt; there is no receipt of it, and it is no longer needed.",
    ),
    _rule(
        r"\b(?:which|that|as) (?:is|are|was|were) told\b|\b(?:is|are|was|were) told (?:as|at|in|once|apart|with)\b",
        "is reported, is said",
        "A broken promise is told once.",
        "Nobody was told otherwise; every lie told is caught.",
    ),
    _rule(
        r"\bwhere (?:there (?:is|are)|it (?:is not|is absent|has none|does not))\b",
        "if there is …, if it does not …",
        "A key, where there is one, signs.",
        "The line where it stands.",
    ),
    _rule(r"\bfor ever\b", "for good, permanently", "It stays for ever.", "It stays forever."),
    _rule(r"\bgiv(?:e|es|ing) the lie\b", "contradict, disprove", "It gives the lie to it.", "It contradicts it."),
    _rule(
        r", too\b(?! (?:few|large|late|long|many|much|old|short|small)\b)",
        "too, without the comma; or also",
        "It signs, too.",
        "It signs too; silent connections, too many of them.",
    ),
    _rule(r"\bin order that\b", "so that", "In order that it holds", "So that it holds"),
    _rule(r"\bnone at all\b|\bnothing at all\b", "none, nothing", "It says none at all.", "It says none."),
    _rule(r"\bby itself\b", "on its own, alone", "It starts by itself.", "It starts on its own."),
    _rule(r"\bto who (?!m)", "to whoever", "It is sent to who asks.", "It is sent to whoever asks."),
    _rule(r"\bto whom (?:names|makes|asks|has)\b", "to whoever", "Given to whom asks.", "Given to whoever asks."),
    _rule(
        r"\b(?:something|somebody|nothing|anything) else than\b",
        "other than",
        "It holds something else than a log.",
        "It holds something other than a log.",
    ),
    _rule(r"\bmust needs\b|\bthereof\b|\bherein\b|\bwhereof\b", "plain words", "A part thereof.", "A part of it."),
]
_CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)
_MARKUP = re.compile(r"</?[a-z][^<>]*>")
_NONE = re.compile(r"(?!)")
"""In JavaScript, what stands between backticks is a text that people see."""


def find_faults(text: str, code: re.Pattern[str] = _CODE) -> list[str]:
    """Return every refused passage of a text, with what is written instead; `code` is what nobody reads as prose."""
    flat = " ".join(code.sub("`…`", text).split())
    return [
        f"“{flat[max(0, match.start() - 40) : match.end() + 30]}”: write {rule.instead}"
        for rule in RULES
        for match in rule.refused.finditer(flat)
    ]


def read_strings(source: Path) -> Iterator[str]:
    """Yield the strings of a Python file, docstrings included."""
    tree = ast.parse(source.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.bad)
def test_a_rule_refuses_what_it_is_for_and_no_more(rule: Rule) -> None:
    assert rule.refused.search(rule.bad)
    assert not rule.refused.search(rule.good)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents(document: Path) -> None:
    assert find_faults(document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", [*TEMPLATES, *PAGE], ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_and_the_page(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".js":
        text = _MARKUP.sub(" ", text)
    assert find_faults(text, _NONE) == []


def test_prose_is_found_between_markup_and_backticks() -> None:
    assert {path.suffix for path in [*TEMPLATES, *PAGE]} == {".html", ".js", ".svg", ".txt", ".typ"}
    assert find_faults(_MARKUP.sub(" ", '<td>This is</td>\n  <td class="x">no receipt</td>'), _NONE)
    assert find_faults("say(`This is no ${what} receipt`.concat(`is no receipt`));", _NONE)


@pytest.mark.parametrize("folder", SOURCES)
def test_what_programs_say(folder: str) -> None:
    files = [*(ROOT / folder).rglob("*.py")]
    faults = {
        str(path.relative_to(ROOT)): found
        for path in files
        if (found := [fault for text in read_strings(path) if text not in KEPT for fault in find_faults(text)])
    }
    assert files
    assert faults == {}
