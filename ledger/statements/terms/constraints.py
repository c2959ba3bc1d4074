"""Constraints as they are judged: read once, with what they are compared by at hand (docs/terms.md §3, §5.2).

Two constraints are the same object or different ones here (`eq=False`); `document` holds the JSON as it was written.
"""

from __future__ import annotations

import math
import operator as python
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, TypeAlias

from ledger.core.encoding import Json
from ledger.statements.terms.operands import version_numbers
from ledger.statements.vocabulary import upward

ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": python.eq,
    "gt": python.gt,
    "gteq": python.ge,
    "lt": python.lt,
    "lteq": python.le,
    "neq": python.ne,
}
BENEATH: Final = frozenset({"isA", "isAnyOf", "isPartOf"})
"""The operators that ask whether a word is at or beneath any of the right operand's."""

Interval: TypeAlias = tuple[float, float]
"""From the least to the greatest integer, both included; ±inf if there is none. Integers up to 2^53 are exact."""


@dataclass(frozen=True, eq=False, slots=True)
class Measure:
    """An atomic constraint on `dateTime`, `elapsedTime` (milliseconds) or `count`."""

    left: str
    operator: str
    bound: int
    document: Json = field(repr=False)

    def meets(self, value: int) -> bool:
        """Tell whether `value` meets it."""
        return ORDER[self.operator](value, self.bound)

    @property
    def interval(self) -> Interval | None:
        """The integers that meet it; None for `neq`, which is not an interval."""
        match self.operator:
            case "eq":
                return self.bound, self.bound
            case "lt":
                return -math.inf, self.bound - 1
            case "lteq":
                return -math.inf, self.bound
            case "gt":
                return self.bound + 1, math.inf
            case "gteq":
                return self.bound, math.inf
        return None


@dataclass(frozen=True, eq=False, slots=True)
class Ordering:
    """An atomic constraint that orders versions, number by number."""

    left: str
    operator: str
    numbers: tuple[int, ...]
    document: Json = field(repr=False)

    def meets(self, version: str) -> bool:
        """Tell whether `version` meets it; one that has no numbers does not."""
        numbers = version_numbers(version)
        return numbers is not None and ORDER[self.operator](numbers, self.numbers)


@dataclass(frozen=True, eq=False, slots=True)
class Membership:
    """An atomic constraint on a word; one right operand is a set of one."""

    left: str
    operator: str
    words: frozenset[str]
    document: Json = field(repr=False)

    @property
    def above(self) -> frozenset[str]:
        """All that is at or over its words; not kept, since a long code has a hundred words over it."""
        return frozenset(chain.from_iterable(upward(self.left, word) for word in self.words))

    def meets(self, word: str) -> bool:
        """Tell whether `word` meets it (docs/terms.md §5.2)."""
        match self.operator:
            case "eq":
                return word in self.words
            case "neq":
                return word not in self.words
            case "isAllOf":
                return self.words <= upward(self.left, word)
            case "isNoneOf":
                return self.words.isdisjoint(upward(self.left, word))
        return not self.words.isdisjoint(upward(self.left, word))


@dataclass(frozen=True, eq=False, slots=True)
class SealedOperand:
    """An atomic constraint whose right operand is a commitment."""

    left: str
    operator: str
    document: Json = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class SealedConstraint:
    """A constraint that is a commitment altogether."""

    document: Json = field(repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Logical:
    """`and`, `or` or `xone` (exactly one) of constraints."""

    connective: str
    members: tuple[Constraint, ...]
    document: Json = field(repr=False)


Leaf: TypeAlias = Measure | Ordering | Membership | SealedOperand | SealedConstraint
Constraint: TypeAlias = Leaf | Logical


def apart(constraints: Sequence[Constraint]) -> Iterator[Constraint]:
    """Yield the constraints with every `and` taken apart into its members, recursively (docs/terms.md §6.2)."""
    for constraint in constraints:
        if isinstance(constraint, Logical) and constraint.connective == "and":
            yield from apart(constraint.members)
        else:
            yield constraint


def leaves(constraint: Constraint, pointer: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield every constraint in this one that is not logical, with its pointer, which begins with `pointer`."""
    if isinstance(constraint, Logical):
        for position, member in enumerate(constraint.members):
            yield from leaves(member, f"{pointer}/{constraint.connective}/{position}")
    else:
        yield pointer, constraint


def has_seal(constraint: Constraint) -> bool:
    """Tell whether the constraint, or anything in it, is sealed."""
    return any(isinstance(leaf, SealedOperand | SealedConstraint) for _, leaf in leaves(constraint))
