"""What others computed, the page computes, with what is the browser's own: its Ed25519, its decoders of text.

What needs neither is in tests/page/node/.
"""

from __future__ import annotations

import pytest

from tests.harness.vectors import load, wycheproof
from tests.page.browser import Opened


@pytest.mark.parametrize("is_native", [True, False], ids=["WebCrypto", "own arithmetic"])
def test_ed25519(page: Opened, is_native: bool) -> None:
    """Project Wycheproof's cases, where the browser has Ed25519 and where it has not."""
    cases = wycheproof()
    asked = [[case.public.hex(), case.message.hex(), case.signature.hex(), is_native] for case in cases]
    said = page.call(
        "const {unhex} = parts, said = [];"
        "for (const [key, message, signature, isNative] of argument)"
        "  said.push(await parts.isSigned(unhex(key), unhex(message), unhex(signature), isNative));"
        "return said;",
        asked,
    )
    assert said == [case.is_valid for case in cases]


def test_tables(page: Opened) -> None:
    """Quotes, line ends, byte-order marks, encodings, missing and empty, JSON Lines (docs/format.md §15.3)."""
    cases = load("records/tables.json")
    said = page.call(
        "const said = [];"
        "for (const {file, how} of argument) {"
        "  try {"
        "    const {columns, rows} = await parts.readTable(parts.decode64(file), how);"
        "    said.push([columns, rows.map(row => JSON.stringify(row))]);"
        "  } catch { said.push(null); }"
        "}"
        "return said;",
        cases,
    )
    assert said == [None if "error" in case else [case["columns"], case["records"]] for case in cases]
