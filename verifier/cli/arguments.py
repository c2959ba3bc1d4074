"""The files that commands are given: pins, disclosures, and whatever else, bounded in size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from verifier.core.errors import SourceUnavailable, UsageError
from verifier.judgement.identity import Roots, parse_roots
from verifier.judgement.pins import Pins, parse_parties
from verifier.sealed.disclosures import MAX_FILE_BYTES, Disclosures
from verifier.sources.source import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_POLICY_BYTES = 1 << 20
"""Of a policy and of a parties file."""


def read_file(path: str, max_bytes: int) -> bytes:
    """Return a file that the user named.

    Raises `UsageError`.
    """
    try:
        return DirectorySource(Path()).read(path, max_bytes)
    except SourceUnavailable as error:
        raise UsageError(f"cannot read {path}: {error.why}") from error


def read_pins(path: str | None) -> Pins:
    """Return what a parties file pins; nothing if there is none.

    Raises `UsageError` or `MalformedInput`.
    """
    return parse_parties(read_file(path, MAX_POLICY_BYTES)) if path else ()


def read_roots(path: str | None) -> Roots:
    """Return the issuers of certificates that a PEM file holds; none if there is no file.

    Raises `UsageError` or `MalformedInput`.
    """
    return parse_roots(read_file(path, MAX_POLICY_BYTES)) if path else ()


def read_disclosures(paths: Sequence[str]) -> Disclosures | None:
    """Return what the files disclose, None if there are none.

    Raises `UsageError` or `MalformedInput`.
    """
    disclosures = Disclosures()
    for path in paths:
        disclosures.add(read_file(path, MAX_FILE_BYTES))
    return disclosures if paths else None
