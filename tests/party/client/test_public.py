"""What `ledger` offers by name, and what it costs to ask for nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ledger
from ledger.core.policy import parse_policy
from ledger.party.client import client
from tests.harness.builder import LedgerBuilder


def test_the_sdk_is_offered_by_name() -> None:
    assert ledger.LedgerClient is client.LedgerClient
    assert set(ledger.__all__) <= set(dir(ledger))
    with pytest.raises(AttributeError, match="Nothing"):
        _ = ledger.Nothing


def test_importing_the_package_loads_none_of_its_parts() -> None:
    code = "import sys, ledger; print(*[name for name in sys.modules if name.startswith(('ledger', 'aiohttp'))])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.split() == ["ledger"]


def test_a_client_gives_no_way_to_its_parts() -> None:
    """What it is made of stays its own: callers pass what they need, or ask it for what they want."""
    made = client.LedgerClient("http://127.0.0.1:9", parse_policy(LedgerBuilder().policy()))
    public = {name for name in vars(made) if not name.startswith("_")}
    assert public == {"backoff_s", "origin", "policy"}
