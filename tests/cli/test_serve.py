"""`ledger serve` says what it lacks before it asks for any key."""

from __future__ import annotations

from pathlib import Path

from ledger.cli.kit.error_words import explain
from ledger.party.errors import NotWitnessed
from tests.cli.running import ledger


def test_to_wait_for_witnesses_it_has_to_know_them(tmp_path: Path) -> None:
    ended = ledger("serve", tmp_path, "--await", "witnessed")
    assert ended.code == 2
    assert "--await witnessed needs --witnesses" in ended.err
    assert "whose cosignatures to wait for" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_recorded_and_not_witnessed_is_not_to_be_said_again() -> None:
    words = explain(NotWitnessed("sha256:12", 7, "the quorum w is not reached"))
    assert words.code == 3
    assert "entry 7" in words.message
    assert "the quorum w is not reached" in words.message
    assert "do not make it a second time" in words.advice
