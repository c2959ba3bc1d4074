"""What a replay established, for people and for programs. Nothing is decided here but the words."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from verifier.core.verdict import (
    describe_checkpoint,
    describe_doubts,
    describe_failures,
    format_checkpoint,
    format_doubt,
    format_failure,
    format_id,
    format_verdict,
    shorten,
    verdict_word,
)
from verifier.core.words import escape, format_time
from verifier.judgement.pins import CERTIFIED, format_evidence, party_evidence, party_status
from verifier.judgement.words import describe_judgement, format_finding, format_moment, format_sealed
from verifier.sources.several import describe_views, view_words
from verifier.sources.source import name_location

if TYPE_CHECKING:
    from verifier.replay.result import Replay

TYPE = "provenance-ledger.replay-report/v1"


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
        "verdict": verdict_word(code),
        "exit_code": code,
        "source": name_location(result.location),
        "views": describe_views(result.views),
        "origin": result.log.name,
        "ledger": format_id(registry.ledger),
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
                "id": format_id(statement_id),
                "index": transfer.index,
                "state": transfer.state,
                "decided_index": transfer.decided_index,
                "sender": transfer.sender,
                "recipient": transfer.recipient,
                "listing": format_id(transfer.listing),
                "listing_index": registry.listings[transfer.listing].index,
                "license": format_id(transfer.license),
                "license_index": registry.licenses[transfer.license].index if transfer.license else None,
            }
            for statement_id, transfer in registry.transfers.items()
        ],
    }


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, *shorten(lines)] if lines else []


def format_replay(result: Replay, code: int) -> str:
    """Return a whole replay in plain language."""
    registry = result.registry
    lines = [f"Replay of   {escape(name_location(result.location))}"]
    lines += [f"Source      {escape(words)}" for words in view_words(result.views)]
    if result.opened:
        lines += format_checkpoint(result.opened, result.policy)
    if registry.ledger:
        lines.append(f"Ledger      {format_id(registry.ledger)}, operated by {escape(registry.operator)}")
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
