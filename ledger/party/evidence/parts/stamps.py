"""Time-stamps of a log in a bundle of it (docs/bundle.md §2.3): those that bound the entries of the case most closely.

A ledger and every copy of it have them at the same paths (docs/format.md §21.4), and neither is believed: a checkpoint
is put in if the policy trusts it and its tree leads to the bundle's, and a token if it is over that checkpoint. Whose
token it is, and whether rightly signed, is for those to judge who name the roots.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from ledger.core.checkpoint import TreeHead, parse_checkpoint
from ledger.core.encoding import Json, b64encode
from ledger.core.errors import LedgerError, NoteError, ProofError, QuorumError
from ledger.core.note import parse_note
from ledger.core.policy import Policy
from ledger.party.chain.told import Told
from ledger.party.errors import Problem
from ledger.party.evidence.parts.archive import as_json
from ledger.party.evidence.parts.case import Case
from ledger.party.evidence.parts.errors import EvidenceError
from ledger.party.evidence.parts.tiles import Tree
from ledger.party.evidence.parts.tokens import check_token

FOLDER = "timestamps"
_NOT_FOUND = 404
_SIZES = re.compile(rb"(?:[1-9][0-9]{0,15}\n)*")
_DECISIONS = frozenset({"transfer.acknowledged", "transfer.refused"})


class Stamps(NamedTuple):
    """Members of a bundle by their paths, and of what could not be had, why not, a sentence each."""

    members: dict[str, bytes]
    left_out: list[str]


def indexes_of(case: Case, told: Iterable[Told]) -> list[int]:
    """Return the entries that a case is about: those that it names, and the hand-off's decision."""
    ids = {case.listing, case.license, case.transfer, case.claim, case.registration}
    return [
        one.index for one in told if one.id in ids or (one.type in _DECISIONS and one.name("transfer") == case.transfer)
    ]


async def take_stamps(tree: Tree, policy: Policy, indexes: Iterable[int], first: int) -> Stamps:
    """Return the token of the smallest stamped size above each entry, and the one over the tree's own checkpoint.

    They are numbered from `first` on. Nothing is raised: a bundle is whole without them.
    """
    stamps = Stamps({}, [])
    try:
        sizes = await _sizes(tree)
    except (LedgerError, OSError) as error:
        stamps.left_out.append(f"time-stamps, for {FOLDER}/sizes cannot be had: {error}")
        return stamps
    above = {sizes[at] for index in indexes if (at := bisect_right(sizes, index)) < len(sizes)}
    wanted = above | ({tree.head.size} & set(sizes))
    for size in sorted(wanted):
        try:
            found = await _take(tree, policy, size, first)
        except (LedgerError, OSError, IndexError) as error:
            stamps.left_out.append(f"the time-stamp of {size} entries: {error}")
        else:
            stamps.members.update(found)
            first += 1
    return stamps


async def _sizes(tree: Tree) -> list[int]:
    """Return the stamped sizes up to the tree's own, ascending; none where nothing says that there are any."""
    try:
        raw = await tree.read(f"{FOLDER}/sizes")
    except FileNotFoundError:
        return []
    except Problem as problem:
        if problem.status == _NOT_FOUND:
            return []
        raise
    if not _SIZES.fullmatch(raw):
        raise EvidenceError("it is not a list of sizes")
    return sorted({size for line in raw.split() if (size := int(line)) <= tree.head.size})


async def _take(tree: Tree, policy: Policy, size: int, number: int) -> dict[str, bytes]:
    """Return the members of one token, checked; raise LedgerError, OSError or IndexError."""
    token = await tree.read(f"{FOLDER}/{size}.tsr")
    members = {f"{FOLDER}/{number}.tsr": token}
    note = tree.note
    if size != tree.head.size:
        note = await tree.read(f"{FOLDER}/{size}.checkpoint")
        old = _open(note, policy, parse_checkpoint(parse_note(tree.note).text).origin)
        if old.size != size:
            raise ProofError(f"its checkpoint has {old.size} entries")
        path: list[Json] = [b64encode(one) for one in await tree.consistency(old)]
        members[f"{FOLDER}/{number}.json"] = as_json({"checkpoint": note.decode(), "path": path})
    check_token(token, note, f"{FOLDER}/{size}.tsr")
    return members


def _open(note: bytes, policy: Policy, origin: str) -> TreeHead:
    """Return what an older checkpoint of the log says; raise NoteError where a verifier would call it false."""
    try:
        checkpoint = policy.open_checkpoint(note)
    except QuorumError:  # it was cosigned by fewer: what the token tells does not rest on witnesses
        checkpoint = parse_checkpoint(parse_note(note).text)
    if checkpoint.origin != origin:
        raise NoteError(f"its checkpoint is of the log {checkpoint.origin}")
    return checkpoint.head
