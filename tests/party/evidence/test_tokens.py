"""Tokens that are given to `ledger evidence build --timestamp`: over the note, or over its text (format.md §21.1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.note import parse_note
from ledger.party.evidence.parts.errors import NotOfThisCase
from ledger.party.evidence.parts.tokens import read_tokens
from tests.harness.builder import LedgerBuilder
from tests.harness.tsa import Authority


def test_tokens_of_people_and_of_logs_are_taken(tmp_path: Path) -> None:
    authority, note = Authority(tmp_path / "tsa", kind="ec"), LedgerBuilder().checkpoint()
    paths = [tmp_path / name for name in ("note", "text", "other")]
    for path, stamped in zip(paths, (note, parse_note(note).text, note[:-1]), strict=True):
        path.write_bytes(authority.stamp(stamped))
    assert len(read_tokens(paths[:2], note)) == 2
    with pytest.raises(NotOfThisCase, match="something other"):
        read_tokens(paths, note)
