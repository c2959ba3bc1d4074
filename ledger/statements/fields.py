"""The types of values in statements (docs/format.md §5, docs/statements.md §1).

They are pydantic annotations that report our reasons.
Lengths count Unicode code points. A rule that a pattern can say is a pattern, so that the published schema says it too.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from ledger.core.encoding import MAX_INTEGER, b64decode
from ledger.core.errors import FormatError
from ledger.core.keys import ED25519, MLDSA44, PublicKey

NONCE_BYTES = 16
MAX_NAME = 128
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_TOKEN = "[a-z0-9!#$&^_.+-]+"  # noqa: S105 - a grammar's token, not a secret
_T = TypeVar("_T")


class Model(BaseModel):
    """The base of everything that a statement holds: strict types, no unknown fields, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def refuse(error: FormatError) -> PydanticCustomError:
    """Return `error` as one that pydantic collects with its place; its type is our reason."""
    return PydanticCustomError(error.reason, "{detail}", {"detail": error.detail or error.reason, "field": error.field})


def _present(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if value is None:
        raise PydanticCustomError("wrong-type", "leave the field out; null is not a value")
    return value


def _base64(text: str) -> str:
    try:
        b64decode(text)
    except FormatError as error:
        raise refuse(error) from error
    return text


def base64_of(byte_count: int, what: str) -> AfterValidator:
    """Return the validator of base64 (docs/format.md, preamble) of so many bytes; `what` they are, in words."""

    def check(text: str) -> str:
        if len(b64decode(_base64(text))) != byte_count:
            raise PydanticCustomError("wrong-value", f"{what} has {byte_count} bytes")
        return text

    return AfterValidator(check)


def _ascending(values: list[Any]) -> list[Any]:
    if any(left >= right for left, right in pairwise(values)):
        raise PydanticCustomError("wrong-value", "strictly ascending, each once")
    return values


PRESENT = BeforeValidator(_present)
"""For optional fields: absent, or a value; never null."""

Maybe = Annotated[_T | None, PRESENT]
"""An optional field, whose default is None."""


def _unknown(_value: Any) -> Any:  # noqa: ANN401 - any JSON value
    raise refuse(FormatError("unknown-field", "", "a later version of the rules has it"))


NotYet = Annotated[None, BeforeValidator(_unknown)]
"""A field that only a later version of the rules has: never there."""

_NAME = rf"{_LABEL}(\.{_LABEL})*"
Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME}$", max_length=MAX_NAME)]
Time = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Size = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Count = Size
Quantity = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Id = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
KeyId = Hex32
Base64 = Annotated[str, AfterValidator(_base64)]
Nonce = Annotated[str, base64_of(NONCE_BYTES, "a nonce")]
Origin = Annotated[str, StringConstraints(pattern=r"^[!-*,-~]{1,255}$")]
MediaType = Annotated[str, StringConstraints(pattern=rf"^{_TOKEN}/{_TOKEN}$", max_length=127)]
Line50 = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=50)]
Line100 = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=100)]
Line200 = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=200)]
Line300 = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=300)]
Line500 = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=500)]
Line2000 = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=2000)]
FileName = Annotated[str, StringConstraints(pattern=r"^[^\n]+$", max_length=255)]
Text1000 = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Text4000 = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
ASCENDING = AfterValidator(_ascending)
"""For sets: strictly ascending, texts by code point."""

Signers = Annotated[list[KeyId], Field(min_length=1, max_length=16), ASCENDING]
Numbers = Annotated[list[Quantity], Field(min_length=1, max_length=1000), ASCENDING]
Bound = Annotated[str, StringConstraints(pattern=r"^0\.0*[1-9][0-9]*$", max_length=32)]
"""A probability above 0 and below 1, written with 1 to 30 decimals."""
Words = Annotated[list[Line200], Field(min_length=1, max_length=64), ASCENDING]


def is_name(text: str) -> bool:
    """Tell whether `text` has the form of a party's name."""
    return len(text) <= MAX_NAME and re.fullmatch(_NAME, text) is not None


class Key(Model):
    """A public key of either algorithm (docs/format.md §3.1)."""

    alg: str
    public_key: str

    def model_post_init(self, _context: object) -> None:
        """Refuse a key that §3.3 refuses."""
        try:
            _ = self.key
        except FormatError as error:
            raise refuse(error) from error

    @property
    def key(self) -> PublicKey:
        """The key itself."""
        return PublicKey.parse(self.alg, self.public_key)


def _short(document: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(document, dict) and document.keys() == Key.model_fields.keys() and document["alg"] == MLDSA44:
        raise refuse(FormatError("wrong-value", "/alg", f"a key of {ED25519} is needed here"))
    return document


ShortKey = Annotated[Key, BeforeValidator(_short)]
"""An Ed25519 key: a service key, and before version 5 of the rules every key."""
Keys = Annotated[list[Key], Field(min_length=1, max_length=8)]
ShortKeys = Annotated[list[ShortKey], Field(min_length=1, max_length=8)]


class Sealed(Model):
    """A commitment in the place of a value (docs/format.md §8.1)."""

    sealed: Hex32


_CLEAR, _SEALED = "\0clear", "\0sealed"
TAGS = frozenset({_CLEAR, _SEALED})
"""What pydantic puts into the place of an error for a sealable field: no member of canonical JSON has such a name."""


def _tag(value: object) -> str:
    """Take for a commitment what looks like one: an object with a member `sealed`, which nothing sealable has."""
    sealed = isinstance(value, Sealed) or (isinstance(value, dict) and "sealed" in value)
    return _SEALED if sealed else _CLEAR


Sealable = Annotated[Annotated[_T, Tag(_CLEAR)] | Annotated[Sealed, Tag(_SEALED)], Discriminator(_tag)]
"""A value that may be sealed: † in docs/statements.md."""


class Seen(Model):
    """A checkpoint that every signer had verified: `root` in hex, `size` ≥ 1."""

    root: Hex32
    size: Size
