"""What a replay established, for people and for programs. Nothing is decided here but the words."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from verifier.checks import Check
from verifier.jcs import Json
from verifier.parties import CERTIFIED, format_evidence, party_evidence, party_status
from verifier.report_judgement import describe_judgement, format_finding, format_moment, format_sealed
from verifier.several import describe_views, view_words
from verifier.source import name_location
from verifier.words import escape, format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.checks import Doubt, Failure
    from verifier.policy import OpenedCheckpoint, Policy
    from verifier.replayed import Replay

TYPE = "provenance-ledger.replay-report/v1"
VERIFIED, FAILED, USAGE, UNKNOWN, FINDINGS = 0, 1, 2, 3, 4
"""Exit codes."""
_SHOWN = 50
"""Transfers, parties and findings that the text lists; the JSON lists all."""
_VERDICTS = {
    VERIFIED: "VERIFIED",
    FAILED: "FALSE: the log, or this copy of it, is not what it claims to be",
    UNKNOWN: "COULD NOT TELL: nothing false was found, but not everything could be checked",
    FINDINGS: "VERIFIED, with findings about what parties did",
}


def exit_code(failures: Sequence[Failure], doubts: Sequence[Doubt]) -> int:
    """Return 1, 3 or 0: something false goes before something unknown, and neither is ever a success."""
    return FAILED if failures else UNKNOWN if doubts else VERIFIED


def replay_exit_code(result: Replay, *, fail_on_findings: bool) -> int:
    """Return the exit code of a replay; 4 only where it was asked for and nothing is worse."""
    code = exit_code(result.failures, result.doubts)
    return FINDINGS if code == VERIFIED and fail_on_findings and result.findings else code


def format_json(report: dict[str, Json]) -> str:
    """Return a report as JSON, a member a line, in ASCII, which no terminal takes for anything else."""
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


def _name(statement_id: bytes | None) -> str | None:
    return f"sha256:{statement_id.hex()}" if statement_id is not None else None


def completeness(result: Replay) -> str:
    """Return how far the replay got, in one sentence."""
    size = result.opened.checkpoint.size if result.opened else None
    if result.is_complete:
        return f"complete: replayed to size {size}"
    of = "an unknown size" if size is None else f"size {size}"
    return f"incomplete: {result.tree.size} entries hashed and {result.judged_size} judged, of {of}"


def _warnings(result: Replay) -> list[str]:
    one_signer = result.policy.one_signer(result.log.name)
    warnings = [one_signer] if one_signer else []
    if result.pins.absent:
        warnings.append("pinned in the parties file, but not registered here: " + ", ".join(result.pins.absent))
    keys = result.registry.keys
    for name, keyids in sorted(result.pins.pinned.items()):
        if all(keys[keyid].revoked_index is not None for keyid in keyids):
            warnings.append(f"every key that is pinned for {name} is revoked: nothing pins the keys it signs with now")
    return warnings


def _describe_party(result: Replay, name: str, index: int) -> dict[str, Any]:
    evidence = party_evidence(result.registry, result.judge.facts, result.roots, name)
    status, by = party_status(result.registry, result.pins.pinned, name, evidence)
    keys = result.registry.keys
    pins = [
        {"keyid": keyid, "use": keys[keyid].use, "revoked_index": keys[keyid].revoked_index}
        for keyid in result.pins.pinned.get(name, [])
    ]
    certificate = None if evidence is None else asdict(evidence) | {"is_proven": evidence.is_proven}
    return {"name": name, "index": index, "status": status, "by": by, "pins": pins, "certificate": certificate}


def _format_party(result: Replay, name: str, index: int) -> str:
    party = _describe_party(result, name, index)
    words = f"  {name}: {party['status']}" + (f" by {party['by']}" if party["by"] else "")
    for pin in party["pins"]:
        words += f", {pin['use']} key {pin['keyid']}"
        words += f" (revoked at entry {pin['revoked_index']})" if pin["revoked_index"] is not None else ""
    evidence = party_evidence(result.registry, result.judge.facts, result.roots, name)
    if evidence is not None:
        words += (": " if party["status"] == CERTIFIED else "; certificate: ") + format_evidence(evidence)
    return words


def describe_replay(result: Replay, code: int) -> dict[str, Any]:
    """Return a whole replay as a JSON value."""
    registry = result.registry
    return {
        "type": TYPE,
        "verdict": _VERDICTS[code].partition(":")[0].partition(",")[0].lower(),
        "exit_code": code,
        "source": name_location(result.location),
        "views": describe_views(result.views),
        "origin": result.log.name,
        "ledger": _name(registry.ledger),
        "operator": registry.operator or None,
        "completeness": completeness(result),
        "resumed_size": result.resumed_size,
        "checkpoint": describe_checkpoint(result.opened, result.policy),
        "remembered_note": result.remembered.decode() or None,
        "warnings": _warnings(result),
        "entries": result.tree.size,
        "judged": result.judged_size,
        "first_time_ms": registry.first_time_ms,
        "last_time_ms": registry.last_time_ms if registry.first_time_ms is not None else None,
        "statements": dict(sorted(registry.counts.items())),
        "failures": describe_failures(result.failures),
        "doubts": describe_doubts(result.doubts),
        **describe_judgement(result.judgement),
        "parties": [_describe_party(result, name, index) for name, index in registry.parties.items()],
        "keys": [
            {"keyid": keyid, "party": key.owner, "use": key.use, "revoked_index": key.revoked_index}
            for keyid, key in registry.keys.items()
        ],
        "transfers": [
            {
                "id": _name(statement_id),
                "index": transfer.index,
                "state": transfer.state,
                "decided_index": transfer.decided_index,
                "sender": transfer.sender,
                "recipient": transfer.recipient,
                "listing": _name(transfer.listing),
                "listing_index": registry.listings[transfer.listing].index,
                "license": _name(transfer.license),
                "license_index": registry.licenses[transfer.license].index if transfer.license else None,
            }
            for statement_id, transfer in registry.transfers.items()
        ],
    }


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
    words = _VERDICTS[code]
    if code == VERIFIED and verified:
        words += f": {verified}"
    elif any(failure.check is Check.CHECKPOINT_ORIGIN for failure in failures):
        words = "FALSE: this is not the log that the policy names"
    return f"{words} (exit {code})"


def _shorten(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN
    return [*lines[:_SHOWN], f"  … and {rest} more (--json lists all)"] if rest > 0 else lines


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *_shorten(lines)] if lines else []


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


def format_replay(result: Replay, code: int) -> str:
    """Return a whole replay in plain language."""
    registry = result.registry
    lines = [f"Replay of   {escape(name_location(result.location))}"]
    lines += [f"Source      {escape(words)}" for words in view_words(result.views)]
    if result.opened:
        lines += format_checkpoint(result.opened, result.policy)
    if registry.ledger:
        lines.append(f"Ledger      {_name(registry.ledger)}, operated by {escape(registry.operator)}")
    resumed = f", the first {result.resumed_size} of them earlier" if result.resumed_size else ""
    lines.append(f"Entries     {result.tree.size}{resumed}; {completeness(result)}")
    if registry.first_time_ms is not None:
        lines.append(f"Time        {format_time(registry.first_time_ms)} to {format_time(registry.last_time_ms)}")
        lines.append(f"Judged      as of {format_moment(result.judgement)}")
    if sealed := format_sealed(result.judgement):
        lines.append(f"Sealed      {sealed}")
    one_signer = result.policy.one_signer(result.log.name)  # stands with the checkpoint
    lines += [f"Note        {escape(warning)}" for warning in _warnings(result) if warning != one_signer]
    lines += _section("Statements", [f"  {count:>8}  {kind}" for kind, count in sorted(registry.counts.items())])
    parties = [_format_party(result, name, index) for name, index in registry.parties.items()]
    lines += _section(f"Parties ({len(parties)})", parties)
    states = Counter(transfer.state for transfer in registry.transfers.values())
    summary = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    transfers = [
        f"  entry {transfer.index}: {transfer.sender} to {transfer.recipient}, "
        f"listing {registry.listings[transfer.listing].index}, "
        + (f"license {registry.licenses[transfer.license].index}, " if transfer.license else "no license, ")
        + (transfer.state if transfer.decided_index is None else f"{transfer.state} at entry {transfer.decided_index}")
        for transfer in registry.transfers.values()
    ]
    lines += _section(f"Transfers ({summary})", transfers)
    judgement = result.judgement
    lines += _section(f"Findings ({len(judgement.findings)})", [format_finding(item) for item in judgement.findings])
    undetermined = [format_finding(item) for item in judgement.undetermined]
    lines += _section(
        f"Undetermined ({len(undetermined)}): what decides it is sealed, and was not disclosed", undetermined
    )
    cleared = [format_finding(item) for item in judgement.cleared]
    lines += _section(f"Cleared ({len(cleared)}): no findings, as what was disclosed shows", cleared)
    lines += _section(f"False ({len(result.failures)})", [f"  {format_failure(item)}" for item in result.failures])
    lines += _section(f"Could not tell ({len(result.doubts)})", [f"  {format_doubt(item)}" for item in result.doubts])
    return "\n".join([*lines, "", format_verdict(code, result.failures)])
