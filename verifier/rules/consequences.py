"""Telling a fault from its consequences: whom a refused entry accuses, where an earlier one is not the log's.

That an entry's bytes are not those under the signed root is known at the end, when the level-0 tiles fold to that root.
Until then its successors were judged on a state that lacks whatever the log's own entry did. A copy with one damaged
registration must not accuse the ledger of every statement that the party made since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check, Doubt, Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPTANCE = frozenset(
    {
        Check.ENVELOPE,
        Check.PAYLOAD,
        Check.FIELDS,
        Check.LEDGER,
        Check.DUPLICATE,
        Check.SIGNATURE_SET,
        Check.KEY_KNOWN,
        Check.SIGNATURE,
        Check.KEY_REVOKED,
        Check.ISSUER,
        Check.SIGNERS,
        Check.FRESHNESS,
        Check.SEEN,
        Check.REFERENCE,
        Check.FITS,
    }
)
"""The checks of docs/format.md §9. Even those of the bytes alone depend on the rules in force, and so on the state."""


def first_unknown(failures: Sequence[Failure], resumed_size: int) -> int | None:
    """Return the first entry whose effect is not known, if there is one: it is not the log's, or a fork replaced it.

    Entries below `resumed_size` were judged by an earlier replay: it is of no consequence how they read now.
    """
    if any(failure.check is Check.REMEMBERED and failure.reason == "fork" for failure in failures):
        return resumed_size - 1
    changed = [failure.index for failure in failures if failure.check is Check.ENTRY_BYTES]
    return min((index for index in changed if index is not None and index >= resumed_size), default=None)


def part_consequences(failures: Sequence[Failure], unknown: int) -> tuple[list[Failure], list[Doubt]]:
    """Return the failures that stand, and a doubt in place of those that may only follow from entry `unknown`."""
    changed = {failure.index for failure in failures if failure.check is Check.ENTRY_BYTES}
    stands, doubtful = list[Failure](), set[int]()
    for failure in failures:
        index = failure.index
        if failure.check in ACCEPTANCE and index is not None and index > unknown and index not in changed:
            doubtful.add(index)
        else:
            stands.append(failure)
    if not doubtful:
        return stands, []
    entries = "1 entry fails" if len(doubtful) == 1 else f"{len(doubtful)} entries fail"
    why = f"{entries} checks of acceptance, which may only follow from entry {unknown} not being the log's"
    return stands, [Doubt(Check.JUDGED, "incomplete-state", min(doubtful), why)]
