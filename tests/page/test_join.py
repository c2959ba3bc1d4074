"""The committed page is what verifier/page/src/ gives, byte for byte, and its policy allows just that."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest

from tests.page.browser import PAGE
from verifier.page.join import SOURCE, Refused, joined_page, joined_script


def test_the_committed_page_is_what_the_sources_give() -> None:
    assert PAGE.read_bytes() == joined_page().encode(), "run python -m verifier.page.join"


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_has_the_hash_of_what_is_there(tag: str) -> None:
    page = PAGE.read_text("utf-8")
    [content] = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    [said] = re.findall(rf"{tag}-src '(sha256-[^']*)'", page)
    assert said == "sha256-" + b64encode(sha256(content.encode()).digest()).decode()


def test_check_tells_and_writes_nothing() -> None:
    before = PAGE.stat().st_mtime_ns
    command = [sys.executable, "-m", "verifier.page.join", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=SOURCE.parents[2])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert PAGE.stat().st_mtime_ns == before


def test_every_line_of_every_module_is_on_the_page() -> None:
    """But its imports and the word export; so that who reads the page has read the modules."""
    page = set(PAGE.read_text("utf-8").splitlines())
    for path in SOURCE.glob("*.js"):
        text = re.sub(r"(?m)^import \{[^}]*\} from '[^']*';$", "", path.read_text("utf-8")).replace(
            "// @ts-check\n", ""
        )
        missing = {line.removeprefix("export ") for line in text.splitlines()} - page
        assert missing == set(), path.name


def test_a_changed_line_makes_another_page(tmp_path: Path) -> None:
    copy = copytree(SOURCE, tmp_path / "src")
    module = copy / "tree.js"
    module.write_text(module.read_text("utf-8").replace("Uint8Array.of(1)", "Uint8Array.of(2)"), "utf-8")
    assert joined_page(copy) != joined_page()


JOINS = {
    "main": "// Top.\n\nimport {one, two} from './other.js';\n\nconst own = `${one} ${two({a: `}`})}`;\nown.trim();\n",
    "other": "export const one = 1, more = /[/`'\"]/g;\nexport function two() { return one / 2 / 3; }\n",
}


def test_what_is_joined() -> None:
    assert joined_script(JOINS) == (
        "'use strict';\n\nconst one = 1, more = /[/`'\"]/g;\nfunction two() { return one / 2 / 3; }\n\n"
        "// Top.\n\nconst own = `${one} ${two({a: `}`})}`;\nown.trim();\n"
    )


@pytest.mark.parametrize(
    ("module", "text", "reason"),
    [
        ("main", "import {one} from './other.js';\n", "imports one, and does not use it"),
        ("main", "import {three} from './other.js';\nthree();\n", "which does not export it"),
        ("main", "import {one} from './nowhere.js';\none();\n", "which is not a module"),
        ("main", "import * as other from './other.js';\nother.one;\n", "is not understood"),
        ("main", "import {one as it} from './other.js';\nit();\n", "is not understood"),
        ("main", "import other from './other.js';\nother();\n", "is not understood"),
        ("main", "import './other.js';\n", "is not understood"),
        ("main", "const own = 1;\nimport {one} from './other.js';\none();\n", "in a way that is not understood"),
        ("main", "const own = import('./other.js');\n", "in a way that is not understood"),
        ("main", "const own = 1;\n", "other: imported by nothing"),
        ("main", "import {one} from './other.js';\nconst two = one;\n", "two is declared in other and in main"),
        (
            "main",
            "import {one} from './other.js';\nconst a = one, more = 2;\n",
            "more is declared in other and in main",
        ),
        ("main", "import {one} from './other.js';\nconst [a, more] = one;\n", "more is declared in other and in main"),
        ("main", "import {one} from './other.js';\nlet a, more;\na = one;\n", "more is declared in other and in main"),
        ("main", "import {one} from './other.js';\nasync function two() { await one; }\n", "two is declared in other"),
        ("main", "import {one} from './other.js';\nclass two { a() { return one; } }\n", "two is declared in other"),
        ("other", "export const one = 1, two = 2;\nsay();\n", "declares nothing"),
        ("other", "export const one = 1;\nexport {two};\n", "declares nothing"),
        ("other", "export default 1;\n", "declares nothing"),
        ("other", "export * from './main.js';\n", "declares nothing"),
        ("other", "const two = 2;\n  export const one = 1;\n", "in a way that is not understood"),
        ("other", "export const {one, two: {three}} = {};\n", "in a form that is not understood"),
        ("other", "export const one = 1\nexport function two() {}\n", "no semicolon"),
        ("other", "export const one = 1, two = '</script>';\n", "would end the page's script"),
        ("other", "export const one = 1, two = '<!--';\n", "would end the page's script"),
        ("other", "export const one = (1, two = 2;\n", "brackets do not match"),
        ("other", "export const one = `${1}, two = 2;\n", "has no end"),
        ("other", "import {own} from './main.js';\nexport const one = 1, two = own;\n", "which does not export it"),
    ],
)
def test_what_is_refused(module: str, text: str, reason: str) -> None:
    with pytest.raises(Refused, match=re.escape(reason)):
        joined_script(JOINS | {module: text})


def test_modules_that_import_each_other_are_refused() -> None:
    modules = JOINS | {
        "other": "import {three} from './third.js';\nexport const one = three, two = 2;\n",
        "third": "import {one} from './other.js';\nexport const three = one;\n",
    }
    with pytest.raises(Refused, match="main → other → third → other"):
        joined_script(modules)
