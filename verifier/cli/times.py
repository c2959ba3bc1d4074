"""`--tsa-roots` and `--timestamps`: what bounds the times of entries, by whose word (docs/format.md §21)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.cli.arguments import MAX_POLICY_BYTES, read_file
from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, SourceUnavailable, UsageError
from verifier.core.words import escape
from verifier.sources.source import open_source
from verifier.sources.stamps import Dater, FixedTree, read_directory, read_source
from verifier.times.dating import Dating, Untold, format_sizes, is_older
from verifier.times.tokens import parse_tsa_roots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.core.certificates import Roots
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.replay.receipt import ReceiptCheck
    from verifier.replay.result import Replay
    from verifier.sources.stamps import Stamped


def add_roots(command: argparse.ArgumentParser) -> None:
    """Add `--tsa-roots`."""
    command.add_argument(
        "--tsa-roots",
        metavar="FILE",
        help="PEM: time-stamping authorities, or their roots, whose word you take for what time it was; says for "
        "what is checked 'not after …, according to …'",
    )


def add_options(command: argparse.ArgumentParser, otherwise: str) -> None:
    """Add `--tsa-roots`, and `--timestamps` with what is taken where it is left out."""
    add_roots(command)
    command.add_argument(
        "--timestamps", metavar="DIR", help=f"where tokens are: <size>.tsr, as in a mirror (default: {otherwise})"
    )


def read_tsa_roots(arguments: argparse.Namespace) -> Roots:
    """Return the roots that the user gave; none where no file is named.

    Raises `UsageError` or `MalformedInput`.
    """
    if arguments.tsa_roots is None:
        if getattr(arguments, "timestamps", None):
            raise UsageError("--timestamps says where tokens are; --tsa-roots says whom to believe: give both")
        return ()
    return parse_tsa_roots(read_file(arguments.tsa_roots, MAX_POLICY_BYTES))


def date_replay(result: Replay, roots: Roots, directory: str | None) -> Dating | None:
    """Return what dates a replayed log, and note in `result` what is false; None without roots, or without a tree.

    Tokens come from `directory`, else from where the log does. Raises `UsageError`.
    """
    opened = result.opened
    if not roots or opened is None or not opened.is_quorate:
        return None
    head = opened.checkpoint
    if result.tree.size < head.size or result.tree.root(head.size) != head.root:
        return None
    dating = Dating(result.policy, head.origin)
    dater = Dater(dating, result.tree, opened, result.log, roots)
    try:
        for stamped in _stamped(result, directory):
            result.failures += dater.take(stamped)
    except SourceUnavailable as error:
        dating.untold.append(Untold(error.where, error.why, ""))
    except CheckFailed as error:
        result.failures.append(error.failure)
    result.contradicting += dater.contradicting
    newest_ms = result.registry.newest_time_ms
    result.failures += [
        Failure(
            Check.TIMESTAMP, "older-than-entry", head.size - 1, item.by, f"≥ {newest_ms} − 300000", str(item.time_ms)
        )
        for item in dating.dated
        if item.size == head.size and is_older(item, newest_ms)
    ]
    return dating


def _stamped(result: Replay, directory: str | None) -> Iterable[Stamped]:
    if directory is not None:
        yield from read_directory(Path(directory))
        return
    source = open_source(result.location)
    try:
        yield from read_source(source)
    finally:
        source.close()


def date_receipt(
    result: ReceiptCheck, policy: Policy, log: VerifierKey, roots: Roots, directory: str | None
) -> Dating | None:
    """Return what dates a receipt's checkpoint, and note in `result` what is false; None without roots.

    Of `directory` only what is over this very checkpoint tells anything: a receipt does not lead to another one.
    Raises `UsageError`.
    """
    opened = result.opened
    if not roots or opened is None or result.failures:
        return None
    dating = Dating(policy, opened.checkpoint.origin)
    dater = Dater(dating, FixedTree(opened.checkpoint), opened, log, roots)
    for stamped in read_directory(Path(directory)) if directory is not None else ():
        if stamped.size == opened.checkpoint.size:
            result.failures += dater.take(stamped)
    return dating


def describe(dating: Dating | None) -> dict[str, Any]:
    """Return the member of a report; none without roots."""
    return {} if dating is None else {"times": dating.describe()}


def format_replayed(dating: Dating | None) -> str:
    """Return what stands before the report of a replay."""
    if dating is None:
        return ""
    lines = [f"  {escape(line)}" for line in format_sizes(dating) or ["nothing but the operator's word"]]
    return "\n".join(["When", *lines, "", ""])


def format_received(dating: Dating | None, index: int | None) -> list[str]:
    """Return the lines of the report of a receipt."""
    if dating is None or index is None:
        return []
    words = [item.format() for item in dating.not_after(index)] + [item.format() for item in dating.untold]
    return [f"When        {escape(line)}" for line in words or ["nothing but the operator's word"]]
