"""Ed25519 from RFC 8032 §5.1 in integers: slow, obvious, and no library's opinion.

It judges signatures by docs/format.md §3.4 as written, and makes the points and signatures that only an attacker would:
keys and commitments with a component of small order.
"""

from __future__ import annotations

from hashlib import sha512
from typing import NamedTuple

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)


class Point(NamedTuple):
    """A point in affine coordinates."""

    x: int
    y: int


IDENTITY = Point(0, 1)


def add(left: Point, right: Point) -> Point:
    """Add two points of the curve −x² + y² = 1 + d·x²·y²."""
    product = D * left.x * right.x * left.y * right.y % P
    x = (left.x * right.y + right.x * left.y) * pow(1 + product, -1, P)
    y = (left.y * right.y + left.x * right.x) * pow(1 - product, -1, P)
    return Point(x % P, y % P)


def multiply(scalar: int, point: Point) -> Point:
    """Double and add."""
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def encode(point: Point) -> bytes:
    """Return the canonical 32 bytes."""
    return (point.y | (point.x & 1) << 255).to_bytes(32, "little")


def decode(raw: bytes) -> Point | None:
    """Return the point, or None where the bytes are not canonical or not on the curve."""
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if len(raw) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * SQRT_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return Point(x if x & 1 == sign else P - x, y)


def _base() -> Point:
    point = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert point is not None
    return point


BASE = _base()


def torsion() -> list[Point]:
    """Return the eight points whose order divides 8, as multiples of one of order 8."""
    y = 2
    while True:
        point = decode(y.to_bytes(32, "little"))
        y += 1
        if point is None:
            continue
        small = multiply(L, point)
        if multiply(4, small) != IDENTITY:
            return [multiply(times, small) for times in range(8)]


def is_strong(raw: bytes) -> bool:
    """§3.3 as written."""
    point = decode(raw)
    return point is not None and point != IDENTITY and multiply(L, point) == IDENTITY


def challenge(commitment: bytes, public: bytes, message: bytes) -> int:
    """Return k = SHA-512(R ‖ A ‖ M) mod L."""
    return int.from_bytes(sha512(commitment + public + message).digest(), "little") % L


def is_valid(public: bytes, message: bytes, signature: bytes) -> bool:
    """§3.4 as written."""
    if len(signature) != 64 or not is_strong(public):
        return False
    commitment, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    nonce_point, key = decode(commitment), decode(public)
    if scalar >= L or nonce_point is None or key is None or multiply(8, nonce_point) == IDENTITY:
        return False
    k = challenge(commitment, public, message)
    negated = Point(-key.x % P, key.y)
    return encode(add(multiply(scalar, BASE), multiply(k, negated))) == commitment


def secret_scalar(seed: bytes) -> int:
    """Return the private scalar of a seed (RFC 8032 §5.1.5)."""
    digest = bytearray(sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    return int.from_bytes(digest, "little")


def sign_with(secret: int, nonce: int, shift: Point, message: bytes) -> bytes:
    """Sign with R = [nonce]B + shift: valid for `shift` = identity, valid only without cofactor checks else."""
    public = encode(multiply(secret, BASE))
    commitment = encode(add(multiply(nonce, BASE), shift))
    k = challenge(commitment, public, message)
    return commitment + ((nonce + k * secret) % L).to_bytes(32, "little")
