"""What a listing says and DCAT has no word for, under names of our own, so that an export can be read back."""

from __future__ import annotations

from ledger.core.encoding import Json
from ledger.party.interop.contexts import LEDGER
from ledger.party.interop.fitting import ListingDraft
from ledger.party.interop.jsonld import Literal, Node
from ledger.party.interop.values import moment_ms
from ledger.party.interop.words import format_ms
from ledger.party.text import MAX_TIME_MS

OWN = LEDGER + "vocabulary#"
PREFIX = "pl"
"""Of `OWN`, in what we write."""

SEALED = "Sealed"
_TIMES = {"as_of_ms": "asOf", "retrieved_ms": "retrieved"}


def write_own(value: Json) -> Json:
    """Return an object of a listing with its members under our names; times as xsd:dateTime, seals as seals."""
    if isinstance(value, dict):
        if value.keys() == {"sealed"}:
            return {"@type": f"{PREFIX}:{SEALED}", f"{PREFIX}:commitment": value["sealed"]}
        return {
            f"{PREFIX}:{_TIMES[name]}": time_value(item) if isinstance(item, int) else write_own(item)
            for name, item in value.items()
            if name in _TIMES
        } | {f"{PREFIX}:{name}": write_own(item) for name, item in value.items() if name not in _TIMES}
    if isinstance(value, list):
        return {"@list": [write_own(item) for item in value]}
    return value


def time_value(time_ms: int) -> dict[str, Json]:
    """Return a time in Unix milliseconds as a typed JSON-LD value; past the year 9999 as words."""
    return {"@type": "xsd:dateTime" if time_ms <= MAX_TIME_MS else "xsd:string", "@value": format_ms(time_ms)}


def read_own(draft: ListingDraft, field: str, node: Node) -> None:
    """Read what `write_own` wrote; seals cannot be taken over, they are of the statement that they stand in."""
    names = {own: name for name, own in _TIMES.items()}
    for iri, items in node.properties.items():
        spelt, member = node.names[iri], iri.removeprefix(OWN)
        if not iri.startswith(OWN) or not all(isinstance(item, Literal) for item in items) or not items:
            why = "sealed in another statement" if any(is_sealed(item) for item in items) else "no such member"
            draft.leave(items[0].pointer if items else node.pointer, spelt, why)
            continue
        values: list[Json] = [item.value for item in items if isinstance(item, Literal)]
        if member in names:
            try:
                draft.put_in(field, names[member], moment_ms(str(values[0])), items[0].pointer, spelt)
            except ValueError as error:
                draft.leave(items[0].pointer, spelt, str(error))
        else:
            value = values if member in _LISTS else values[0]
            draft.put_in(field, member, value, items[0].pointer, spelt)


def is_sealed(item: object) -> bool:
    """Tell whether a value is what an export writes for a sealed place."""
    return isinstance(item, Node) and OWN + SEALED in item.types


_LISTS = frozenset(
    {"intended_purpose", "processing_excluded", "processing_included", "storage_allowed", "storage_forbidden"}
)
