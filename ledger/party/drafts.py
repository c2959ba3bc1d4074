"""Statements that more than one party signs, passed around as a file.

The file holds the statement as JSON that anybody can read, and no second form of it: what is shown is what is signed,
because both are made from the same value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ledger.core.dsse import MAX_PAYLOAD_BYTES, Envelope
from ledger.core.encoding import Json, b64decode, b64encode, canonical, parse_json
from ledger.core.errors import FormatError
from ledger.core.keys import SIGNATURE_BYTES, PublicKey, SigningKey
from ledger.party.errors import Unfit
from ledger.party.files import create_file, replace_file
from ledger.party.identity import wrong_signatures
from ledger.statements.common import OnLedger
from ledger.statements.fields import Hex32, Model
from ledger.statements.parse import parse_statement, read_model

_MAX_FILE_BYTES = 4 * MAX_PAYLOAD_BYTES


class _Signature(Model):
    keyid: Hex32
    sig: str


class _File(Model):
    type: Literal["provenance-ledger.draft/v1"] = "provenance-ledger.draft/v1"
    statement: Json
    signatures: Annotated[list[_Signature], Field(max_length=16)]


@dataclass(frozen=True)
class Draft:
    """A well-formed statement and the signatures it has so far, none of them checked yet."""

    statement: OnLedger
    envelope: Envelope

    @property
    def missing(self) -> list[str]:
        """The keyids that have not signed yet."""
        present = dict(self.envelope.signatures)
        return [keyid for keyid in self.statement.signers if keyid not in present]

    def signed(self, key: SigningKey) -> Draft:
        """Return the draft with this key's signature; raise Unfit if it is none of the signers."""
        keyid = key.public.keyid
        if keyid not in self.statement.signers:
            raise Unfit(f"the draft does not ask for a signature of the key {keyid}")
        signature = key.sign(self.envelope.signed_bytes)
        return replace(self, envelope=self.envelope.with_signatures([(keyid, signature)]))

    def check(self, ledger: str, now_ms: int, keys: dict[str, PublicKey]) -> None:
        """Raise Unfit for a draft of another ledger, an expired one, or one with a wrong signature of `keys`."""
        if self.statement.ledger != ledger:
            raise Unfit(f"the draft is for the ledger {self.statement.ledger}, this one is {ledger}")
        if now_ms > self.statement.not_after_ms:
            raise Unfit("the draft has expired; make a new one")
        present = {keyid for keyid, _ in self.envelope.signatures}
        if not present <= set(self.statement.signers):
            raise Unfit("the draft bears a signature that it does not ask for")
        wrong = wrong_signatures(self.envelope, keys)
        if wrong:
            raise Unfit(f"the draft was changed after the key {wrong[0]} had signed it")
        if present - keys.keys():
            raise Unfit(f"the draft is signed by {min(present - keys.keys())}, a key of nobody in it")


def new_draft(statement: dict[str, Json]) -> Draft:
    """Return an unsigned draft; raise FormatError or Unfit for what no ledger would record."""
    payload = canonical(statement)
    parsed = parse_statement(payload)
    if not isinstance(parsed, OnLedger):
        raise Unfit(f"{parsed.type} is not drafted")
    return Draft(parsed, Envelope(payload, ()))


def format_draft(draft: Draft) -> bytes:
    """Return the bytes of a draft file: canonical JSON and LF."""
    signatures = [{"keyid": keyid, "sig": b64encode(raw)} for keyid, raw in draft.envelope.signatures]
    file = {
        "signatures": signatures,
        "statement": parse_json(draft.envelope.payload),
        "type": "provenance-ledger.draft/v1",
    }
    return canonical(file) + b"\n"


def parse_draft(raw: bytes) -> Draft:
    """Parse a draft file, which comes from another company; raise FormatError or Unfit."""
    if len(raw) > _MAX_FILE_BYTES:
        raise FormatError("too-large", detail=f"a draft has at most {_MAX_FILE_BYTES} bytes")
    file = read_model(_File, parse_json(raw))
    draft = new_draft(file.statement)
    signatures = {item.keyid: b64decode(item.sig, "/signatures") for item in file.signatures}
    if len(signatures) != len(file.signatures) or any(len(raw) != SIGNATURE_BYTES for raw in signatures.values()):
        raise FormatError("malformed-signature", "/signatures")
    return replace(draft, envelope=draft.envelope.with_signatures(signatures.items()))


def read_draft(path: Path) -> Draft:
    """Read a draft file; raise Unfit or OSError."""
    with path.open("rb") as file:
        raw = file.read(_MAX_FILE_BYTES + 1)
    try:
        return parse_draft(raw)
    except FormatError as error:
        raise Unfit(f"{path} is not a draft: {error}") from error


def write_draft(path: Path, draft: Draft, *, new: bool) -> None:
    """Write a draft file; a `new` one replaces nothing (AlreadyThere)."""
    (create_file if new else replace_file)(path, format_draft(draft))
