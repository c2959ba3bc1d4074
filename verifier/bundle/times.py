"""What dates the entries of a bundle: its time-stamps, and older checkpoints (docs/bundle.md §2.3; check `time`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.bundle.checks import BundleCheck, Outcome
from verifier.bundle.documents import parse_document
from verifier.core.b64 import decode_base64
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.core.notes import MAX_NOTE_BYTES, parse_note
from verifier.core.policy import OpenedCheckpoint, open_checkpoint
from verifier.core.tree import HASH_BYTES, verify_consistency
from verifier.core.words import format_time
from verifier.schema.checks import base64, members, text, up_to
from verifier.times.dating import Dating, is_older
from verifier.times.tokens import date_token

if TYPE_CHECKING:
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.bundle.form import Bundle
    from verifier.core.certificates import Roots
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy
    from verifier.rules.subject import Told

MAX_FILES = 1_000
_MAX_PATH = 2 * 53
_ABOUT = ("listing", "license", "transfer", "claim", "registration")
_older = members(
    {"checkpoint": text(MAX_NOTE_BYTES), "path": up_to(_MAX_PATH, base64(HASH_BYTES, HASH_BYTES))}
)  # fmt: skip


def verify_times(  # noqa: PLR0917 (a bundle, whom to trust, and where what is false goes)
    bundle: Bundle, chain: Chain, policy: Policy, log: VerifierKey, roots: Roots, outcome: Outcome
) -> Dating | None:
    """Return what dates the entries, and note in `outcome` what is false; None without roots: then nothing is read."""
    if not roots:
        return None
    dating = Dating(policy, chain.opened.checkpoint.origin)
    dating.add_cosignatures(chain.opened)
    if len(bundle.tokens) + len(bundle.older) > MAX_FILES:
        outcome.fail(BundleCheck.TIME, "too-large", "timestamps/", f"≤ {MAX_FILES} files")
        return dating
    checkpoints = {}
    for number, raw in sorted(bundle.older.items()):
        path = f"timestamps/{number}.json"
        try:
            checkpoints[number] = _open_older(raw, path, chain.opened, policy, log)
        except MalformedInput as error:
            outcome.fail(BundleCheck.TIME, error.reason, f"{path} {error.detail.removeprefix(path)}".strip())
        except CheckFailed as error:
            failure = error.failure
            outcome.fail(BundleCheck.TIME, failure.reason, path, failure.expected, failure.actual)
        else:
            dating.add_cosignatures(checkpoints[number])
    for number, token in sorted(bundle.tokens.items()):
        if number in bundle.older and number not in checkpoints:
            continue  # what it is over was false
        opened = checkpoints.get(number, chain.opened)
        stamped = [parse_note(opened.raw).text, opened.raw]
        path, size = f"timestamps/{number}.tsr", opened.checkpoint.size
        if reason := date_token(dating, token, stamped, roots, where=path, size=size):
            outcome.fail(BundleCheck.TIME, reason, path)
    _verify_clocks(chain, dating, outcome)
    return dating


def _open_older(raw: bytes, path: str, newest: OpenedCheckpoint, policy: Policy, log: VerifierKey) -> OpenedCheckpoint:
    """Return an older checkpoint of the log, of which the bundle's own is shown to be a continuation.

    Raises `MalformedInput` or `CheckFailed`.
    """
    document: dict[str, Any] = parse_document(raw, path, _older)
    opened = open_checkpoint(document["checkpoint"].encode(), policy, log)
    old, new = opened.checkpoint, newest.checkpoint
    hashes = [decode_base64(item) or b"" for item in document["path"]]
    verify_consistency(old.size, old.root, new.size, new.root, hashes)
    return opened


def _verify_clocks(chain: Chain, dating: Dating, outcome: Outcome) -> None:
    """Check every bound against the newest entry that it is over (docs/format.md §10.6)."""
    newest = chain.opened.checkpoint.size
    for item in dating.dated:
        if item.kind == "witness" and item.size == newest:
            continue  # the bundle's own checkpoint: `acceptance` says so
        times_ms = [told.time_ms for index, told in chain.told.items() if index < item.size]
        if times_ms and is_older(item, times_ms[-1]):
            outcome.fail(BundleCheck.TIME, "older-than-entry", item.by, f"≥ {times_ms[-1]} − 300000", item.time_ms)


def entries_of(case: Case, chain: Chain) -> list[Told]:
    """Return the entries that the case is about, ascending: those that it names, and the hand-off's decision."""
    names = dict.fromkeys(case.raw[name] for name in _ABOUT if name in case.raw)
    found = [told for name in names if (told := chain.by_id.get(bytes.fromhex(name.removeprefix("sha256:"))))]
    decided = chain.registry.transfers[case.transfer.statement.id].decided_index
    if decided is not None and decided in chain.told:
        found.append(chain.told[decided])
    return sorted(found, key=lambda told: told.index)


def describe_bounds(dating: Dating, chain: Chain, told: Told) -> dict[str, Any]:
    """Return what bounds one entry, as a JSON value."""
    size = chain.seen_sizes.get(told.index)
    before = _seen_entry(chain, size)
    witnessed = dating.not_before(size) if size is not None else None
    return {
        "index": told.index,
        "not_after": [item._asdict() for item in dating.not_after(told.index)],
        "seen_size": size,
        "not_before": None if before is None else {"time_ms": before.time_ms, "entry": before.index, "by": "operator"},
        "not_before_witnesses": None if witnessed is None else witnessed._asdict(),
    }


def format_bounds(dating: Dating, chain: Chain, told: Told) -> str:
    """Return what bounds one entry, in a sentence."""
    size = chain.seen_sizes.get(told.index)
    parts = [item.format() for item in dating.not_after(told.index)] or ["nobody says that it was there by any time"]
    before = _seen_entry(chain, size)
    if before is not None:
        parts.append(
            f"not before {format_time(before.time_ms)}, according to the operator (entry {before.index}) and to its "
            f"signers, who say that they had seen {size} entries"
        )
    if size is not None and (witnessed := dating.not_before(size)):
        parts.append(witnessed.format())
    return f"Entry {told.index}, {told.kind}: {'; '.join(parts)}."


def _seen_entry(chain: Chain, size: int | None) -> Told | None:
    """Return the newest entry in the bundle below a size that was seen."""
    below = [index for index in chain.told if size is not None and index < size]
    return chain.told[below[-1]] if below else None
