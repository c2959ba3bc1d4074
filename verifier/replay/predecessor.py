"""A successor ledger and the one that it continues, in one verification (docs/format.md §20.4)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import CheckFailed, MalformedInput, SourceUnavailable
from verifier.core.ids import id_bytes, id_text
from verifier.core.notes import parse_checkpoint, parse_note
from verifier.core.tree import TILE_WIDTH, leaf_hash
from verifier.core.verdict import VERIFIED, describe_doubts, describe_failures, format_doubt, format_failure
from verifier.core.words import escape
from verifier.replay.replay import replay
from verifier.replay.workers import read_bundle
from verifier.schema.entries import parse_entry
from verifier.sources.source import open_source, read_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.judgement.identity import Roots
    from verifier.judgement.pins import Pins
    from verifier.replay.result import Replay


class Named(NamedTuple):
    """What entry 0 of the successor commits to."""

    ledger: bytes
    size: int
    root: bytes


@dataclass(slots=True)
class Succession:
    """What is known of the ledger before, and of its being that."""

    location: str
    named: Named | None = None
    old: Replay | None = None
    failures: list[Failure] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def replay_predecessor(
    new: Replay,
    location: str,
    policy: Policy,
    *,
    pins: Pins = (),
    roots: Roots = (),
    processes: int = 1,
    progress: Callable[[int, int], None],
) -> Succession:
    """Replay the ledger at `location`, and check that it is the one that `new`, which was replayed, continues.

    Its log must be in the policy too. Faults do not raise: they are in the result, and in its `old`. Raises
    `UsageError` where the policy does not name the old log.
    """
    result = Succession(location)
    try:
        result.named = _read_named(new)
        log = _pick_log(location, policy)
    except CheckFailed as error:
        result.failures.append(error.failure)
        return result
    except SourceUnavailable as error:
        result.doubts.append(Doubt(Check.AVAILABLE, error.why, where=error.where))
        return result
    old = replay(location, policy, log, pins=pins, roots=roots, processes=processes, progress=progress)
    result.old = old
    if old.exit_code() == VERIFIED:
        _compare(result, result.named, old)
    return result


def unreached(location: str) -> Succession:
    """Return what is known of a ledger to which no chain of verified ones leads: nothing."""
    return Succession(location, doubts=[Doubt(Check.PREDECESSOR, "not-reached", where=location)])


def _read_named(new: Replay) -> Named:
    """Return what entry 0 names, from the bytes that the verified tree covers."""
    if new.tree.size == 0:
        raise CheckFailed(Failure(Check.PREDECESSOR, "no-entry", 0))
    source = open_source(new.location)
    try:
        _, raws, _ = read_bundle(source, 0, min(new.tree.size, TILE_WIDTH))
    finally:
        source.close()
    if not raws or leaf_hash(raws[0]) != new.tree.leaf(0):
        raise CheckFailed(Failure(Check.ENTRY_BYTES, "changed-bytes", 0))
    payload = json.loads(parse_entry(raws[0]).payload or b"{}")
    named = payload.get("predecessor") if isinstance(payload, dict) else None
    if new.registry.ledger is None or named is None:
        raise CheckFailed(Failure(Check.PREDECESSOR, "names-none", 0, "/predecessor"))
    return Named(id_bytes(named["ledger"]), named["size"], bytes.fromhex(named["root"]))


def _pick_log(location: str, policy: Policy) -> VerifierKey:
    source = open_source(location)
    try:
        origin = parse_checkpoint(parse_note(read_checkpoint(source)).text).origin
    except MalformedInput as error:
        raise CheckFailed(Failure(Check.CHECKPOINT_FORM, error.reason, where=f"{location} {error.detail}")) from error
    finally:
        source.close()
    return policy.pick_log(origin)


def _compare(result: Succession, named: Named, old: Replay) -> None:
    """Hold the old ledger, which was verified, against what its successor says of it."""
    if old.registry.ledger != named.ledger:
        found = old.registry.ledger.hex() if old.registry.ledger else ""
        result.failures.append(Failure(Check.PREDECESSOR, "another-ledger", 0, "", named.ledger.hex(), found))
    elif old.tree.size < named.size:
        where = f"this copy has {old.tree.size} of the {named.size} entries that the successor names"
        result.doubts.append(Doubt(Check.PREDECESSOR, "too-short", where=where))
    elif (root := old.tree.root(named.size)) != named.root:
        where = f"the root at size {named.size}"
        result.failures.append(Failure(Check.PREDECESSOR, "root-mismatch", 0, where, named.root.hex(), root.hex()))


def describe_succession(result: Succession) -> dict[str, Any]:
    """Return it as a JSON value, without the replay itself."""
    named = result.named
    return {
        "source": result.location,
        "ledger": id_text(named.ledger) if named else None,
        "size": named.size if named else None,
        "root": named.root.hex() if named else None,
        "entries": result.old.tree.size if result.old else None,
        "failures": describe_failures(result.failures),
        "doubts": describe_doubts(result.doubts),
    }


def format_succession(result: Succession) -> str:
    """Return it in plain language."""
    lines = []
    if (named := result.named) is not None:
        lines.append(f"Continues   ledger sha256:{named.ledger.hex()}, at size {named.size}, root {named.root.hex()}")
        if result.old is not None and result.old.tree.size > named.size:
            more = result.old.tree.size - named.size
            lines.append(f"Note        the old log went on: {more} entries of it come after those that are continued")
    lines += [f"False       {format_failure(failure)}" for failure in result.failures]
    lines += [f"Unknown     {format_doubt(doubt)}" for doubt in result.doubts]
    if not result.failures and not result.doubts and result.old is not None:
        lines.append(f"Predecessor {escape(result.location)}, replayed below, has this root at that size")
    return "\n".join(lines)
