"""What each kind of fraud proof has to show, once its parts hold (docs/format.md §19.3–§19.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.moments import MAX_CLOCK_DIFFERENCE_S
from verifier.core.tree import verify_consistency
from verifier.core.words import escape, format_time
from verifier.fraud.form import HISTORY, PROMISE, REFUSAL
from verifier.fraud.parts import CHECKPOINT, Head, NotProven, Parts, Shown
from verifier.fraud.refusals import prove_refusal
from verifier.fraud.rules import RULES, UNSIGNED, find_fault
from verifier.rules.examine import Reading, examine_statement, readable_rules
from verifier.rules.subject import Observed
from verifier.schema.versions import KNOWN_RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.core.checks import Failure

CERTAIN = "certain, given the log's key: it signed all that is shown here, or vouches for the key that did"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a file proves, in words for people."""

    what: str
    """What the operator did: goes on from "The operator of … "."""
    when: str
    sure: str
    log_vkeys: tuple[str, ...] = ()
    """The log keys that signed what is shown."""


def prove(parts: Parts) -> Proof:
    """Return what the operator did, if the parts show what the file claims.

    Raises `NotProven`, or `UntoldFraud` where rules are in force that this program does not know.
    """
    proof = _KINDS[parts.fraud.kind](parts)
    vkeys = parts.log_vkeys
    # A key may have been retired, and stolen later: by itself, a signature says whose key it was, not whose hand.
    held = (
        f"{proof.sure}. Signed with {' and '.join(map(_named, vkeys))}: whoever held that did it. Whether it was in "
        "force then, a replay of the log tells and this file does not: a retired key may be in other hands"
    )
    return replace(proof, sure=held, log_vkeys=vkeys)


def _named(vkey: str) -> str:
    """Return what tells a log's keys apart: the name and the four bytes that every signature line has."""
    return f"the log key {escape(vkey.rpartition('+')[0])}"


def _described(head: Head) -> str:
    words = {CHECKPOINT: "a checkpoint", HISTORY: "a history", PROMISE: "a promise", REFUSAL: "a refusal"}
    return f"{words[head.signed_as]} of {head.size} entries with root {head.root.hex()}"


def _dated(*heads: Head) -> str:
    """Return what is known of when heads were signed."""
    known = [f"{escape(name)} cosigned one by {format_time(at * 1000)}" for head in heads
             for name, at in sorted(head.cosigned_unix_s.items())]  # fmt: skip
    known += [f"one says {format_time(head.time_ms)} of itself" for head in heads if head.time_ms is not None]
    return "; ".join(known) if known else "not told: no witness and no signed time says when"


def _prove_fork(parts: Parts) -> Proof:
    if len(parts.heads) < 2:
        raise NotProven("missing-part", "two heads")
    small, large = sorted(parts.heads[:2], key=lambda head: head.size)
    if small.size == large.size:
        if small.root == large.root:
            raise NotProven("no-contradiction", "both heads are of the same tree")
        what = f"signed two trees of {small.size} entries: {_described(small)}, and {_described(large)}"
        return Proof(what, _dated(small, large), CERTAIN)
    shown = parts.fraud.consistency
    if shown is None:
        raise NotProven("missing-part", "consistency: heads of two sizes contradict each other only by a path")
    try:
        verify_consistency(small.size, shown.root, large.size, large.root, shown.path)
    except MalformedInput as error:
        raise NotProven(error.reason, "consistency") from None
    if shown.root == small.root:
        raise NotProven("no-contradiction", "the larger tree extends the smaller one")
    what = (
        f"signed two trees of which neither extends the other: {_described(small)}, and {_described(large)}, whose "
        f"first {small.size} entries have the root {shown.root.hex()}"
    )
    return Proof(what, _dated(small, large), CERTAIN)


def _prove_rewrite(parts: Parts) -> Proof:
    first = parts.disputed()
    other = next((item for item in parts.shown if item.index == first.index and item.raw != first.raw), None)
    if other is None:
        raise NotProven("missing-part", f"two versions of entry {first.index}")
    what = (
        f"signed two versions of entry {first.index}: {_entry_words(first)} under {_described(first.head)}, and "
        f"{_entry_words(other)} under {_described(other.head)}"
    )
    return Proof(what, _dated(first.head, other.head), CERTAIN)


def _entry_words(item: Shown) -> str:
    payload = item.payload()
    kind, issuer = payload.get("type"), payload.get("issuer")
    if type(kind) is not str or type(issuer) is not str:
        return "bytes that are not a statement"
    return f"{escape(kind)[:80]} by {escape(issuer)[:128]} ({item.statement_id}, of {format_time(item.time_ms)})"


def _prove_rollback(parts: Parts) -> Proof:
    item = parts.disputed()
    seen = item.payload().get("seen")
    if type(seen) is dict and type(seen.get("size")) is int and seen["size"] > item.index:
        for head in parts.heads:
            if (head.size, head.root.hex()) == (seen["size"], seen.get("root")):
                what = (
                    f"signed {_described(head)}, took the log back, and recorded entry {item.index} anew: its "
                    f"statement, {_entry_words(item)}, was made by somebody who had seen those {head.size} entries"
                )
                return Proof(what, f"between that and {format_time(item.time_ms)}, by the entry's own time", CERTAIN)
    for head in parts.heads:
        latest_ms = -1 if head.time_ms is None else head.time_ms - 1000 * MAX_CLOCK_DIFFERENCE_S
        if item.time_ms is not None and head.size <= item.index and item.time_ms < latest_ms:
            what = (
                f"signed at {format_time(head.time_ms)}, with {_described(head)}, that its log ended there, although "
                f"entry {item.index} says that it was recorded at {format_time(item.time_ms)}, before that: the "
                "log was taken back, or the entry is back-dated"
            )
            return Proof(what, format_time(head.time_ms), CERTAIN)
    raise NotProven("no-contradiction", "nothing shows that a longer log was there before")


def _prove_time(parts: Parts) -> Proof:
    item = parts.disputed()
    if item.time_ms is None:
        raise NotProven("no-contradiction", f"entry {item.index} has no time")
    for other in parts.before(item.index):
        if other.head == item.head and other.time_ms is not None and other.time_ms > item.time_ms:
            what = (
                f"let time go back: entry {other.index} is of {format_time(other.time_ms)}, and entry {item.index}, "
                f"which follows it, of {format_time(item.time_ms)}"
            )
            return Proof(what, "by the log's own clock, when it recorded that entry", CERTAIN)
    earliest_unix_s = -(-item.time_ms // 1000) - MAX_CLOCK_DIFFERENCE_S
    for name, at in sorted(item.head.cosigned_unix_s.items()):
        if at < earliest_unix_s:
            what = (
                f"post-dated entry {item.index}: it says {format_time(item.time_ms)}, and {escape(name)} cosigned the "
                f"tree that holds it at {format_time(at * 1000)} already"
            )
            return Proof(
                what, f"before {format_time(at * 1000)}", f"as sure as the clock of the witness {escape(name)}"
            )
    raise NotProven("no-contradiction", f"nothing shows that the time of entry {item.index} is false")


def _prove_omission(parts: Parts) -> Proof:
    for promise in parts.of_kind(PROMISE):
        name, deadline_ms = promise.payload["statement_id"], promise.payload["deadline_ms"]
        promised = f"promised to record {name} by {format_time(deadline_ms)}"
        recorded = [item for item in parts.shown if item.statement_id == name]
        for item in recorded:
            if item.time_ms is not None and item.time_ms > deadline_ms:
                what = f"{promised}, and recorded it at {format_time(item.time_ms)}, as entry {item.index}: too late"
                return Proof(what, format_time(deadline_ms), CERTAIN)
        if recorded:
            continue
        last = next((item for item in parts.shown if (item.time_ms or 0) > deadline_ms
                     and item.index < parts.prefix_size), None)  # fmt: skip
        if last is not None:
            what = (
                f"{promised}, and did not: none of the first {last.index + 1} entries is that statement, and the last "
                f"of them is of {format_time(last.time_ms)}"
            )
            return Proof(what, format_time(deadline_ms), CERTAIN)
        for history in parts.of_kind(HISTORY):
            moment = _known_after(parts, history, deadline_ms)
            if history.payload["subjects"] == [name] and not history.payload["indexes"] and moment:
                what = f"{promised}, and did not: it signed that nothing of it is in {_described(history)}, {moment}"
                return Proof(what, format_time(deadline_ms), CERTAIN)
    raise NotProven("no-contradiction", "nothing shows a promise whose deadline passed without its statement")


def _known_after(parts: Parts, history: Head, deadline_ms: int) -> str:
    """Return what shows that the tree of a history is of a time after the deadline; empty where nothing does."""
    for item in parts.shown:
        if item.index < history.size and item.time_ms is not None and item.time_ms > deadline_ms:
            return f"a tree with entry {item.index} of {format_time(item.time_ms)}"
    for head in (*parts.of_kind(REFUSAL), *parts.of_kind(PROMISE)):
        if head.size <= history.size and (head.time_ms or 0) > deadline_ms:
            return f"a tree no smaller than that of which it signed something at {format_time(head.time_ms)}"
    return ""


def _prove_left_out(parts: Parts) -> Proof:
    item = parts.disputed()
    for history in parts.of_kind(HISTORY):
        payload = history.payload
        if item.index >= history.size or item.index in payload["indexes"]:
            continue
        for subject in payload["subjects"]:
            if item.index in _concerning(parts, subject):
                what = (
                    f"signed that {_described(history)} has no other entries that concern {escape(subject)} than the "
                    f"{len(payload['indexes'])} it lists, and left out entry {item.index}: {_entry_words(item)}"
                )
                return Proof(what, _dated(history, item.head), CERTAIN)
    raise NotProven("no-contradiction", f"no history that is shown had to list entry {item.index}")


def _concerning(parts: Parts, subject: str) -> frozenset[int]:
    """Return which of the entries concern a subject, by what they say themselves (docs/format.md §12.3)."""
    # The newest version has the narrowest notion: under which version an entry stands, the file need not show.
    observed = Observed(subject, rules=max(KNOWN_RULES))
    for item in sorted(parts.shown, key=lambda shown: shown.index):
        if item.entry is None or item.entry.envelope_failure is not None:
            continue
        payload, signatures = item.entry.payload, item.entry.signatures
        try:
            statement = examine_statement(payload, signatures, {}, Reading(readable_rules(payload)))
        except CheckFailed:
            continue
        observed.take(item.index, item.entry.time_ms, statement)
    return frozenset(observed.concerning)


def _prove_unlawful(parts: Parts) -> Proof:
    item = parts.disputed()
    failure = find_fault(parts, item)
    if failure.check not in RULES - UNSIGNED:
        raise NotProven("other-kind", f"[{failure.check.slug}] {failure.reason}: the kind for this is another")
    return _proof_of_fault(item, failure)


def _prove_unsigned(parts: Parts) -> Proof:
    item = parts.disputed()
    failure = find_fault(parts, item)
    if failure.check not in UNSIGNED:
        raise NotProven("other-kind", f"[{failure.check.slug}] {failure.reason}: the kind for this is another")
    return _proof_of_fault(item, failure)


def _proof_of_fault(item: Shown, failure: Failure) -> Proof:
    rule = f"[{failure.check.slug}] {failure.reason}" + (f" at {escape(failure.where)}" if failure.where else "")
    values = f": {escape(failure.actual)}" if failure.actual else ""
    values += f", where {escape(failure.expected)} is right" if failure.expected else ""
    what = f"recorded entry {item.index}, {_entry_words(item)}, which had to be refused: {rule}{values}"
    return Proof(what, f"{format_time(item.time_ms)}, by the entry's own time", CERTAIN)


def _prove_refusal(parts: Parts) -> Proof:
    refusal, words = prove_refusal(parts)
    return Proof(words, format_time(refusal.time_ms), CERTAIN)


_KINDS: dict[str, Callable[[Parts], Proof]] = {
    "fork": _prove_fork,
    "left-out-of-history": _prove_left_out,
    "omission-after-promise": _prove_omission,
    "refusal-contradicts-log": _prove_refusal,
    "rewrite": _prove_rewrite,
    "rollback": _prove_rollback,
    "time": _prove_time,
    "unlawful-entry": _prove_unlawful,
    "unsigned-statement": _prove_unsigned,
}
