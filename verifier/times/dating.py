"""What bounds the time of an entry, and by whose word (docs/format.md §21.3). Pure: nothing is verified here.

*Not after*: an entry was there when a witness cosigned, or an authority stamped, any checkpoint above it. *Not before*:
a statement that names the size s as `seen` was signed when that tree was there, and so after what a witness last
cosigned below s. A token bounds nothing from below: anybody may have an old checkpoint stamped, at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from verifier.core.moments import MAX_CLOCK_DIFFERENCE_MS
from verifier.core.words import format_time

if TYPE_CHECKING:
    from verifier.core.policy import OpenedCheckpoint, Policy

WITNESS, AUTHORITY = "witness", "authority"
"""Who dates: a cosigner of the policy, or the signer of a token."""


class Dated(NamedTuple):
    """The entries below `size` were there at `time_ms` (Unix milliseconds), by the word of `by`."""

    time_ms: int
    by: str
    kind: str
    size: int

    def format(self) -> str:
        """Return the bound in words."""
        return f"not after {format_time(self.time_ms)}, according to the {self.kind} {self.by}"


class NotBefore(NamedTuple):
    """No quorum of the policy can be had without one of `witnesses`, who had cosigned less at `time_ms`."""

    time_ms: int
    witnesses: tuple[str, ...]

    def format(self) -> str:
        """Return the bound in words."""
        names = ", ".join(self.witnesses)
        return (
            f"not before {format_time(self.time_ms)}, according to {names}, who had cosigned less, if its signers "
            f"asked for this policy's quorum"
        )


class Untold(NamedTuple):
    """A token that tells no time, for no fault of the log."""

    where: str
    reason: str
    authority: str

    def format(self) -> str:
        """Return it in words."""
        whose = f", of {self.authority}," if self.authority else ""
        return f"the token {self.where}{whose} tells no time: {self.reason}"


@dataclass(slots=True)
class Dating:
    """Everything that dates the trees of one log, in one verification."""

    policy: Policy
    origin: str
    dated: list[Dated] = field(default_factory=list)
    untold: list[Untold] = field(default_factory=list)

    def add_cosignatures(self, opened: OpenedCheckpoint) -> None:
        """Take the cosignatures on a verified checkpoint of the log; its own second key tells nobody's time."""
        own = self.policy.own_names(self.origin)
        self.dated += [
            Dated(at * 1000, name, WITNESS, opened.checkpoint.size)
            for name, at in opened.cosigned_unix_s.items()
            if name not in own
        ]

    def not_after(self, index: int) -> list[Dated]:
        """Return the earliest bound that each witness and authority gives for an entry, ascending by time."""
        best: dict[tuple[str, str], Dated] = {}
        for item in sorted(self.dated):
            if item.size > index:
                best.setdefault((item.kind, item.by), item)
        return list(best.values())

    def not_before(self, seen_size: int) -> NotBefore | None:
        """Return the bound for a statement that names a tree of this size as seen, if there is one."""
        newest: dict[str, int] = {}
        for item in self.dated:
            if item.kind == WITNESS and item.size < seen_size:
                newest[item.by] = max(item.time_ms, newest.get(item.by, 0))
        if self.policy.quorum is None:
            return None
        for time_ms in sorted(set(newest.values()), reverse=True):
            late = {name for name, at in newest.items() if at >= time_ms}
            if not self.policy.is_satisfied(set(self.policy.witnesses) - late):
                return NotBefore(time_ms, tuple(sorted(late)))
        return None

    def bounds(self) -> list[Dated]:
        """Return what is not said better by a greater size at an earlier time, by the same; ascending by size."""
        kept: dict[tuple[str, str], list[Dated]] = {}
        for item in sorted(self.dated):  # ascending by time: a later bound has to be of a greater size
            rows = kept.setdefault((item.kind, item.by), [])
            if not rows or item.size > rows[-1].size:
                rows.append(item)
        return sorted((item for rows in kept.values() for item in rows), key=lambda item: (item.size, item.time_ms))

    def describe(self) -> dict[str, Any]:
        """Return all of it as a JSON value."""
        return {
            "dated": [item._asdict() for item in self.bounds()],
            "untold": [item._asdict() for item in self.untold],
        }


def is_older(item: Dated, entry_time_ms: int) -> bool:
    """Tell whether a bound is further behind an entry that it is over than clocks may differ (docs/format.md §10.6)."""
    return item.time_ms < entry_time_ms - MAX_CLOCK_DIFFERENCE_MS


def format_sizes(dating: Dating) -> list[str]:
    """Return what is known of a whole log, a line a bound."""
    lines = [f"entries below {item.size}: {item.format()}" for item in dating.bounds()]
    last = None
    for size in sorted({item.size for item in dating.dated if item.kind == WITNESS}):
        bound = dating.not_before(size + 1)
        if bound is not None and bound != last:
            lines.append(f"statements that have seen more than {size} entries: {bound.format()}")
        last = bound
    return lines + [item.format() for item in dating.untold]
