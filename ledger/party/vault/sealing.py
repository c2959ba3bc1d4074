"""Sealing: places of a statement replaced by commitments, and put back (docs/format.md §8, docs/statements.md §1.2).

The statement's nonce, its place and a fresh salt are hashed with each value, so that equal values never look equal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import nacl.utils

from ledger.core.commitment import SALT_BYTES, Place, commit, kind_at
from ledger.core.encoding import Json, b64encode
from ledger.core.errors import pointer as join
from ledger.party.errors import Unfit
from ledger.party.vault.disclosures import Disclosure


@dataclass(frozen=True)
class Opening:
    """What will open one commitment, before the statement that holds it has an id. `salt` is base64."""

    place: Place
    salt: str
    value: Json

    def disclosure(self, statement_id: str) -> Disclosure:
        """Return the disclosure, once the statement is made."""
        place = self.place
        return Disclosure(
            issuer=place.issuer,
            kind=kind_at(place.pointer),
            ledger=place.ledger,
            nonce=place.nonce,
            pointer=place.pointer,
            salt=self.salt,
            statement_id=statement_id,
            value=self.value,
        )


def fresh_salt() -> str:
    """Return base64 of 16 random bytes: a commitment without one could be opened by guessing."""
    return b64encode(nacl.utils.random(SALT_BYTES))


def seal_fields(statement: dict[str, Json], pointers: Collection[str]) -> tuple[dict[str, Json], tuple[Opening, ...]]:
    """Return the statement with each place of `pointers` (RFC 6901, any depth) sealed, and what opens them.

    Raises Unfit if there is nothing at a place, where one lies in another, or where it is sealed already. Whether
    the rules let a place be sealed shows when what comes back is parsed.
    """
    wanted = sorted(set(pointers))
    for outer in wanted:
        inside = [pointer for pointer in wanted if pointer.startswith(outer + "/")]
        if inside:
            raise Unfit(f"{inside[0]} lies in {outer}, which is sealed as a whole: name one of the two")
    sealed = deepcopy(statement)
    openings = []
    for pointer in wanted:
        holder, key = _find(sealed, pointer)
        value = holder[key]
        if is_sealed(value):
            raise Unfit(f"{pointer} is sealed already")
        place = Place(kind_at(pointer), statement["ledger"], statement["issuer"], statement["nonce"], pointer)
        opening = Opening(place, fresh_salt(), value)
        holder[key] = {"sealed": commit(place, opening.salt, value)}
        openings.append(opening)
    return sealed, tuple(openings)


def is_sealed(value: Json) -> bool:
    """Tell whether a JSON value has the form of a commitment."""
    return isinstance(value, dict) and value.keys() == {"sealed"}


def sealed_places(value: Json, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield pointer and commitment of every sealed place in a statement, in its order."""
    if is_sealed(value):
        yield at, value["sealed"]
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from sealed_places(item, at + join(name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from sealed_places(item, at + join(number))


def check_opens(statement: Json, statement_id: str, disclosures: Iterable[Disclosure]) -> None:
    """Raise Unfit unless each disclosure opens its place of this statement (docs/format.md §8.6)."""
    places = dict(sealed_places(statement))
    for item in disclosures:
        if item.statement_id != statement_id or places.get(item.pointer) != item.commitment:
            raise Unfit(f"what is disclosed of {item.pointer} does not open it")
        made = (statement.get("ledger"), statement.get("issuer"), statement.get("nonce"))
        if made != (item.ledger, item.issuer, item.nonce):
            raise Unfit(f"what is disclosed of {item.pointer} was sealed in another statement")


def open_fields(statement: Json, disclosures: Iterable[Disclosure]) -> Json:
    """Return the statement with the disclosed values of kind `field` in their places; they were checked before."""
    opened = deepcopy(statement)
    for item in disclosures:
        if item.kind == "field":
            holder, key = _find(opened, item.pointer)
            holder[key] = item.value
    return opened


def _find(document: Json, pointer: str) -> tuple[Json, str | int]:
    """Return the object or array that holds the place, and its name or position there; raise Unfit."""
    holder, value, key = document, document, ""
    if not pointer.startswith("/"):
        raise Unfit(f"{pointer!a} is not a pointer: write one like /title or /keywords/0")
    for step in pointer.split("/")[1:]:
        holder, key = value, step.replace("~1", "/").replace("~0", "~")
        position = _position(holder, key)
        if position is None:
            raise Unfit(f"there is nothing at {pointer} to seal")
        value = holder[position]
    position = _position(holder, key)
    if position is None:
        raise Unfit(f"there is nothing at {pointer} to seal")
    return holder, position


def _position(holder: Json, key: str) -> str | int | None:
    if isinstance(holder, dict):
        return key if key in holder else None
    if isinstance(holder, list) and key.isascii() and key.isdecimal() and str(int(key)) == key:
        return int(key) if int(key) < len(holder) else None
    return None
