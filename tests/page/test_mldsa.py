"""The page computes ML-DSA-44 itself (FIPS 204), and says of every signature what `cryptography` says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from random import Random

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.harness.vectors import mldsa44
from tests.page.browser import Opened
from verifier.core.mldsa import is_mldsa44_signed

Triple = tuple[bytes, bytes, bytes]
"""Public key, message, signature."""
Z, HINTS, COUNTS = 32, 32 + 4 * 576, 32 + 4 * 576 + 80
"""Where, behind c~, the polynomials z start, the indices of hints, and how many of them each row has."""
VERIFY = """
  const {decode64, isMlDsaSigned} = parts;
  return argument.map(triple => isMlDsaSigned(...triple.map(decode64)));
"""


def verdicts(page: Opened, triples: list[Triple]) -> list[bool]:
    """Return what the page says of each."""
    said: list[bool] = page.call(VERIFY, [[b64encode(item).decode() for item in triple] for triple in triples])
    return said


def test_wycheproof(page: Opened) -> None:
    cases = mldsa44()
    said = verdicts(page, [(case.public, case.message, case.signature) for case in cases])
    assert [case.number for case, answer in zip(cases, said, strict=True) if answer is not case.is_valid] == []


def test_what_the_library_signs(page: Opened) -> None:
    """Keys of every seed, messages of every length about the blocks that are hashed; a context makes it another."""
    triples = []
    for length in (0, 1, 5, 6, 7, 69, 70, 71, 135, 136, 137, 1000, 32_768):
        private = MLDSA44PrivateKey.from_seed_bytes(bytes([length % 256]) * 32)
        public, message = private.public_key().public_bytes_raw(), bytes(length)
        triples += [(public, message, private.sign(message)), (public, message, private.sign(message, b"other"))]
    assert verdicts(page, triples) == [True, False] * 13


def flipped(raw: bytes, bit: int) -> bytes:
    """Return `raw` with one bit turned."""
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def with_z(signature: bytes, place: int, encoded: int) -> bytes:
    """Return a signature one of whose 1,024 coefficients z is 2^17 − encoded."""
    z = int.from_bytes(signature[Z:HINTS], "little")
    z = z & ~((2**18 - 1) << 18 * place) | encoded << 18 * place
    return signature[:Z] + z.to_bytes(HINTS - Z, "little") + signature[HINTS:]


def bent_hints(signature: bytes) -> Iterator[bytes]:
    """Yield other spellings of the same hints, and what is no spelling of any."""
    indices, counts = list(signature[HINTS:COUNTS]), list(signature[COUNTS:])
    end = counts[-1]
    for row in range(4):
        start = counts[row - 1] if row else 0
        own = indices[start : counts[row]]
        for other in (own[::-1], own[:1] * len(own), [*own[1:], *own[:1]]):
            yield signature[:HINTS] + bytes([*indices[:start], *other, *indices[counts[row] :], *counts])
    for place in range(end, 80):
        yield signature[:HINTS] + bytes([*indices[:place], 1, *indices[place + 1 :], *counts])
    for row in range(4):
        for count in (0, counts[row] - 1, counts[row] + 1, 80, 81, 85, 255):
            yield signature[:HINTS] + bytes([*indices, *counts[:row], count % 256, *counts[row + 1 :]])


def mutations(public: bytes, message: bytes, signature: bytes, pick: Random) -> Iterator[Triple]:
    """Yield what differs in one thing."""
    for start, end in ((0, Z), *((Z + 576 * n, Z + 576 * (n + 1)) for n in range(4)), (HINTS, COUNTS), (COUNTS, 2420)):
        for _ in range(8):
            yield public, message, flipped(signature, pick.randrange(8 * start, 8 * end))
    for other in bent_hints(signature):
        yield public, message, other
    for encoded in (0, 77, 78, 79, 2**18 - 79, 2**18 - 78, 2**18 - 1):  # ±(gamma1 − beta) and about
        yield public, message, with_z(signature, pick.randrange(1024), encoded)
    for other in (b"", signature[:-1], signature + b"\0", signature[:64], signature * 2):
        yield public, message, other
    for _ in range(8):
        yield flipped(public, pick.randrange(8 * 1312)), message, signature
    for other in (public[:-1], public + b"\0", bytes(1312), b"\xff" * 1312, b""):
        yield other, message, signature
    for other in (b"", message + b"\0", flipped(message, 0), b"\0\0" + message):
        yield public, other, signature


def test_mutations(page: Opened) -> None:
    pick, triples = Random(204), []
    for number in range(3):
        private = MLDSA44PrivateKey.from_seed_bytes(pick.randbytes(32))
        public, message = private.public_key().public_bytes_raw(), pick.randbytes(40 + number)
        genuine = public, message, private.sign(message)
        triples += [genuine, *mutations(*genuine, pick)]
    expected = [is_mldsa44_signed(*triple) for triple in triples]
    assert sum(expected) >= 3
    assert verdicts(page, triples) == expected


def test_it_is_quick(page: Opened) -> None:
    """The median of many, so that what else the machine does changes nothing: 2 ms, on one that is quiet."""
    [case] = [case for case in mldsa44() if case.number == 1]
    took = page.call(
        "const triple = argument.map(parts.decode64), times = [];"
        "for (let i = 0; i < 101; i += 1) {"
        "  const before = performance.now();"
        "  parts.isMlDsaSigned(...triple);"
        "  times.push(performance.now() - before);"
        "}"
        "return times.sort((a, b) => a - b)[50];",
        [b64encode(item).decode() for item in (case.public, case.message, case.signature)],
    )
    assert took < 20
