"""Forms with check digits that the identifiers of a column have, so that drawn ones have them too (docs/marks.md §8).

python-stdnum knows some two hundred: IBAN, ISBN, EAN, Luhn, tax and identity numbers of many countries. Which of them a
column has is not asked of anybody: nearly all its cells are valid. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from stdnum import iban, luhn
from stdnum.util import get_number_modules

from ledger.party.marks.scales import NEARLY

_FEW, _MANY = 20, 400
_RARELY = 0.3
_DIGITS = "0123456789"
_VIN = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_CHECK = 8
_SHORTEST = 8


class Form(NamedTuple):
    """One form: whether a text has it, and where its check digits are: from the right, if less than 0."""

    is_valid: Callable[[str], bool]
    checks: tuple[int, ...]


def forms_of(cells: Sequence[str]) -> list[Form]:
    """Return the forms that nearly all of these cells have."""
    few, many = cells[:_FEW], cells[:_MANY]
    if not few or not all(any(map(str.isdigit, cell)) for cell in few):
        return []
    near = [form for form in _known() if all(map(form.is_valid, few))]
    return [form for form in near if _checks(form, few) and sum(map(form.is_valid, many)) >= NEARLY * len(many)]


def mended(text: str, forms: Sequence[Form]) -> str | None:
    """Return the text with check digits that make it valid in all the forms; None where none do."""
    if all(form.is_valid(text) for form in forms):
        return text
    places = [place for place, character in enumerate(text) if character.isalnum()]
    if any(form.is_valid is iban.is_valid for form in forms):
        first, second = places[2:4]
        check = iban.calc_check_digits("".join(text[place] for place in places))
        text = text[:first] + check[0] + text[first + 1 : second] + check[1] + text[second + 1 :]
        return text if all(form.is_valid(text) for form in forms) else None
    for checks in dict.fromkeys([*(form.checks for form in forms), (-1,), (-2, -1)]):
        for digits in product(f"{_DIGITS}X", repeat=len(checks)) if len(places) > _SHORTEST else ():
            letters = list(text)
            for at, digit in zip(checks, digits, strict=True):
                letters[places[at]] = digit
            other = "".join(letters)
            if all(form.is_valid(other) for form in forms):
                return other
    return None


def _checks(form: Form, cells: Sequence[str]) -> bool:
    """Tell whether a form has check digits: with another digit in one place, hardly any of its texts is valid."""
    others = [
        cell[:place] + other + cell[place + 1 :]
        for cell in cells
        for place in [max(place for place, one in enumerate(cell) if one.isdigit())]
        for other in _DIGITS
        if other != cell[place]
    ]
    return sum(map(form.is_valid, others)) <= _RARELY * len(others)


@cache
def _known() -> tuple[Form, ...]:
    modules = {module.is_valid: None for module in get_number_modules()} | {luhn.is_valid: None}
    forms = [Form(is_valid, (-1,)) for is_valid in modules]
    return (*forms, Form(_is_vin, (_VIN_CHECK,)))


def _is_vin(text: str) -> bool:
    """Tell whether a vehicle's number has the check digit of 49 CFR 565.15 (North America, China)."""
    if len(text) != len(_VIN_WEIGHTS) or any(character not in _VIN for character in text.upper()):
        return False
    rest = sum(weight * _VIN[character] for weight, character in zip(_VIN_WEIGHTS, text.upper(), strict=True)) % 11
    return text[_VIN_CHECK].upper() == "0123456789X"[rest]
