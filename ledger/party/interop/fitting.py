"""From what a catalogue says to the fields of `listing.registered` (docs/statements.md §3), and what did not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.party.interop.foreign import Left
from ledger.statements.listing import DESCRIPTION
from ledger.statements.parse import read_statement

FIELDS = DESCRIPTION - {"content"}
"""What an import can fill; the content is sealed from the files themselves."""

_KIND = "listing.registered"
_ZEROS = "0" * 64
_FRAME: dict[str, Json] = {
    "content": {"sealed": _ZEROS},
    "issued_ms": 0,
    "issuer": "issuer",
    "ledger": f"sha256:{_ZEROS}",
    "nonce": "AAAAAAAAAAAAAAAAAAAAAA==",
    "not_after_ms": 0,
    "signers": [_ZEROS],
    "title": "title",
    "type": _KIND,
}
_MAX_BYTES = 30_000  # of 32,768: the frame has room beside it


@dataclass
class ListingDraft:
    """Fields under way; `origins` maps a pointer in them to its place and name in the document."""

    fields: dict[str, Any] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    origins: dict[str, tuple[str, str]] = field(default_factory=dict)

    def put(self, name: str, value: Json, pointer: str, spelt: str = "") -> None:
        """Set a field, once: another value for it is left out."""
        if name in self.fields:
            self.left.append(Left(pointer, spelt or name, f"a second value for {name}: {str(value)[:100]}"))
            return
        self.fields[name] = value
        self.origins[f"/{name}"] = (pointer, spelt or name)

    def put_in(self, name: str, member: str, value: Json, pointer: str, spelt: str) -> None:
        """Set a member of an object, once."""
        holder = self.fields.setdefault(name, {})
        if holder.setdefault(member, value) != value:
            self.left.append(Left(pointer, spelt, f"a second value for {name}/{member}: {str(value)[:100]}"))
        self.origins.setdefault(f"/{name}/{member}", (pointer, spelt))

    def add(self, name: str, value: Json, pointer: str, spelt: str = "") -> None:
        """Append to a list, unless it has the value already."""
        values = self.fields.setdefault(name, [])
        if value not in values:
            self.origins.setdefault(f"/{name}", (pointer, spelt or name))
            self.origins[f"/{name}/{len(values)}"] = (pointer, spelt or name)
            values.append(value)

    def leave(self, pointer: str, name: str, why: str) -> None:
        """Report a value that is left out."""
        self.left.append(Left(pointer, name, why))


@dataclass(frozen=True)
class Listing:
    """Fields that every ledger accepts, of which `title` may be missing; `left` is what did not fit."""

    fields: dict[str, Json]
    left: list[Left]


class _Numbered(dict[int, Any]):
    """A list whose items keep the positions that they had, whatever is taken out."""


def fit(draft: ListingDraft) -> Listing:
    """Return what fits of a draft: each value that the ledger would refuse is taken out and reported."""
    fields = _numbered(draft.fields, "", draft)
    while True:
        plain = _plain(fields)
        try:
            read_statement(_KIND, canonical(_FRAME | plain))
            if len(canonical(plain)) <= _MAX_BYTES:
                return Listing(plain, draft.left)
            longest = max(plain, key=lambda name: len(canonical(plain[name])))
            _take_out(draft, fields, FormatError("too-large", f"/{longest}", "a statement has at most 32 KiB"))
        except FormatError as error:
            _take_out(draft, fields, error)


def one_line(text: str) -> str:
    """Return a text on one line, its blanks made single."""
    return " ".join(text.split())


def lines(text: str) -> str:
    """Return a text with LF between its lines and blanks for tabs, as statements write it."""
    return "\n".join(line.rstrip() for line in text.replace("\t", " ").splitlines()).strip()


def _numbered(value: Any, place: str, draft: ListingDraft) -> Any:  # noqa: ANN401 - any JSON value
    """Return lists as `_Numbered`, without what has no canonical form."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        found = {name: _numbered(item, f"{place}/{name}", draft) for name, item in pairs}
        kept = {name: item for name, item in found.items() if item is not None}
        return kept if isinstance(value, dict) else _Numbered(kept)
    try:
        canonical(value)
    except FormatError as error:
        _report(draft, place, error)
        return None
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, _Numbered):
        return [_plain(item) for item in value.values()]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _take_out(draft: ListingDraft, fields: dict[str, Any], error: FormatError) -> None:
    """Take out what an error is about, or the nearest that is there and holds it."""
    value: Any = fields
    holder, last, place = fields, "", ""
    for part in error.field.removeprefix("/").split("/"):
        if not isinstance(value, dict):
            break
        name: Any = list(value)[int(part)] if isinstance(value, _Numbered) and part.isdigit() else part
        if name not in value:
            break
        holder, last, place, value = value, name, f"{place}/{name}", value[name]
    if not place:
        raise error
    del holder[last]
    _report(draft, place, error)


def _report(draft: ListingDraft, place: str, error: FormatError) -> None:
    near = place
    while near and near not in draft.origins:
        near = near.rpartition("/")[0]
    pointer, name = draft.origins.get(near, ("", place.removeprefix("/")))
    member = place.removeprefix(near).strip("/")
    draft.leave(pointer, f"{name} ({member})" if member else name, f"{error.reason} {error.detail}".strip())
