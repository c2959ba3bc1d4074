"""What commands are given: numbers within bounds; pins, disclosures and other files, bounded in size."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
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
_MAX_PORT = 65_535
_MAX_PROCESSES = 256
_MAX_INTERVAL_S = 86_400
_MAX_STALL_S = 366 * 86_400


def _number(text: str, least: float, most: float, expected: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:  # of NaN, nothing holds
        raise ArgumentTypeError(f"{text!a} is not {expected}")
    return number


def _count(text: str, least: int, most: int, what: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = least - 1
    if not least <= count <= most:
        raise ArgumentTypeError(f"{text!a} is not {what} from {least} to {most}")
    return count


def parse_port(text: str) -> int:
    """Return a port, 0 … 65,535; for argparse."""
    return _count(text, 0, _MAX_PORT, "a port")


def parse_processes(text: str) -> int:
    """Return how many processes share the work, 1 … 256; for argparse."""
    return _count(text, 1, _MAX_PROCESSES, "a number of processes")


def parse_interval(text: str) -> float:
    """Return a number of seconds, 0.1 … 86,400; for argparse."""
    return _number(text, 0.1, _MAX_INTERVAL_S, "a number of seconds from 0.1 to 86,400")


def parse_stall(text: str) -> float:
    """Return a number of seconds above 0, up to a year; for argparse."""
    return _number(text, math.ulp(0.0), _MAX_STALL_S, "a number of seconds above 0, up to a year")


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
