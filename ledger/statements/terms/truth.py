"""Three answers (docs/terms.md §5.2): what rests on a sealed place is unknown."""

from __future__ import annotations

from enum import IntEnum


class Truth(IntEnum):
    """False, unknown or true, in this order: `min` is *and*, `max` is *or*."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    @staticmethod
    def of(value: bool) -> Truth:  # noqa: FBT001 - the value that is turned
        """Return TRUE or FALSE."""
        return _OF[value]

    def negated(self) -> Truth:
        """Return the opposite; that of UNKNOWN is UNKNOWN."""
        return _NEGATED[self]


_OF = (Truth.FALSE, Truth.TRUE)
_NEGATED = (Truth.TRUE, Truth.UNKNOWN, Truth.FALSE)
