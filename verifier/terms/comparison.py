"""One comparison of a value with a right operand, both known (docs/terms.md §5.2)."""

from __future__ import annotations

from verifier.terms.answers import Truth
from verifier.terms.form import parse_version
from verifier.terms.vocabulary import lineage


def _is_ordered(operator: str, left: tuple[int, ...] | int, right: tuple[int, ...] | int) -> bool:
    order = (left > right) - (left < right)  # type: ignore[operator]  # two of a kind
    return {"lt": order < 0, "lteq": order <= 0, "gt": order > 0, "gteq": order >= 0}[operator]


def compare(operand: str, operator: str, value: str | int, values: tuple[str | int, ...]) -> bool:
    """Tell whether `value` meets the comparison with `values`, the right operand as a row."""
    if operator == "eq":
        return value == values[0]
    if operator == "neq":
        return value != values[0]
    if isinstance(value, int):
        return _is_ordered(operator, value, int(values[0]))
    if operator in ("lt", "lteq", "gt", "gteq"):
        left, right = parse_version(value), parse_version(str(values[0]))
        return left is not None and right is not None and _is_ordered(operator, left, right)
    above = lineage(operand, value)
    if operator == "isAllOf":
        return above.issuperset(map(str, values))
    is_beneath_one = not above.isdisjoint(map(str, values))
    return not is_beneath_one if operator == "isNoneOf" else is_beneath_one


def compare_sum(operator: str, least: int, bound: int) -> Truth:
    """Compare a sum that is known to be at least `least` with `bound`."""
    match operator:
        case "lt":
            return Truth.FALSE if least >= bound else Truth.UNKNOWN
        case "lteq" | "eq":
            return Truth.FALSE if least > bound else Truth.UNKNOWN
        case "gt" | "neq":
            return Truth.TRUE if least > bound else Truth.UNKNOWN
        case _:
            return Truth.TRUE if least >= bound else Truth.UNKNOWN
