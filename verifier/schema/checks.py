"""The strict checks that tables of fields are made of (docs/format.md §5, docs/statements.md §1.1, §1.2).

A check takes a value and raises `Fault` with a reason of §9.3. A missing
field goes before an unknown one, and both before a wrong value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from verifier.core.b64 import decode_base64
from verifier.core.ed25519 import is_strong
from verifier.core.jcs import MAX_INTEGER, Json
from verifier.core.keys import ED25519, KEY_BYTES, MLDSA44, PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable

    Checker = Callable[[Any], None]


MAX_NAME_CHARS = 128
MAX_KEYS = 8

LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_is_name = re.compile(rf"(?=.{{1,{MAX_NAME_CHARS}}}\Z){LABEL}(?:\.{LABEL})*").fullmatch
_is_hex32 = re.compile("[0-9a-f]{64}").fullmatch
_is_id = re.compile("sha256:[0-9a-f]{64}").fullmatch
_TOKEN = "[a-z0-9!#$&^_.+-]+"  # noqa: S105 (a grammar, not a secret)
_is_media_type = re.compile(rf"(?=.{{1,127}}\Z){_TOKEN}/{_TOKEN}").fullmatch


class Fault(Exception):
    """A value that its field cannot have."""

    def __init__(self, reason: str, field: str = "") -> None:
        self.reason = reason
        """A reason of docs/format.md §9.3."""
        self.field = field
        """JSON pointer of the place at fault, below the value that was checked."""
        super().__init__(reason)


def matching(match: Callable[[str], Any]) -> Checker:
    """Return the check of a string that a pattern matches."""

    def check(value: Json) -> None:
        if type(value) is not str:
            raise Fault("wrong-type")
        if not match(value):
            raise Fault("wrong-value")

    return check


def integer(least: int, greatest: int) -> Checker:
    """Return the check of an integer within these bounds."""

    def check(value: Json) -> None:
        if type(value) is not int:  # bool is an int to isinstance, not to the format
            raise Fault("wrong-type")
        if not least <= value <= greatest:
            raise Fault("wrong-value")

    return check


def boolean(value: Json) -> None:
    """Check *bool*."""
    if type(value) is not bool:
        raise Fault("wrong-type")


def _string(most: int, forbidden: str | None, value: Json, least: int = 1) -> None:
    if type(value) is not str:
        raise Fault("wrong-type")
    if not least <= len(value) <= most or (forbidden and forbidden in value):
        raise Fault("wrong-value")


def line(most: int) -> Checker:
    """Return the check of *line(most)*."""
    return partial(_string, most, "\n")


def text(most: int, least: int = 1) -> Checker:
    """Return the check of *text(most)*, or of a string that may be shorter."""
    return partial(_string, most, None, least=least)


def _one_of(words: frozenset[str], value: Json) -> None:
    if type(value) is not str:
        raise Fault("wrong-type")
    if value not in words:
        raise Fault("wrong-value")


def codes(*words: str) -> Checker:
    """Return the check of *codes(words)*: one of these strings."""
    return partial(_one_of, frozenset(words))


def _base64(least_bytes: int, most_bytes: int, value: Json) -> None:
    if type(value) is not str:
        raise Fault("wrong-type")
    decoded = decode_base64(value)
    if decoded is None:
        raise Fault("bad-base64")
    if not least_bytes <= len(decoded) <= most_bytes:
        raise Fault("wrong-value")


def base64(least_bytes: int, most_bytes: int) -> Checker:
    """Return the check of base64 of so many bytes."""
    return partial(_base64, least_bytes, most_bytes)


def _list(item: Checker, most: int, value: Json, least: int = 1) -> None:
    if type(value) is not list:
        raise Fault("wrong-type")
    if not least <= len(value) <= most:
        raise Fault("wrong-value")
    for position, member in enumerate(value):
        try:
            item(member)
        except Fault as fault:
            raise Fault(fault.reason, f"/{position}{fault.field}") from None


def list_of(item: Checker, most: int, least: int = 1) -> Checker:
    """Return the check of *list(most)*, no item of which may be sealed on its own."""
    return partial(_list, item, most, least=least)


def items(item: Checker, most: int) -> Checker:
    """Return the check of *list(most)* where it is marked †: each item may be sealed on its own."""
    return partial(_list, sealable(item), most)


def _ascending(item: Checker, most: int, value: Json) -> None:
    _list(item, most, value)
    if len(value) > 1 and any(left >= right for left, right in pairwise(value)):
        raise Fault("wrong-value")


def set_of(item: Checker, most: int) -> Checker:
    """Return the check of *set(most)*: strictly ascending, strings by code point."""
    return partial(_ascending, item, most)


def members(fields: dict[str, Checker], least: int = 0) -> Checker:
    """Return the check of an object with exactly these members, and at least `least` of them.

    Names are marked as in the tables of docs/statements.md: `?` is optional, `†` may be sealed.
    """
    table = {name.rstrip("?†"): sealable(checker) if "†" in name else checker for name, checker in fields.items()}
    optional = frozenset(name.rstrip("?†") for name in fields if "?" in name)

    def check(value: Json) -> None:
        if type(value) is not dict:
            raise Fault("wrong-type")
        if value.keys() != table.keys():
            if missing := table.keys() - value.keys() - optional:
                raise Fault("missing-field", f"/{min(missing)}")
            if unknown := value.keys() - table.keys():
                raise Fault("unknown-field", f"/{min(unknown)}")
            if len(value) < least:
                raise Fault("missing-field")
        name = ""
        try:
            for name, member in value.items():
                table[name](member)
        except Fault as fault:
            raise Fault(fault.reason, f"/{name}{fault.field}") from None

    return check


def sealable(checker: Checker) -> Checker:
    """Return the check of a place marked †: the value, or a commitment in its stead (docs/statements.md §1.2)."""

    def check(value: Json) -> None:
        if type(value) is dict and "sealed" in value:  # no object of the format has a member of that name of its own
            sealed(value)
        else:
            checker(value)

    return check


def key_of(value: dict[str, str]) -> PublicKey:
    """Return the key of a public key object that this module has checked."""
    return PublicKey(decode_base64(value["public_key"]) or b"", value["alg"])


def public_key(value: Json) -> None:
    """Check an Ed25519 public key (docs/format.md §3.1, §3.3)."""
    _short_key(value)
    if not is_strong(key_of(value).raw):
        raise Fault("weak-key")


def party_key(value: Json) -> None:
    """Check a public key of a party, as it is since version 5 of the rules (docs/format.md §3.1)."""
    is_lasting = type(value) is dict and value.get("alg") == MLDSA44
    (_lasting_key if is_lasting else public_key)(value)


def _key_object(algorithm: str) -> Checker:
    width = KEY_BYTES[algorithm]
    return members({"alg": codes(algorithm), "public_key": base64(width, width)})


name = matching(_is_name)
hex32 = matching(_is_hex32)
id_ = matching(_is_id)
media_type = matching(_is_media_type)
time = integer(0, MAX_INTEGER)
size = integer(0, MAX_INTEGER)
count = integer(1, MAX_INTEGER)
sealed = members({"sealed": hex32})
_short_key, _lasting_key = _key_object(ED25519), _key_object(MLDSA44)
public_keys = list_of(public_key, MAX_KEYS)


def up_to(most: int, item: Checker) -> Checker:
    """Return the check of an array of 0 … `most` items."""
    return list_of(item, most, least=0)


def either(decide: Callable[[dict[str, Any]], bool], true: Checker, false: Checker) -> Checker:
    """Return the check of an object that has one of two forms."""

    def check(value: Json) -> None:
        if type(value) is not dict:
            raise Fault("wrong-type")
        (true if decide(value) else false)(value)

    return check
