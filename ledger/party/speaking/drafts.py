"""Statements that more than one party signs, passed around as a file.

The file holds the statement as JSON that anybody can read, and no second form of it: what is shown is what is signed,
because both are made from the same value. What is sealed in it stands beside it as disclosures that open every sealed
place, so that nobody signs a value that it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ledger.core.dsse import MAX_PAYLOAD_BYTES, Envelope, statement_id
from ledger.core.encoding import Json, b64decode, b64encode, canonical, parse_json
from ledger.core.errors import FormatError
from ledger.core.keys import SIGNATURE_WIDTHS, PublicKey, Signer
from ledger.party.answers.identity import wrong_signatures
from ledger.party.answers.versions import read_statement
from ledger.party.errors import Unfit
from ledger.party.files import create_file, replace_file
from ledger.party.vault.disclosures import Disclosure
from ledger.party.vault.sealing import Opening, check_opens, open_fields, sealed_places
from ledger.statements.common import OnLedger
from ledger.statements.fields import Hex32, Model
from ledger.statements.reading import read_model

_MAX_FILE_BYTES = 16 * MAX_PAYLOAD_BYTES
_MAX_SEALED = MAX_PAYLOAD_BYTES // 64


class _Signature(Model):
    keyid: Hex32
    sig: str


class _File(Model):
    type: Literal["provenance-ledger.draft/v1"] = "provenance-ledger.draft/v1"
    statement: Json
    signatures: Annotated[list[_Signature], Field(max_length=16)]
    disclosures: Annotated[list[Disclosure], Field(max_length=_MAX_SEALED)] = Field(default_factory=list)


@dataclass(frozen=True)
class Draft:
    """A well-formed statement and the signatures it has so far, none of them checked yet.

    `disclosures` open every place that is sealed in it: that was checked.
    """

    statement: OnLedger
    envelope: Envelope
    disclosures: tuple[Disclosure, ...] = ()

    @cached_property
    def opened(self) -> OnLedger:
        """The statement with its sealed values in their places: what a person must see before signing."""
        return _parse(canonical(open_fields(parse_json(self.envelope.payload), self.disclosures)))

    @property
    def sealed(self) -> list[str]:
        """The pointers of what only those who hold the disclosures will be able to read."""
        return [item.pointer for item in self.disclosures]

    @property
    def missing(self) -> list[str]:
        """The keyids that have not signed yet."""
        present = dict(self.envelope.signatures)
        return [keyid for keyid in self.statement.signers if keyid not in present]

    def signed(self, key: Signer) -> Draft:
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


def new_draft(statement: dict[str, Json], openings: Sequence[Opening] = ()) -> Draft:
    """Return an unsigned draft, with what opens the places that are sealed in it.

    Raises FormatError or Unfit for what no ledger would record.
    """
    made = statement_id(canonical(statement))
    return _draft(statement, [opening.disclosure(made) for opening in openings])


def _draft(statement: dict[str, Json], disclosures: Sequence[Disclosure]) -> Draft:
    payload = canonical(statement)
    draft = Draft(_parse(payload), Envelope(payload, ()), tuple(disclosures))
    check_opens(statement, draft.envelope.id, disclosures)
    hidden = [pointer for pointer, _ in sealed_places(statement) if pointer not in draft.sealed]
    if hidden or len(set(draft.sealed)) != len(draft.sealed):
        raise Unfit(
            f"the draft seals {', '.join(hidden)} without showing it" if hidden else "it discloses a place twice"
        )
    _ = draft.opened
    return draft


def _parse(payload: bytes) -> OnLedger:
    parsed = read_statement(payload)
    if not isinstance(parsed, OnLedger):
        raise Unfit(f"{parsed.type} is not drafted")
    return parsed


def format_draft(draft: Draft) -> bytes:
    """Return the bytes of a draft file: canonical JSON and LF."""
    signatures = [{"keyid": keyid, "sig": b64encode(raw)} for keyid, raw in draft.envelope.signatures]
    file = {
        "signatures": signatures,
        "statement": parse_json(draft.envelope.payload),
        "type": "provenance-ledger.draft/v1",
    }
    if draft.disclosures:
        file["disclosures"] = [item.model_dump() for item in draft.disclosures]
    return canonical(file) + b"\n"


def parse_draft(raw: bytes) -> Draft:
    """Parse a draft file, which comes from another company; raise FormatError or Unfit."""
    if len(raw) > _MAX_FILE_BYTES:
        raise FormatError("too-large", detail=f"a draft has at most {_MAX_FILE_BYTES} bytes")
    file = read_model(_File, parse_json(raw))
    if not isinstance(file.statement, dict):
        raise FormatError("wrong-type", "/statement", "an object")
    draft = _draft(file.statement, file.disclosures)
    signatures = {item.keyid: b64decode(item.sig, "/signatures") for item in file.signatures}
    if len(signatures) != len(file.signatures) or any(len(raw) not in SIGNATURE_WIDTHS for raw in signatures.values()):
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
