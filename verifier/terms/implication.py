"""Whether constraints imply another: what makes terms contradictory, or a sub-license wider (docs/terms.md §6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from verifier.terms.answers import NO, NOWHERE, YES, Answer, Places, Truth, all_of, any_of, known, unknown
from verifier.terms.comparison import compare
from verifier.terms.parsed import Atomic, Constraint, Logical, Sealed
from verifier.terms.vocabulary import BENEATH, NUMERIC, lineage

_SOME = BENEATH | {"isAnyOf"}
_BY_VALUE = frozenset({"eq", "neq", "isAnyOf", "isAllOf", "isNoneOf"})


class Listed(NamedTuple):
    """A rule's constraints, and the entry that they stand in."""

    entry: int
    constraints: Sequence[Constraint]


def opened_places(index: int, constraint: Constraint) -> Places:
    """Return the opened places that a constraint was read from."""
    return NOWHERE if isinstance(constraint, Sealed) else frozenset((index, where) for where in constraint.opened)


def _all_opened_places(index: int, constraint: Constraint) -> Places:
    """Return the opened places that a constraint and its members were read from."""
    members = constraint.members if isinstance(constraint, Logical) else ()
    return opened_places(index, constraint).union(*[_all_opened_places(index, member) for member in members])


def _as_sealed(constraint: Constraint) -> Constraint:
    """Return a constraint as it stands for somebody to whom nothing was disclosed."""
    if isinstance(constraint, Sealed) or constraint.pointer in constraint.opened:
        return Sealed(constraint.pointer)
    if isinstance(constraint, Logical):
        return replace(constraint, members=tuple(map(_as_sealed, constraint.members)))
    return replace(constraint, values=None) if constraint.place in constraint.opened else constraint


def has_seal(constraint: Constraint) -> bool:
    """Tell whether a commitment that nobody opened stands anywhere in a constraint."""
    if isinstance(constraint, Logical):
        return any(has_seal(member) for member in constraint.members)
    return isinstance(constraint, Sealed) or constraint.values is None


def sealed_places(index: int, constraint: Constraint) -> Places:
    """Return the places in a constraint that hold a commitment which nobody opened."""
    if isinstance(constraint, Logical):
        return frozenset().union(*[sealed_places(index, member) for member in constraint.members])
    if isinstance(constraint, Sealed):
        return frozenset({(index, constraint.pointer)})
    return frozenset({(index, constraint.place)}) if constraint.values is None else frozenset()


def _flatten(constraints: Iterable[Constraint]) -> list[Constraint]:
    """Take the `and`s of a list apart."""
    units: list[Constraint] = []
    for constraint in constraints:
        if isinstance(constraint, Logical) and constraint.operator == "and":
            units += _flatten(constraint.members)
        else:
            units.append(constraint)
    return units


def implies(premises: Listed, conclusion: Constraint, index: int) -> Answer:
    """Tell whether all of `premises` together imply `conclusion`, which stands in entry `index`."""
    entry, constraints = premises
    answer = _Implication(entry, index).of_list(_flatten(constraints), conclusion)
    if answer.truth is Truth.UNKNOWN:
        sealed = [sealed_places(entry, constraint) for constraint in constraints]
        return answer._replace(places=sealed_places(index, conclusion).union(*sealed))  # §5.5: any of them may tell
    opened = [_all_opened_places(entry, constraint) for constraint in constraints]
    rests_on = _all_opened_places(index, conclusion).union(*opened)
    if not rests_on:
        return answer
    before = _Implication(entry, index).of_list(_flatten(map(_as_sealed, constraints)), _as_sealed(conclusion))
    return answer if before.truth is answer.truth else answer.resting_on(rests_on)


class _Implication:
    """One question. It remembers its parts, which nested `or`s would else ask again and again."""

    def __init__(self, at_premises: int, at_conclusion: int) -> None:
        self.at_premises, self.at_conclusion = at_premises, at_conclusion
        self.known: dict[tuple[int, int], Answer] = {}
        """By the identities of list and conclusion, both of which outlive this object."""
        self.alternatives: dict[int, list[Constraint]] = {}
        """A member of an `or`, by its identity, as a list of its own."""

    def of_list(self, units: list[Constraint], conclusion: Constraint) -> Answer:
        key = id(units), id(conclusion)
        if key not in self.known:
            self.known[key] = self._of_list(units, conclusion)
        return self.known[key]

    def _of_list(self, units: list[Constraint], conclusion: Constraint) -> Answer:
        if isinstance(conclusion, Sealed):
            return unknown((self.at_conclusion, conclusion.pointer))
        answers: list[Answer] = []
        if isinstance(conclusion, Atomic) and conclusion.values is None:
            answers.append(unknown((self.at_conclusion, conclusion.place)))
        if isinstance(conclusion, Logical) and conclusion.operator == "xone" and has_seal(conclusion):
            answers.append(Answer(Truth.UNKNOWN))
        for unit in units:
            answers.append(self._of_unit(unit, conclusion))
            if answers[-1] == YES:
                return YES
        if isinstance(conclusion, Logical) and conclusion.operator != "xone":
            parts = [self.of_list(units, member) for member in conclusion.members]
            answers.append(all_of(parts) if conclusion.operator == "and" else any_of(parts))
        return any_of(answers)

    def _of_unit(self, unit: Constraint, conclusion: Atomic | Logical) -> Answer:  # noqa: PLR0911 (a case each)
        if isinstance(unit, Sealed):
            return unknown((self.at_premises, unit.pointer))
        if unit.raw == conclusion.raw and not has_seal(unit) and not has_seal(conclusion):
            return YES
        if isinstance(unit, Logical) and unit.operator == "or":
            return self._of_alternatives(unit, conclusion)
        if isinstance(unit, Logical):  # an `xone` implies itself alone; with a seal in it, it may be the same
            is_other = not isinstance(conclusion, Logical) or conclusion.operator != "xone"
            is_open = not has_seal(unit) and not has_seal(conclusion)
            return NO if is_other or is_open else Answer(Truth.UNKNOWN)
        if not isinstance(conclusion, Atomic) or unit.operand != conclusion.operand:
            return NO
        if unit.values is None:
            return unknown((self.at_premises, unit.place))
        if conclusion.values is None:
            return NO  # unknown already, for every unit
        return known(is_true=_is_implied(unit, conclusion))

    def _of_alternatives(self, disjunction: Logical, conclusion: Atomic | Logical) -> Answer:
        answers = []
        for member in disjunction.members:
            units = self.alternatives.setdefault(id(member), _flatten([member]))
            answers.append(self.of_list(units, conclusion))
        return all_of(answers)


def _is_implied(premise: Atomic, conclusion: Atomic) -> bool:
    """Tell whether one comparison implies another of the same left operand; both are open."""
    if premise.operand in NUMERIC:
        return _is_implied_number(premise, conclusion)
    if premise.operand == "version":
        if premise.operator not in ("eq", "isAnyOf") or conclusion.operator not in _BY_VALUE:
            return False
        return all(
            compare("version", conclusion.operator, value, conclusion.values or ()) for value in premise.values or ()
        )
    return _is_implied_word(premise, conclusion)


def _is_implied_number(premise: Atomic, conclusion: Atomic) -> bool:
    """Every integer that meets the one meets the other."""
    if premise.operator == "neq":
        return conclusion.operator == "neq" and premise.values == conclusion.values
    least, most = interval(premise)
    if conclusion.operator == "neq":
        excluded = _integer(conclusion)
        return (least is not None and excluded < least) or (most is not None and excluded > most)
    low, high = interval(conclusion)
    return (low is None or (least is not None and low <= least)) and (
        high is None or (most is not None and most <= high)
    )


def _integer(constraint: Atomic) -> int:
    [value] = constraint.values or ()
    return int(value)


def interval(constraint: Atomic) -> tuple[int | None, int | None]:
    """Return the least and the greatest integer that meet a numeric comparison other than `neq`; None: no bound."""
    value = _integer(constraint)
    match constraint.operator:
        case "eq":
            return value, value
        case "lt":
            return None, value - 1
        case "lteq":
            return None, value
        case "gt":
            return value + 1, None
        case _:
            return value, None


def _words(constraint: Atomic) -> frozenset[str]:
    return frozenset(str(value) for value in constraint.values or ())


def _is_implied_word(premise: Atomic, conclusion: Atomic) -> bool:  # noqa: C901, PLR0911, PLR0912 (a cell of the table each)
    """Read the table of §6.2: x ≤ y is "y is in the lineage of x"."""
    operand, left, right = premise.operand, _words(premise), _words(conclusion)
    above = {word: lineage(operand, word) for word in left | right}
    operator = "isAnyOf" if conclusion.operator in BENEATH else conclusion.operator
    if premise.operator == "eq":
        [word] = left
        return compare(operand, operator, word, tuple(right))
    if operator == "eq":
        return False
    if premise.operator in _SOME:
        match operator:
            case "isAnyOf":
                return all(above[word] & right for word in left)
            case "isAllOf":
                return all(right <= above[word] for word in left)
            case "neq":
                return not any(above[word] & left for word in right)
            case _:
                return not any(above[word] & right for word in left) and not any(above[word] & left for word in right)
    if premise.operator == "isAllOf":
        match operator:
            case "isAnyOf":
                return any(above[word] & right for word in left)
            case "isAllOf":
                return right <= frozenset().union(*[above[word] for word in left])
            case "neq":
                return not all(left <= above[word] for word in right)
            case _:
                return all(any(r not in above[s] and s not in above[r] for r in left) for s in right)
    if operator == "neq":
        return left == right if premise.operator == "neq" else all(above[word] & left for word in right)
    return operator == premise.operator == "isNoneOf" and all(above[word] & left for word in right)
