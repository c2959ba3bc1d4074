"""Signed statements: DSSE envelopes and statement ids (docs/format.md §4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from ledger.core.encoding import Json, b64decode, b64encode, canonical, parse_json
from ledger.core.errors import FormatError, pointer
from ledger.core.keys import SIGNATURE_WIDTHS, Signer

STATEMENT_TYPE = "application/vnd.provenance-ledger.statement.v1+json"
PROMISE_TYPE = "application/vnd.provenance-ledger.promise.v1+json"
REFUSAL_TYPE = "application/vnd.provenance-ledger.refusal.v1+json"
HISTORY_TYPE = "application/vnd.provenance-ledger.history.v1+json"
MAX_ENVELOPE_BYTES = 65_535
MAX_PAYLOAD_BYTES = 32_768
MAX_SIGNATURES = 16
_KEYID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_WIDTHS = " or ".join(f"{width:,}" for width in sorted(SIGNATURE_WIDTHS)) + " bytes"


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: what is signed. Spec: docs/format.md §4.2, DSSE v1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_id(payload: bytes) -> str:
    """Return `sha256:` and the hex SHA-256 of the statement's PAE (docs/format.md §4.3)."""
    return "sha256:" + sha256(pae(STATEMENT_TYPE, payload)).hexdigest()


@dataclass(frozen=True)
class Envelope:
    """A parsed envelope: no signature is checked. `signatures` are (keyid, 64 bytes), sorted by keyid, each once."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]
    payload_type: str = STATEMENT_TYPE

    @classmethod
    def computed(
        cls, payload: bytes, signatures: tuple[tuple[str, bytes], ...], name: str, recorded: bytes
    ) -> Envelope:
        """Return a statement's envelope whose `id` and `recorded` another process computed already."""
        envelope = cls(payload, signatures)
        vars(envelope).update(id=name, recorded=recorded)
        return envelope

    @cached_property
    def signed_bytes(self) -> bytes:
        """The PAE that every signature is over."""
        return pae(self.payload_type, self.payload)

    @cached_property
    def id(self) -> str:
        """The statement id (§4.3); of a statement's envelope only."""
        return "sha256:" + sha256(self.signed_bytes).hexdigest()

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "payload": b64encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": keyid, "sig": b64encode(signature)} for keyid, signature in self.signatures],
        }

    @cached_property
    def recorded(self) -> bytes:
        """The canonical bytes, as they stand in an entry (§4.4). Built by hand: every part is already canonical."""
        signatures = ",".join(
            f'{{"keyid":"{keyid}","sig":"{b64encode(signature)}"}}' for keyid, signature in self.signatures
        )
        return (
            f'{{"payload":"{b64encode(self.payload)}","payloadType":"{self.payload_type}","signatures":[{signatures}]}}'
        ).encode()

    def with_signatures(self, signatures: Iterable[tuple[str, bytes]]) -> Envelope:
        """Return the envelope with further signatures, sorted; a keyid that is already there is replaced."""
        merged = dict(self.signatures) | dict(signatures)
        return Envelope(self.payload, tuple(sorted(merged.items())), self.payload_type)


def sign(payload: Json, keys: Sequence[Signer], payload_type: str = STATEMENT_TYPE) -> Envelope:
    """Return the envelope of `payload`, signed by `keys`."""
    unsigned = Envelope(canonical(payload), (), payload_type)
    return unsigned.with_signatures((key.public.keyid, key.sign(unsigned.signed_bytes)) for key in keys)


def parse_envelope(raw: bytes, payload_type: str = STATEMENT_TYPE) -> Envelope:
    """Parse a posted envelope, in any spelling (§4.4); raise FormatError with a reason of §9.1."""
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise FormatError("too-large", detail=f"an envelope has at most {MAX_ENVELOPE_BYTES} bytes")
    return read_envelope(parse_json(raw), payload_type)


def read_envelope(document: Json, payload_type: str = STATEMENT_TYPE) -> Envelope:
    """Read an envelope from its JSON value; raise FormatError with a reason of §9.1."""
    members(document, ("payload", "payloadType", "signatures"))
    payload, kind, signatures = document["payload"], document["payloadType"], document["signatures"]
    if not isinstance(payload, str):
        raise FormatError("wrong-type", "/payload", "a string")
    if not isinstance(kind, str):
        raise FormatError("wrong-type", "/payloadType", "a string")
    if kind != payload_type:
        raise FormatError("wrong-payload-type", "/payloadType", payload_type)
    if not isinstance(signatures, list):
        raise FormatError("wrong-type", "/signatures", "a list")
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise FormatError("wrong-value", "/signatures", f"1 to {MAX_SIGNATURES} signatures")
    pairs = [_read_signature(item, f"/signatures/{at}") for at, item in enumerate(signatures)]
    if len(dict(pairs)) != len(pairs):
        raise FormatError("duplicate-signature", "/signatures", "each keyid once")
    return Envelope(b64decode(payload, "/payload"), tuple(sorted(pairs)), payload_type)


def members(document: Json, names: tuple[str, ...], field: str = "") -> None:
    """Raise FormatError unless `document` is an object with exactly these members."""
    if not isinstance(document, dict):
        raise FormatError("wrong-type" if field else "not-an-object", field, "an object")
    for name in names:
        if name not in document:
            raise FormatError("missing-field", field + pointer(name))
    for name in document:
        if name not in names:
            raise FormatError("unknown-field", field + pointer(name))


def _read_signature(item: Json, field: str) -> tuple[str, bytes]:
    members(item, ("keyid", "sig"), field)
    keyid, text = item["keyid"], item["sig"]
    if not isinstance(keyid, str) or not isinstance(text, str):
        raise FormatError("wrong-type", field, "keyid and sig are strings")
    if not _KEYID.fullmatch(keyid):
        raise FormatError("malformed-signature", f"{field}/keyid", "64 lower-case hex digits")
    signature = b64decode(text, f"{field}/sig")
    if len(signature) not in SIGNATURE_WIDTHS:
        raise FormatError("malformed-signature", f"{field}/sig", _WIDTHS)
    return keyid, signature
