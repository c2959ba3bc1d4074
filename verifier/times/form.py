"""What a time-stamp token says, by its form alone (RFC 3161, RFC 5652, RFC 5816; docs/format.md §21.2).

Only what the authority signed is taken from it, beside the certificates that came along. Nothing is verified here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from verifier.times.der import (
    GENERALIZED_TIME,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    Element,
    Reader,
    context,
    read_whole,
    refuse,
)

MAX_TOKEN_BYTES = 1 << 20
MAX_CERTIFICATES = 32
_MAX_ATTRIBUTES = 32
_GRANTED = (0, 1)
"""PKIStatus: granted, granted with modifications."""
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SHA1 = "1.3.14.3.2.26"
PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
SHA256 = "2.16.840.1.101.3.4.2.1"
_time = re.compile(rb"([0-9]{14})(?:\.([0-9]{1,9}))?Z").fullmatch
_MICROS = 1_000_000


class Padding(NamedTuple):
    """The parameters of an RSASSA-PSS signature (RFC 4055 §3.1)."""

    hashes: tuple[str, str]
    """The OIDs of the message's hash and of that of MGF1; SHA-1 where they are left out."""
    salt_bytes: int


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token; nothing about it is verified."""

    info: bytes
    """The DER of the TSTInfo, which `message_digest` is the digest of."""
    imprint_algorithm: str
    """The OID of a hash."""
    imprint: bytes
    not_after_ms: int
    """Unix milliseconds: the time that it says, and the accuracy that it gives itself, rounded up."""
    time_ms: int
    """The time that it says, rounded down."""
    has_unknown_extension: bool
    """The TSTInfo has a critical one: it may mean that all this means something else."""
    certificates: tuple[bytes, ...]
    """DER, at most `MAX_CERTIFICATES`, as whoever gave the token chose them."""
    issuer: bytes
    """DER of the name that issued the signer's certificate."""
    serial: int
    digest_algorithm: str
    signature_algorithm: str
    padding: Padding | None
    """Of `PSS` only."""
    signature: bytes
    signed: bytes
    """The signed attributes, as they are signed."""
    message_digest: bytes
    certificate_algorithm: str
    """The hash by which the signed attributes name the signer's certificate."""
    certificate_digest: bytes


def parse_token(raw: bytes) -> Token:
    """Return the token that `raw` is, or that it holds as the answer of an authority.

    Raises `MalformedInput`: whatever the bytes are, nothing else.
    """
    if len(raw) > MAX_TOKEN_BYTES:
        raise refuse(f"more than {MAX_TOKEN_BYTES} bytes")
    whole = read_whole(raw).members()
    if whole.peek() != OID:  # a TimeStampResp: first its status
        if whole.members().integer() not in _GRANTED:
            raise refuse("the authority refused")
        content = whole.members()
        whole.end()
    else:
        content = whole
    if content.oid() != _SIGNED_DATA:
        raise refuse("no signed data")
    explicit = content.members(context(0))
    content.end()
    signed_data = explicit.members()
    explicit.end()
    return _parse_signed_data(signed_data)


def _parse_signed_data(reader: Reader) -> Token:
    reader.integer()
    reader.next(SET)  # digest algorithms: the signer names its own
    encapsulated = reader.members()
    if encapsulated.oid() != _TST_INFO:
        raise refuse("signed data of another type")
    explicit = encapsulated.members(context(0))
    encapsulated.end()
    info = explicit.next(OCTET_STRING).content
    explicit.end()
    certificates = _certificates(reader.optional(context(0)))
    reader.optional(context(1))  # revocation lists: nothing rests on those that came along
    signers = reader.members(SET)
    reader.end()
    signer = signers.members()
    signers.end()  # RFC 3161 §2.4.2: exactly one
    return _parse_signer(signer, info, certificates)


def _certificates(element: Element | None) -> tuple[bytes, ...]:
    found: list[bytes] = []
    reader = Reader(element.content if element is not None else b"")
    while reader.peek() is not None:
        one = reader.any()
        if one.tag == SEQUENCE:  # others are attribute certificates and the like
            found.append(one.raw)
        if len(found) > MAX_CERTIFICATES:
            raise refuse(f"more than {MAX_CERTIFICATES} certificates")
    return tuple(found)


def _parse_signer(reader: Reader, info: bytes, certificates: tuple[bytes, ...]) -> Token:
    reader.integer()
    name = reader.members()
    issuer, serial = name.next(SEQUENCE).raw, name.integer()
    name.end()
    digest_algorithm = _algorithm(reader)
    attributes = reader.next(context(0))
    algorithm = reader.members()
    signature_algorithm = algorithm.oid()
    signature = reader.next(OCTET_STRING).content
    reader.optional(context(1))  # unsigned attributes: nobody vouches for them
    reader.end()
    values = _parse_attributes(attributes.members())
    if _only(values, _CONTENT_TYPE).oid() != _TST_INFO:
        raise refuse("the signed content type")
    message_digest = _only(values, _MESSAGE_DIGEST).next(OCTET_STRING).content
    certificate_algorithm, certificate_digest = _parse_signing_certificate(values)
    imprint_algorithm, imprint, moment, not_after_ms, has_unknown_extension = _parse_info(info)
    return Token(
        info=info,
        imprint_algorithm=imprint_algorithm,
        imprint=imprint,
        not_after_ms=not_after_ms,
        time_ms=moment // 1000,
        has_unknown_extension=has_unknown_extension,
        certificates=certificates,
        issuer=issuer,
        serial=serial,
        digest_algorithm=digest_algorithm,
        signature_algorithm=signature_algorithm,
        padding=_parse_padding(algorithm.members()) if signature_algorithm == PSS else None,
        signature=signature,
        # Signed is the SET itself, not its place in the message (RFC 5652 §5.4).
        signed=bytes([SET]) + attributes.raw[1:],
        message_digest=message_digest,
        certificate_algorithm=certificate_algorithm,
        certificate_digest=certificate_digest,
    )


def _algorithm(reader: Reader) -> str:
    """Return the OID of an AlgorithmIdentifier; of those that are read here, no parameter matters."""
    return reader.members().oid()


def _parse_padding(reader: Reader) -> Padding:
    """Return RSASSA-PSS-params: of three, each left out where it is as in the days of SHA-1."""
    message, mask, salt_bytes = SHA1, SHA1, 20
    if reader.peek() == context(0):
        message = _algorithm(reader.members(context(0)))
    if reader.peek() == context(1):
        generator = reader.members(context(1)).members()
        if generator.oid() != _MGF1:
            raise refuse("a mask that is not of MGF1")
        mask = _algorithm(generator)
    if reader.peek() == context(2):
        salt_bytes = reader.members(context(2)).integer()
    if reader.peek() == context(3) and reader.members(context(3)).integer() != 1:
        raise refuse("the trailer")
    reader.end()
    return Padding((message, mask), salt_bytes)


def _parse_attributes(reader: Reader) -> dict[str, Element]:
    values: dict[str, Element] = {}
    while reader.peek() is not None:
        attribute = reader.members()
        kind, value = attribute.oid(), attribute.next(SET)
        attribute.end()
        if kind in values or len(values) == _MAX_ATTRIBUTES:  # two would let two readers see two tokens
            raise refuse("a signed attribute twice, or too many")
        values[kind] = value
    return values


def _only(values: dict[str, Element], kind: str) -> Reader:
    """Return a reader of the one value of an attribute."""
    if kind not in values:
        raise refuse(f"no signed attribute {kind}")
    reader = values[kind].members()
    raw = reader.any().raw
    reader.end()
    return Reader(raw)


def _parse_signing_certificate(values: dict[str, Element]) -> tuple[str, bytes]:
    """Return hash and digest of the first certificate that the signer names as its own (RFC 5035, RFC 2634)."""
    is_v2 = _SIGNING_CERTIFICATE_V2 in values
    first = _only(values, _SIGNING_CERTIFICATE_V2 if is_v2 else _SIGNING_CERTIFICATE).members().members().members()
    algorithm = SHA256 if is_v2 else SHA1
    if is_v2 and first.peek() == SEQUENCE:
        algorithm = _algorithm(first)
    return algorithm, first.next(OCTET_STRING).content


def _parse_info(info: bytes) -> tuple[str, bytes, int, int, bool]:
    """Return hash, imprint, the time in Unix microseconds, the bound in milliseconds, and whether more is critical."""
    reader = read_whole(info).members()
    if reader.integer() != 1:
        raise refuse("the version")
    reader.oid()  # the authority's policy: whoever trusts the authority knows it
    imprint = reader.members()
    algorithm, digest = _algorithm(imprint), imprint.next(OCTET_STRING).content
    imprint.end()
    reader.integer()
    moment = _parse_time(reader.next(GENERALIZED_TIME).content)
    accuracy = reader.optional(SEQUENCE)
    not_after_ms = -(-(moment + (_parse_accuracy(accuracy.members()) if accuracy else 0)) // 1000)
    reader.is_true()  # ordering
    if reader.peek() == 0x02:
        reader.integer()  # the nonce was for whoever asked
    reader.optional(context(0))  # what the authority calls itself; its certificate says who it is
    extensions = reader.optional(context(1))
    reader.end()
    return algorithm, digest, moment, not_after_ms, _is_critical(extensions)


def _parse_time(content: bytes) -> int:
    """Return Unix microseconds."""
    match = _time(content)
    if match is None:
        raise refuse("the time")
    try:
        whole = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise refuse("the time") from None
    micros = int((match[2] or b"0").ljust(6, b"0")[:6])
    moment = int(whole.timestamp()) * _MICROS + micros
    if moment < 0:
        raise refuse("the time")
    return moment


def _parse_accuracy(reader: Reader) -> int:
    """Return microseconds; RFC 3161 §2.4.2 has seconds, millis 1 … 999, micros 1 … 999."""
    total = reader.integer() * _MICROS if reader.peek() == 0x02 else 0
    for number, unit in ((0, 1000), (1, 1)):
        tag = context(number, constructed=False)
        if reader.peek() == tag:
            part = reader.integer(tag)
            if not 0 <= part <= 999:
                raise refuse("the accuracy")
            total += part * unit
    reader.end()
    if not 0 <= total <= 365 * 86_400 * _MICROS:  # an authority that is a year off says nothing
        raise refuse("the accuracy")
    return total


def _is_critical(element: Element | None) -> bool:
    reader, found = Reader(element.content if element is not None else b""), False
    while reader.peek() is not None:
        extension = reader.members()
        extension.oid()
        found |= extension.is_true()
        extension.next(OCTET_STRING)
        extension.end()
    return found
