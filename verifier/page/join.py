"""`python -m verifier.page.join [--check]`: make verify.html of src/, or tell whether it is what src/ makes.

The modules' imports and the word `export` are left out, and nothing else changes: whoever reads the page finds every
line of src/ in it. So that one scope for all is safe, a module only declares names, each no other module's, and every
declaration begins its line; what has another form is refused.
"""

from __future__ import annotations

import argparse
import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

SOURCE = Path(__file__).with_name("src")
PAGE = Path(__file__).with_name("verify.html")
TOP = "main"
"""The module that is not imported, and that alone may do something when it is read."""

_IMPORT = re.compile(r"import \{\s*([\w$]+(?:,\s+[\w$]+)*),?\s*\} from '\./([a-z0-9]+)\.js';\n")
_SKIPPED = re.compile(r"\s+|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"""[\w$]+|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[^\w\s]""", re.DOTALL)
_PATTERN = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_ENDS_A_VALUE = re.compile(r"[\w$)\]'\"`]$")
_WORDS_BEFORE_A_VALUE = {"return", "typeof", "of", "in", "case", "await"}
_OPENING, _CLOSING = "([{", ")]}"
_DECLARING = {"const", "let", "class", "function", "async"}


class Refused(ValueError):
    """A module that cannot be joined, and why."""


@dataclass(frozen=True)
class Module:
    """A module: what it imports by module, what it declares and exports, and its text without `import` and `export`."""

    imports: dict[str, list[str]]
    declared: list[str]
    exported: set[str]
    text: str


@dataclass(frozen=True)
class _Token:
    text: str
    at: int
    depth: int
    """How many brackets are open around it; a bracket itself is in what is around it."""


def _tokens(source: str, at: int = 0, *, in_template: bool = False) -> Iterator[_Token]:
    """Yield the tokens from a place on, templates whole; in a template, up to and with the brace that closes it."""
    depth, last = 0, ""
    while at < len(source):
        if skipped := _SKIPPED.match(source, at):
            at = skipped.end()
            continue
        begins_value = not _ENDS_A_VALUE.search(last) or last in _WORDS_BEFORE_A_VALUE
        if source[at] == "`":
            end = _template_end(source, at)
        elif found := (begins_value and _PATTERN.match(source, at)) or _TOKEN.match(source, at):
            end = found.end()
        else:
            raise Refused(f"{source[at : at + 40]!r} is not understood")
        last = source[at:end]
        if last in _CLOSING:
            depth -= 1
        yield _Token(last, at, depth)
        if depth < 0:
            break
        if last in _OPENING:
            depth += 1
        at = end
    if depth != (-1 if in_template else 0):
        raise Refused("brackets do not match")


def _template_end(source: str, at: int) -> int:
    """Return the place behind the template that begins at a place."""
    at += 1
    while at < len(source):
        if source[at] == "`":
            return at + 1
        if source.startswith("${", at):
            *_, closing = _tokens(source, at + 2, in_template=True)
            at = closing.at
        at += 2 if source[at] == "\\" else 1
    raise Refused("a template has no end")


def _declared(statement: list[_Token]) -> list[str] | None:
    """Return the names that a declaration declares; None for a statement that is none."""
    begins = " ".join(token.text for token in statement[:6])
    if any(token.text in {"import", "export"} for token in statement):
        raise Refused(f"{begins} … imports or exports in a way that is not understood")
    if statement[0].text not in _DECLARING:
        return None
    words = [token.text for token in statement if token.text != "async"]
    if words[0] in {"class", "function"}:
        return [words[1]]
    names: list[str] = []
    awaits_name = True
    for token in statement[1:]:
        if token.text == ";" and token.depth == 0:
            return names
        if token.depth == 0 and token.text == "=":
            awaits_name = False
        elif token.depth == 0 and token.text == ",":
            awaits_name = True
        elif awaits_name and re.fullmatch(r"[A-Za-z_$][\w$]*", token.text):
            names.append(token.text)
        elif awaits_name and token.text not in "[],":
            raise Refused(f"{begins} … declares in a form that is not understood")
    raise Refused(f"{begins} … has no semicolon at its end")


def _statements(source: str) -> Iterator[list[_Token]]:
    """Yield the statements at the top: each begins its line, and no other line does but to close brackets."""
    statement: list[_Token] = []
    for token in _tokens(source):
        begins = token.depth == 0 and source[token.at - 1 : token.at] in {"", "\n"} and token.text not in _CLOSING
        if begins and statement:
            yield statement
            statement = []
        statement.append(token)
    if statement:
        yield statement


def read_module(source: str, *, is_top: bool = False) -> Module:
    """Return what a module is of. Raises Refused for what is not understood."""
    if found := re.search(r"</script|<!--|-->|\r", source, re.IGNORECASE):
        raise Refused(f"{found[0]!r} would end the page's script, or change it")
    module = Module({}, [], set(), "")
    kept, end = [], 0
    for statement in _statements(source):
        first, at = statement[0].text, statement[0].at
        kept.append(source[end:at])
        if first == "import" and not module.declared:
            whole = _IMPORT.match(source, at)
            if whole is None or whole[2] in module.imports:
                raise Refused(f"{_line(source, at)} is not understood")
            module.imports[whole[2]] = re.split(r",\s+", whole[1])
            end = whole.end()
            continue
        end = statement[1].at if first == "export" else at
        names = _declared(statement[1:] if first == "export" else statement)
        if names is None and (first == "export" or not is_top):
            raise Refused(f"{_line(source, at)} declares nothing")
        module.declared.extend(names or ())
        module.exported.update(names or () if first == "export" else ())
    text = "".join([*kept, source[end:]]).removeprefix("// @ts-check\n")
    return replace(module, text=re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n")


def _line(source: str, at: int) -> str:
    return repr(source[at:].splitlines()[0])


def in_order(modules: Mapping[str, Module]) -> list[str]:
    """Return the modules' names, each behind those that it imports. Raises Refused where they do not fit together."""
    order: list[str] = []

    def visit(name: str, *under_way: str) -> None:
        if name in under_way:
            raise Refused(f"{' → '.join([*under_way, name])}: modules import each other")
        if name not in order:
            for other, names in modules[name].imports.items():
                _verify_import(modules, name, other, names)
                visit(other, *under_way, name)
            order.append(name)

    visit(TOP)
    if apart := set(modules) - set(order):
        raise Refused(f"{', '.join(sorted(apart))}: imported by nothing")
    owners: dict[str, str] = {}
    for name in order:
        for declared in modules[name].declared:
            if other := owners.get(declared):
                raise Refused(f"{declared} is declared in {other} and in {name}, and the page is one scope")
            owners[declared] = name
    return order


def _verify_import(modules: Mapping[str, Module], name: str, other: str, names: list[str]) -> None:
    if other not in modules:
        raise Refused(f"{name} imports {other}, which is not a module")
    for item in names:
        if item not in modules[other].exported:
            raise Refused(f"{name} imports {item} of {other}, which does not export it")
        if not re.search(rf"(?<![\w$]){re.escape(item)}(?![\w$])", modules[name].text):
            raise Refused(f"{name} imports {item}, and does not use it")


def joined_script(sources: Mapping[str, str]) -> str:
    """Return the page's script of the modules' texts by their names. Raises Refused."""
    modules = {}
    for name, source in sources.items():
        try:
            modules[name] = read_module(source, is_top=name == TOP)
        except Refused as refused:
            raise Refused(f"{name}: {refused}") from None
    return "'use strict';\n\n" + "\n".join(modules[name].text for name in in_order(modules))


def joined_page(source: Path = SOURCE) -> str:
    """Return the page that a folder's modules, style and markup make. Raises Refused, OSError."""
    sources = {path.stem: _read(path) for path in sorted(source.glob("*.js"))}
    page = _read(source / "page.html")
    for tag, text in (("style", _read(source / "style.css")), ("script", joined_script(sources))):
        # The policy's hashes are of what stands between the tags, with the line feed behind the first of them.
        digest = b64encode(sha256(f"\n{text}".encode()).digest()).decode()
        for place, content in ((f"@{tag}-hash@", digest), (f"@{tag}@", text)):
            if page.count(place) != 1:
                raise Refused(f"page.html: {place} stands there {page.count(place)} times")
            page = page.replace(place, content)
    return page


def _read(path: Path) -> str:
    return path.read_bytes().decode()


def main() -> None:
    """Write the page; with --check, exit 1 where it is another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where verify.html is another")
    is_check = parser.parse_args().check
    try:
        page = joined_page()
    except Refused as refused:
        sys.exit(f"not joined: {refused}")
    if not is_check:
        PAGE.write_bytes(page.encode())
    elif page != _read(PAGE):
        sys.exit("verify.html is not what src/ gives: run python -m verifier.page.join")


if __name__ == "__main__":
    main()
