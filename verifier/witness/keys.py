"""A witness's keys: a file sealed with a passphrase, and cosigning with what is in it (docs/format.md §17.2).

The seeds are sealed by secretbox (XSalsa20-Poly1305) under argon2id with RFC 9106 §4's second recommendation (3 passes,
64 MiB). The parameters stand in the file and are bounded on reading: a file must not eat the machine's memory or time.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nacl.exceptions
import nacl.pwhash.argon2id
import nacl.secret
import nacl.signing
import nacl.utils
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from verifier.core.b64 import decode_base64, encode_base64
from verifier.core.errors import MalformedInput, UsageError
from verifier.core.notes import TYPE_COSIGNATURE, TYPE_MLDSA44, VerifierKey, cosigned_message, make_key, parse_vkey

TYPE = "provenance-ledger.witness-key/v1"
OPS, MEMORY_BYTES = 3, 64 * 1024 * 1024
MAX_OPS, MIN_MEMORY_BYTES, MAX_MEMORY_BYTES = 10, 8 * 1024, 512 * 1024 * 1024
MAX_FILE_BYTES = 16_384
SEED_BYTES = 32
_SALT_BYTES = 16


@dataclass(frozen=True)
class Cosigner:
    """A witness's private keys: Ed25519 always, ML-DSA-44 where it has one."""

    short: VerifierKey
    short_seed: bytes
    lasting: VerifierKey | None = None
    lasting_seed: bytes = b""

    @property
    def keys(self) -> list[VerifierKey]:
        """The public halves."""
        return [self.short, *([self.lasting] if self.lasting else [])]

    def lines(self, text: bytes, time_unix_s: int) -> bytes:
        """Return the signature lines for a checkpoint's text: one a key (C2SP tlog-cosignature).

        Raises `MalformedInput` where an ML-DSA-44 key cannot cosign it: an origin of more than 255 bytes.
        """
        signed = []
        for key in self.keys:
            message = cosigned_message(key, text, time_unix_s)
            if message is None:
                raise MalformedInput("checkpoint", "malformed", "an origin of more than 255 bytes")
            data = key.key_id + time_unix_s.to_bytes(8, "big") + self._sign(key, message)
            signed.append(f"— {key.name} {encode_base64(data)}\n")
        return "".join(signed).encode()

    def _sign(self, key: VerifierKey, message: bytes) -> bytes:
        if key.kind == TYPE_COSIGNATURE:
            return bytes(self._short_private.sign(message).signature)
        return self._lasting_private.sign(message)

    @cached_property
    def _short_private(self) -> nacl.signing.SigningKey:
        return nacl.signing.SigningKey(self.short_seed)

    @cached_property
    def _lasting_private(self) -> MLDSA44PrivateKey:
        return MLDSA44PrivateKey.from_seed_bytes(self.lasting_seed)


def make_cosigner(name: str, short_seed: bytes, lasting_seed: bytes = b"") -> Cosigner:
    """Return the keys that seeds of 32 bytes make, under a name.

    Raises `UsageError` where it cannot be a key's name.
    """
    public = bytes(nacl.signing.SigningKey(short_seed).verify_key)
    try:
        short = parse_vkey(make_key(name, TYPE_COSIGNATURE, public).vkey)
    except MalformedInput as error:
        raise UsageError(f"a witness's name has no spaces and no '+': {name!r}") from error
    if not lasting_seed:
        return Cosigner(short, short_seed)
    lasting = MLDSA44PrivateKey.from_seed_bytes(lasting_seed).public_key().public_bytes_raw()
    return Cosigner(short, short_seed, make_key(name, TYPE_MLDSA44, lasting), lasting_seed)


def generate(name: str, *, lasting: bool) -> Cosigner:
    """Return new keys from the system's randomness; `lasting`: an ML-DSA-44 key too."""
    return make_cosigner(name, nacl.utils.random(SEED_BYTES), nacl.utils.random(SEED_BYTES) if lasting else b"")


def format_key_file(cosigner: Cosigner, passphrase: bytes) -> bytes:
    """Return the bytes of a key file, sealed with a passphrase that is not empty."""
    salt = nacl.utils.random(_SALT_BYTES)
    secret = _derive(passphrase, salt, OPS, MEMORY_BYTES)
    box = nacl.secret.SecretBox(secret).encrypt(cosigner.short_seed + cosigner.lasting_seed)
    document = {
        "keys": [key.vkey for key in cosigner.keys],
        "name": cosigner.short.name,
        "seeds": {
            "box": encode_base64(bytes(box)),
            "cipher": "xsalsa20-poly1305",
            "kdf": "argon2id",
            "memory_bytes": MEMORY_BYTES,
            "ops": OPS,
            "salt": encode_base64(salt),
        },
        "type": TYPE,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def open_key_file(raw: bytes, passphrase: bytes) -> Cosigner:
    """Return the keys of a file.

    Raises `MalformedInput` for what is not a key file, and `UsageError` where the passphrase does not open it.
    """
    try:
        document = json.loads(raw)
        sealed = _parse_seeds(document)
        name, vkeys = document["name"], document["keys"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedInput("witness key", "malformed", f"{type(error).__name__}: {error}"[:80]) from error
    try:
        seeds = nacl.secret.SecretBox(_derive(passphrase, *sealed[1:])).decrypt(sealed[0])
    except nacl.exceptions.CryptoError as error:
        raise UsageError("the passphrase does not open this key") from error
    cosigner = make_cosigner(str(name), seeds[:SEED_BYTES], seeds[SEED_BYTES:])
    # The public halves are not under the seal: whoever swapped them would have its own key put into policies.
    if [key.vkey for key in cosigner.keys] != vkeys:
        raise MalformedInput("witness key", "malformed", "the sealed keys are others than those named")
    return cosigner


def _parse_seeds(document: dict[str, Any]) -> tuple[bytes, bytes, int, int]:
    """Return box, salt, passes and memory; raises ValueError, KeyError or TypeError."""
    sealed = document["seeds"]
    ops, memory_bytes = sealed["ops"], sealed["memory_bytes"]
    salt, box = decode_base64(sealed["salt"]), decode_base64(sealed["box"])
    if (document["type"], sealed["cipher"], sealed["kdf"]) != (TYPE, "xsalsa20-poly1305", "argon2id"):
        raise ValueError("not a key file of a witness")
    if type(ops) is not int or type(memory_bytes) is not int or box is None or salt is None or len(salt) != _SALT_BYTES:
        raise ValueError("/seeds")
    if not (1 <= ops <= MAX_OPS and MIN_MEMORY_BYTES <= memory_bytes <= MAX_MEMORY_BYTES):
        raise ValueError("argon2id asks for more than it is given")
    return box, salt, ops, memory_bytes


def write_key_file(path: Path, cosigner: Cosigner, passphrase: bytes) -> None:
    """Write a new key file, mode 0600, durably.

    Raises `UsageError` where the file is there: a key that is overwritten is lost.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(format_key_file(cosigner, passphrase))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise UsageError(f"{path} exists: a key that is overwritten is lost") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _derive(passphrase: bytes, salt: bytes, ops: int, memory_bytes: int) -> bytes:
    return nacl.pwhash.argon2id.kdf(nacl.secret.SecretBox.KEY_SIZE, passphrase, salt, ops, memory_bytes)
