"""Typed columns as text, *by value* (docs/format.md §15.3): equal values, equal texts, whatever file they come from."""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.core.encoding import Json
from ledger.party.dataset.reading.cells import canonical_text, encode_value
from ledger.party.dataset.reading.decimals import MAX_DECIMAL, exact_decimal
from ledger.party.dataset.reading.errors import NotReadable
from ledger.party.dataset.reading.jsonlines import MAX_NESTED
from ledger.party.dataset.reading.rows import TEXT, map_values

_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_YEAR = r"^(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])-"


def text_column(column: pa.Array) -> pa.Array:
    """Return a column of any type as one of TEXT; strings are as they were, not canonical yet.

    Raises NotReadable for a value, or a type, that has no canonical form.
    """
    column = _plain(column)
    if _is_nested(column.type):
        values = [None if value is None else encode_value(value) for value in _members(column, 1)]
        return pa.array(values, TEXT)
    return _scalars(column)


def _plain(column: pa.Array) -> pa.Array:
    """Return a column without what only changes how it is stored."""
    while True:
        kind = column.type
        if isinstance(kind, pa.BaseExtensionType):
            column = column.storage
        elif pa.types.is_dictionary(kind):
            column = column.dictionary_decode()
        elif pa.types.is_run_end_encoded(kind):
            column = pc.run_end_decode(column)
        else:
            return column


def _scalars(column: pa.Array) -> pa.Array:  # noqa: C901, PLR0911 - one table from types to texts
    kind, types = column.type, pa.types
    if types.is_null(kind):
        return pa.nulls(len(column), TEXT)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _checked(column.cast(TEXT))
    if types.is_boolean(kind) or types.is_integer(kind):
        return column.cast(TEXT)
    if types.is_float16(kind):
        return _half(column)
    if types.is_floating(kind) or types.is_decimal(kind):
        return map_values(column.cast(TEXT), _number)
    if types.is_date(kind):
        return _with_years(column.cast(pa.date32()).cast(TEXT))
    if types.is_time(kind):
        return _without_zeros(column.cast(TEXT))
    if types.is_timestamp(kind):
        return _timestamps(column)
    if types.is_duration(kind):
        return column.cast(pa.int64()).cast(TEXT)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind) or _is_view(kind):
        encoded = [None if value is None else base64.b64encode(value).decode() for value in column.to_pylist()]
        return pa.array(encoded, TEXT)
    raise NotReadable(f"values of type {kind} have no canonical form")


def _checked(column: pa.Array) -> pa.Array:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise NotReadable(f"a string is not UTF-8: {error}") from error
    return column


def _number(text: str) -> str:
    if text in _WORDS:
        return _WORDS[text]
    number = exact_decimal(text)
    if number is None:
        raise NotReadable(f"a number has more than {MAX_DECIMAL} characters")
    return number


def _half(column: pa.Array) -> pa.Array:
    """Return 16-bit floats by the shortest decimal that reads back as that float: Arrow would print wider ones."""
    return pa.array([None if value is None else _shortest(np.float16(value)) for value in column.to_pylist()], TEXT)


def _shortest(value: np.float16) -> str:
    if not np.isfinite(value):
        return _WORDS[str(value)]
    return _number(np.format_float_positional(value, unique=True, trim="-"))


def _timestamps(column: pa.Array) -> pa.Array:
    kind = column.type
    local = column.cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit)) if kind.tz else column
    text = pc.replace_substring(_without_zeros(_with_years(local.cast(TEXT))), " ", "T", max_replacements=1)
    return pc.binary_join_element_wise(text, pa.scalar("Z", TEXT), pa.scalar("", TEXT)) if kind.tz else text


def _with_years(column: pa.Array) -> pa.Array:
    if not pc.all(pc.match_substring_regex(column, _YEAR), min_count=0).as_py():
        raise NotReadable("a year is outside 1 to 9999")
    return column


def _without_zeros(column: pa.Array) -> pa.Array:
    """Return times without the zeros that end their fractions."""
    return pc.replace_substring_regex(column, r"\.?0*$", "") if _has_fraction(column) else column


def _has_fraction(column: pa.Array) -> bool:
    # The unit of a column decides how many digits every fraction in it has.
    return bool(pc.any(pc.match_substring(column, "."), min_count=0).as_py())


def _is_nested(kind: pa.DataType) -> bool:
    return _is_list(kind) or pa.types.is_struct(kind) or pa.types.is_map(kind)


def _is_list(kind: pa.DataType) -> bool:
    tests: tuple[Callable[[pa.DataType], bool], ...] = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(kind) for test in tests)


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary_view(kind))


def _members(column: pa.Array, depth: int) -> list[Json]:
    """Return a column's values with every scalar in them as its canonical text."""
    column = _plain(column)
    kind = column.type
    if not _is_nested(kind):
        return [None if value is None else canonical_text(value) for value in _scalars(column).to_pylist()]
    if depth > MAX_NESTED:
        raise NotReadable(f"values nest deeper than {MAX_NESTED}")
    if pa.types.is_struct(kind):
        return _objects(column, depth)
    if pa.types.is_map(kind):
        keys, values = _members(column.keys, depth + 2), _members(column.items, depth + 2)
        items: list[Json] = [{"key": key, "value": value} for key, value in zip(keys, values, strict=True)]
        start = column.offsets[0].as_py() if len(column) else 0
        return _cut(items, column, start)
    flat = column.flatten()
    lengths = [length or 0 for length in pc.list_value_length(column).to_pylist()]
    return _lists(_members(flat, depth + 1), lengths, column)


def _objects(column: pa.StructArray, depth: int) -> list[Json]:
    names = [canonical_text(field.name) for field in column.type]
    if len(set(names)) != len(names):
        raise NotReadable("two members of an object have the same name")
    members = [_members(member, depth + 1) for member in column.flatten()]
    rows = zip(*members, strict=True) if members else [()] * len(column)
    whole = [dict(zip(names, row, strict=True)) for row in rows]
    return [value if is_there else None for value, is_there in zip(whole, column.is_valid().to_pylist(), strict=True)]


def _lists(items: list[Json], lengths: list[int], column: pa.Array) -> list[Json]:
    values: list[Json] = []
    place = 0
    for length, is_there in zip(lengths, column.is_valid().to_pylist(), strict=True):
        values.append(items[place : place + length] if is_there else None)
        place += length
    return values


def _cut(items: list[Json], column: pa.MapArray, start: int) -> list[Json]:
    ends = [offset - start for offset in column.offsets.to_pylist()]
    there = column.is_valid().to_pylist()
    return [items[ends[n] : ends[n + 1]] if is_there else None for n, is_there in enumerate(there)]
