"""Exit codes, and how a verdict, what failed and what could not be told read, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from verifier.core.checks import Check
from verifier.core.jcs import Json
from verifier.core.version import version
from verifier.core.words import escape, format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.core.checks import Doubt, Failure
    from verifier.core.policy import OpenedCheckpoint, Policy

VERIFIED, FAILED, USAGE, UNKNOWN, FINDINGS = 0, 1, 2, 3, 4
"""Exit codes."""
_WORST_FIRST = (FAILED, UNKNOWN, FINDINGS, VERIFIED)
_WRONG_THING = {
    Check.CHECKPOINT_ORIGIN: "this is not the log that the policy names",
    Check.RECEIPT_FORM: "this file is not a receipt",
}
"""Failures that say nothing of the log, only that something else was given to be checked."""
_SHOWN = 50
"""Transfers, parties and findings that the text lists; the JSON lists all."""
_VERDICTS = {VERIFIED: "VERIFIED", FAILED: "FALSE", UNKNOWN: "COULD NOT TELL", FINDINGS: "VERIFIED"}
_MORE = {
    VERIFIED: "",
    FAILED: ": the log, or this copy of it, is not what it claims to be",
    UNKNOWN: ": nothing false was found, but not everything could be checked",
    FINDINGS: ", with findings about what parties did",
}


def exit_code(failures: Sequence[object], doubts: Sequence[object], findings: Sequence[object] = ()) -> int:
    """Return 1, 3, 4 or 0: something false goes before something unknown, and neither is ever a success.

    `findings` are given where the user asked that they count; they do where nothing is worse.
    """
    return FAILED if failures else UNKNOWN if doubts else FINDINGS if findings else VERIFIED


def worst(codes: Iterable[int]) -> int:
    """Return the exit code of several verdicts together; at least one, and none of them 2."""
    return min(codes, key=_WORST_FIRST.index)


def verdict_word(code: int) -> str:
    """Return the one word of a verdict, as reports in JSON write it; findings do not change it."""
    return _VERDICTS[code].lower()


def format_code(code: int, words: str | None = None) -> str:
    """Return the line for an exit code but 2; `words` say more than the verdict, in place of the usual ones."""
    return f"{_VERDICTS[code]}{_MORE[code] if words is None else words} (exit {code})"


def format_json(report: dict[str, Json]) -> str:
    """Return a report as JSON, a member a line, in ASCII, which no terminal takes for anything else.

    It ends with `program`: which version of which program says so.
    """
    report = report | {"program": f"verifier {version()}"}
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(member)}" for name, member in report.items()) + "\n}"


def describe_failures(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    """Return failures as JSON values."""
    return [asdict(failure) | {"check": failure.check.slug} for failure in failures]


def describe_doubts(doubts: Sequence[Doubt]) -> list[dict[str, Any]]:
    """Return doubts as JSON values."""
    return [asdict(doubt) | {"check": doubt.check.slug} for doubt in doubts]


def describe_checkpoint(opened: OpenedCheckpoint | None, policy: Policy) -> dict[str, Any] | None:
    """Return a verified checkpoint as a JSON value, None if there is none."""
    if opened is None:
        return None
    head = opened.checkpoint
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "cosignatures": [
            {"witness": name, "time_unix_s": at, "is_independent": name not in policy.own_names(head.origin)}
            for name, at in sorted(opened.cosigned_unix_s.items())
        ],
        "quorum": policy.quorum or "none",
        "is_quorate": opened.is_quorate,
        "note": opened.raw.decode(),
    }


def format_id(statement_id: bytes | None) -> str | None:
    """Return how a statement id is written; None if there is none."""
    return f"sha256:{statement_id.hex()}" if statement_id is not None else None


def _format_other_log(failure: Failure) -> str:
    whose = "the checkpoint found here" if failure.where == "checkpoint" else failure.where
    return escape(
        f"[{failure.check.slug}] {failure.reason}: the policy names the log {failure.expected}, and {whose} "
        f"is of the log {failure.actual}. This may simply be another log: compare its address with the policy"
    )


def format_failure(failure: Failure) -> str:
    """Return one failure as a line."""
    if failure.check is Check.CHECKPOINT_ORIGIN:
        return _format_other_log(failure)
    place = [f"entry {failure.index}"] if failure.index is not None else []
    place += [failure.where] if failure.where else []
    line = f"[{failure.check.slug}] {failure.reason}" + (f" at {', '.join(place)}" if place else "")
    if failure.expected:
        line += f": expected {failure.expected}, found {failure.actual}"
    elif failure.actual:
        line += f": {failure.actual}"
    return escape(f"{line}. Should hold: {failure.check.line}")


def format_doubt(doubt: Doubt) -> str:
    """Return one doubt as a line."""
    place = [f"from entry {doubt.index} on"] if doubt.index is not None else []
    place += [doubt.where] if doubt.where else []
    return escape(f"[{doubt.check.slug}] {doubt.reason}" + (f" ({', '.join(place)})" if place else ""))


def format_verdict(code: int, failures: Sequence[Failure], *, verified: str = "") -> str:
    """Return the last line of a report; `verified` says what was, where that is less than everything."""
    if code == VERIFIED and verified:
        return format_code(code, f": {verified}")
    for failure in failures:
        if failure.check in _WRONG_THING:
            return format_code(FAILED, f": {_WRONG_THING[failure.check]}")
    return format_code(code)


def shorten(lines: list[str]) -> list[str]:
    """Return the first lines of a list, and how many more there are."""
    rest = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"  … and {rest} more (--json lists all)"] if rest > 0 else lines


def format_checkpoint(opened: OpenedCheckpoint, policy: Policy) -> list[str]:
    """Return what is known of a verified checkpoint, a line each."""
    head = opened.checkpoint
    lines = [f"Checkpoint  {escape(head.origin)}, size {head.size}, root {head.root.hex()}; signed by the log's key"]
    for name, at in sorted(opened.cosigned_unix_s.items()):
        own = ": the log's own key, and no independent witness" if name in policy.own_names(head.origin) else ""
        lines.append(f"Cosigned    by {escape(name)} at {format_time(at * 1000)}{own}")
    if one_signer := policy.one_signer(head.origin):
        lines.append(f"Note        {one_signer}")
    return lines
