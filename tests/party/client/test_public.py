"""What `ledger` offers by name, and what it costs to ask for nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ledger
from ledger.core.policy import parse_policy
from ledger.party.client import client
from tests.harness.builder import LedgerBuilder

ROOT = Path(__file__).parents[3]


def test_the_sdk_is_offered_by_name() -> None:
    assert ledger.LedgerClient is client.LedgerClient
    assert set(ledger.__all__) <= set(dir(ledger))
    described = (ROOT / "docs" / "reference" / "sdk.md").read_text(encoding="utf-8")
    for name in ledger.__all__:
        offered = getattr(ledger, name)
        assert offered.__name__ == name
        assert re.search(rf"^::: {offered.__module__}(\.{name})?$", described, re.MULTILINE), name
    with pytest.raises(AttributeError, match="Nothing"):
        _ = ledger.Nothing


def test_a_connector_needs_no_name_that_is_not_public() -> None:
    """It runs in tests/party/interop/test_served.py, against a real ledger."""
    tree = ast.parse((ROOT / "examples" / "connector.py").read_text(encoding="utf-8"))
    imported = {
        (node.module, item.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ledger")
        for item in node.names
    }
    assert imported
    assert imported <= {("ledger", name) for name in ledger.__all__}
    plain = [item.name for node in ast.walk(tree) if isinstance(node, ast.Import) for item in node.names]
    assert not [name for name in plain if name.split(".")[0] == "ledger"]


def test_importing_the_package_loads_none_of_its_parts() -> None:
    code = "import sys, ledger; print(*[name for name in sys.modules if name.startswith(('ledger', 'aiohttp'))])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.split() == ["ledger"]


def test_a_client_gives_no_way_to_its_parts() -> None:
    """What it is made of stays its own: callers pass what they need, or ask it for what they want."""
    made = client.LedgerClient("http://127.0.0.1:9", parse_policy(LedgerBuilder().policy()))
    public = {name for name in vars(made) if not name.startswith("_")}
    assert public == {"backoff_s", "origin", "policy"}
