"""Disclosures: what opens sealed places, handed to this verifier in files (docs/format.md §8.4 to §8.6).

A disclosure proves itself: it opens the commitment that its issuer signed, or it is false. One that is false is a
failure of this verification, whoever made the file; a file that cannot be read is a mistake of the user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from verifier.core.b64 import decode_base64
from verifier.core.checks import Check, Doubt, Failure
from verifier.core.errors import MalformedInput
from verifier.core.jcs import Json, format_canonical, parse_canonical
from verifier.sealed.values import is_coin, is_content, is_marks, is_pool

FILE_TYPE = "provenance-ledger.disclosures/v1"
TYPE = "provenance-ledger.disclosure/v1"
MAX_FILE_BYTES = 1 << 26
MAX_DISCLOSURES = 10_000
_SALT_BYTES = 16
_WHAT = "disclosures file"
_MEMBERS = {"issuer", "kind", "ledger", "nonce", "pointer", "salt", "statement_id", "type", "value"}
_is_id = re.compile("sha256:[0-9a-f]{64}").fullmatch


class Disclosure(NamedTuple):
    """One value, and what it takes to open the place that it was sealed at."""

    ledger: str
    statement_id: str
    issuer: str
    nonce: str
    kind: str
    """`field`, or what else a place is for: `coin`, `content`, `marks`, `pool`."""
    pointer: str
    salt: str
    value: Json

    def commitment(self) -> str:
        """Return what stands at the place if the disclosure is true (docs/format.md §8.1)."""
        kind = f"provenance-ledger/{self.kind}/v1"
        sealed = [kind, self.ledger, self.issuer, self.nonce, self.pointer, self.salt, self.value]
        return sha256(format_canonical(sealed)).hexdigest()


@dataclass(slots=True)
class Disclosures:
    """Everything that was disclosed to this verifier, by the statement that it opens places in."""

    by_statement: dict[bytes, dict[str, Disclosure]] = field(default_factory=dict)
    """Statement id to disclosures, by the commitment that each of them opens."""
    made_for: list[str] = field(default_factory=list)
    """Whom the files say they were made for."""

    def add(self, raw: bytes) -> None:
        """Take a file; a disclosure that is here already counts once.

        Raises `MalformedInput`.
        """
        listed, made_for = parse_disclosures(raw)
        for item in listed:
            self.by_statement.setdefault(bytes.fromhex(item.statement_id[7:]), {})[item.commitment()] = item
        if made_for:
            self.made_for.append(made_for)


class OpenedPlace(NamedTuple):
    """A place that was sealed and that a disclosure opened."""

    pointer: str
    commitment: str
    """What stands there: with the statement's id, it finds the disclosure in `Disclosures.by_statement`."""


class Opening(NamedTuple):
    """A statement's fields with what was disclosed of them in place."""

    fields: dict[str, Any]
    opened: tuple[OpenedPlace, ...]
    """Ascending by pointer."""
    faults: tuple[tuple[str, str], ...]
    """Reason (`disclosure-mismatch`, `disclosure-malformed`) and pointer of what opens nothing."""


def parse_disclosures(raw: bytes) -> tuple[list[Disclosure], str]:
    """Return the disclosures of a file, and whom it is for (empty: it does not say).

    Raises `MalformedInput` for bytes that are not such a file.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise MalformedInput(_WHAT, "too-large", f"{len(raw)} bytes")
    if not raw.endswith(b"\n"):
        raise MalformedInput(_WHAT, "malformed", "it does not end with a line feed")
    value = parse_canonical(raw[:-1], _WHAT)
    if type(value) is not dict or value.get("type") != FILE_TYPE:
        raise MalformedInput(_WHAT, "malformed", f"not of type {FILE_TYPE}")
    listed: Json = value.get("disclosures")
    made_for: Json = value.get("for", "")
    is_whole = value.keys() - {"for"} == {"disclosures", "type"} and type(listed) is list and type(made_for) is str
    is_line = "for" not in value or (is_whole and 1 <= len(made_for) <= 300 and "\n" not in made_for)
    if not is_whole or not is_line or not 1 <= len(listed) <= MAX_DISCLOSURES:
        raise MalformedInput(_WHAT, "malformed", "its members")
    disclosures = [_parse_disclosure(item, position) for position, item in enumerate(listed)]
    if len({(item.statement_id, item.pointer) for item in disclosures}) != len(disclosures):
        raise MalformedInput(_WHAT, "malformed", "a place is disclosed twice")
    return disclosures, made_for


def _parse_disclosure(item: Json, position: int) -> Disclosure:
    where = f"/disclosures/{position}"
    if type(item) is not dict or item.keys() != _MEMBERS:
        raise MalformedInput(_WHAT, "malformed", where)
    texts = [item[name] for name in _MEMBERS - {"value"}]
    if any(type(text) is not str for text in texts) or item["type"] != TYPE or item["kind"] not in _KINDS:
        raise MalformedInput(_WHAT, "malformed", where)
    salt = decode_base64(item["salt"])
    if not _is_id(item["ledger"]) or not _is_id(item["statement_id"]) or salt is None or len(salt) != _SALT_BYTES:
        raise MalformedInput(_WHAT, "malformed", where)
    return Disclosure(
        item["ledger"], item["statement_id"], item["issuer"], item["nonce"], item["kind"], item["pointer"],
        item["salt"], item["value"],
    )  # fmt: skip


def open_fields(
    fields: dict[str, Any],
    statement_id: bytes,
    disclosures: Disclosures,
    verify: Callable[[dict[str, Any]], None],
) -> Opening:
    """Put what is disclosed of a checked statement in the place of its commitments.

    `fields` is the whole statement as parsed, common fields and all; it is changed in place. `verify` raises
    `MalformedInput` if fields are not those of a statement of its type and version. What a commitment of another kind
    than `field` sealed is checked and marked as opened, and stays as it is. Terms that show themselves to be
    contradictory once they are opened are still of their type.
    """
    opened: dict[str, OpenedPlace] = {}
    faults: list[tuple[str, str]] = []
    items = disclosures.by_statement.get(statement_id, {})
    for commitment, item in sorted(items.items(), key=lambda named: named[1].pointer):
        if item.ledger != fields.get("ledger"):
            continue  # said once for all of them, by `verify_disclosures`
        reason = _open(fields, item, commitment, verify)
        if not reason:
            opened[item.pointer] = OpenedPlace(item.pointer, commitment)
        else:
            faults.append((reason, item.pointer))
    return Opening(fields, tuple(opened.values()), tuple(faults))


def _open(fields: dict[str, Any], item: Disclosure, commitment: str, verify: Callable[[dict[str, Any]], None]) -> str:
    """Open one place; return why that failed, empty if it did not."""
    holder, name = _resolve(fields, item.pointer)
    sealed = holder[name] if holder is not None else None
    if (item.issuer, item.nonce) != (fields["issuer"], fields["nonce"]) or sealed != {"sealed": commitment}:
        return "disclosure-mismatch"
    kind, is_whole = _KINDS_AT.get(item.pointer, ("field", _holds_no_seal))
    if item.kind != kind or not is_whole(item.value):
        return "disclosure-malformed"
    if kind != "field":
        return ""
    holder[name] = item.value
    try:
        verify(fields)
    except MalformedInput as error:
        if error.reason != "contradictory-terms":
            holder[name] = sealed
            return "disclosure-malformed"
    return ""


def _resolve(fields: dict[str, Any], pointer: str) -> tuple[Any, Any]:
    """Return what holds the place of an RFC 6901 pointer, and its name there; None if there is no such place."""
    if not pointer.startswith("/"):
        return None, None
    holder: Any = None
    place: Any = fields
    name: Any = None
    for token in pointer[1:].split("/"):
        holder, name = place, token.replace("~1", "/").replace("~0", "~")
        if type(holder) is list:
            if not re.fullmatch("0|[1-9][0-9]{0,5}", token) or int(token) >= len(holder):
                return None, None
            name = int(token)
        elif type(holder) is not dict or name not in holder:
            return None, None
        place = holder[name]
    return holder, name


def _holds_no_seal(value: Json) -> bool:
    """Tell whether nothing is sealed in a value: what is sealed is not sealed again."""
    return not _holds_seal(value)


def _holds_seal(value: Json) -> bool:
    if type(value) is list:
        return any(map(_holds_seal, value))
    return type(value) is dict and (value.keys() == {"sealed"} or any(map(_holds_seal, value.values())))


COIN_KIND, COIN_PLACE, POOL_PLACE = "coin", "/coin", "/seal"
"""The coin and the pool of a `transfer.prepared`, the one type that seals anything there (docs/format.md §8.10)."""
_KINDS = frozenset({"content", "field", "marks", "pool", COIN_KIND})
_KINDS_AT: dict[str, tuple[str, Callable[[Json], bool]]] = {
    "/content": ("content", is_content),
    "/marks/seal": ("marks", is_marks),
    COIN_PLACE: (COIN_KIND, is_coin),
    POOL_PLACE: ("pool", is_pool),
}
"""The places that take another kind than `field`, and whether a value is what is sealed there."""


def verify_disclosures(
    disclosures: Disclosures, ledger: bytes | None, recorded: Iterable[bytes], *, is_complete: bool
) -> tuple[list[Failure], list[Doubt]]:
    """Return what is false about disclosures that no statement was met for, and what is not known of them.

    `recorded` are the ids of the accepted statements; `is_complete` tells that they are those of the whole log.
    """
    failures: list[Failure] = []
    doubts: list[Doubt] = []
    if ledger is None:
        return [], [Doubt(Check.DISCLOSURE, "no-ledger", where="nothing could be opened")]
    known, own = recorded if isinstance(recorded, set | frozenset) else set(recorded), f"sha256:{ledger.hex()}"
    for statement_id, items in disclosures.by_statement.items():
        for item in items.values():
            where = f"{item.statement_id} {item.pointer}"
            if item.ledger != own:
                failures.append(Failure(Check.DISCLOSURE, "disclosure-other-ledger", None, where, own, item.ledger))
            elif statement_id not in known and is_complete:
                failures.append(Failure(Check.DISCLOSURE, "disclosure-unknown-statement", None, where))
            elif statement_id not in known:
                doubts.append(Doubt(Check.DISCLOSURE, "statement-not-seen", where=where))
    return failures, doubts
