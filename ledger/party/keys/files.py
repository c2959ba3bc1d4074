"""Key files: one Ed25519 or ML-DSA-44 key, sealed with a passphrase.

The seed is sealed by secretbox (XSalsa20-Poly1305) under argon2id with RFC 9106 §4's second recommendation (3 passes,
64 MiB). The parameters stand in the file, so that they can grow; they are bounded on reading, so that a hostile file
cannot eat the machine's memory or time. The public half is readable without the passphrase.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import nacl.exceptions
import nacl.pwhash.argon2id
import nacl.secret
import nacl.utils
from pydantic import Field

from ledger.core.encoding import b64decode, b64encode, canonical, parse_json
from ledger.core.errors import FormatError
from ledger.core.keys import KEY_BYTES, MLDSA44, LastingKey, PublicKey, SigningKey
from ledger.party.errors import NotAKeyFile, WrongPassphrase
from ledger.party.files import create_file
from ledger.statements.fields import Hex32, Model, Nonce
from ledger.statements.reading import read_model

KEY_FILE_TYPE: Literal["provenance-ledger.key/v1"] = "provenance-ledger.key/v1"
OPS = 3
MEMORY_BYTES = 64 * 1024 * 1024
MAX_OPS = 10
MIN_MEMORY_BYTES = 8 * 1024
MAX_MEMORY_BYTES = 512 * 1024 * 1024
MAX_FILE_BYTES = 16_384
_MAX_BOX_CHARACTERS = 200
_SALT_BYTES = 16

Algorithm = Literal["ed25519", "ml-dsa-44"]
HeldKey = SigningKey | LastingKey
"""A private key that is in memory."""


class SealedSeed(Model):
    """The seed under a passphrase: `box` is nonce ‖ ciphertext, `memory_bytes` and `ops` are argon2id's."""

    box: Annotated[str, Field(max_length=_MAX_BOX_CHARACTERS)]
    cipher: Literal["xsalsa20-poly1305"] = "xsalsa20-poly1305"
    kdf: Literal["argon2id"] = "argon2id"
    memory_bytes: Annotated[int, Field(ge=MIN_MEMORY_BYTES, le=MAX_MEMORY_BYTES)]
    ops: Annotated[int, Field(ge=1, le=MAX_OPS)]
    salt: Nonce


class NamedKey(Model):
    """The public half of a key, with the keyid that has to be its own."""

    alg: Algorithm
    keyid: Hex32
    public_key: str

    @property
    def public(self) -> PublicKey:
        """The public half; raise FormatError for a weak key or one that the keyid does not name."""
        key = PublicKey.parse(self.alg, self.public_key)
        if key.keyid != self.keyid:
            raise FormatError("wrong-value", "/keyid", "the keyid is another key's")
        return key


class KeyFile(NamedKey):
    """A key file's content."""

    seed: SealedSeed
    type: Literal["provenance-ledger.key/v1"] = KEY_FILE_TYPE


def seal_key(key: HeldKey, passphrase: bytes) -> KeyFile:
    """Return the file form of `key`, sealed with `passphrase` (not empty)."""
    if not passphrase:
        raise ValueError("a passphrase is not empty")
    salt = nacl.utils.random(_SALT_BYTES)
    box = nacl.secret.SecretBox(_derive(passphrase, salt, OPS, MEMORY_BYTES)).encrypt(key.seed)
    seed = SealedSeed(box=b64encode(bytes(box)), memory_bytes=MEMORY_BYTES, ops=OPS, salt=b64encode(salt))
    public = key.public
    alg: Algorithm = "ml-dsa-44" if isinstance(key, LastingKey) else "ed25519"
    return KeyFile(alg=alg, keyid=public.keyid, public_key=b64encode(public.raw), seed=seed)


def open_key(file: KeyFile, passphrase: bytes) -> HeldKey:
    """Return the key; raise FormatError for a changed file, and CryptoError where the passphrase does not open it."""
    sealed = file.seed
    secret = _derive(passphrase, b64decode(sealed.salt), sealed.ops, sealed.memory_bytes)
    seed = nacl.secret.SecretBox(secret).decrypt(b64decode(sealed.box, "/seed/box"))
    key: HeldKey = LastingKey(seed) if file.alg == MLDSA44 else SigningKey(seed)
    # The public half is not under the seal: a swapped one would make its owner publish a stranger's key as its own.
    if len(seed) != KEY_BYTES or key.public != file.public:
        raise FormatError("wrong-value", "/public_key", "the sealed key is another one")
    return key


def format_key_file(file: KeyFile) -> bytes:
    """Return the bytes of a key file: canonical JSON and LF."""
    return canonical(file.model_dump()) + b"\n"


def parse_key_file(raw: bytes) -> KeyFile:
    """Parse a key file; raise FormatError."""
    if len(raw) > MAX_FILE_BYTES:
        raise FormatError("too-large", detail=f"a key file has at most {MAX_FILE_BYTES} bytes")
    file = read_model(KeyFile, parse_json(raw))
    _ = file.public
    return file


def write_key(path: Path, key: HeldKey, passphrase: bytes) -> None:
    """Write a new key file, 0600; raise AlreadyThere: a key that is overwritten is lost."""
    create_file(path, format_key_file(seal_key(key, passphrase)))


def read_key(path: Path, passphrase: bytes) -> HeldKey:
    """Read and open a key file; raise NotAKeyFile, WrongPassphrase or OSError."""
    file = _read(path)
    try:
        return open_key(file, passphrase)
    except nacl.exceptions.CryptoError as error:
        raise WrongPassphrase(path, "the passphrase does not open this key") from error
    except FormatError as error:
        raise NotAKeyFile(path, str(error)) from error


def _read(path: Path) -> KeyFile:
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    try:
        return parse_key_file(raw)
    except FormatError as error:
        raise NotAKeyFile(path, f"not a key file: {error}") from error


def _derive(passphrase: bytes, salt: bytes, ops: int, memory_bytes: int) -> bytes:
    return nacl.pwhash.argon2id.kdf(nacl.secret.SecretBox.KEY_SIZE, passphrase, salt, ops, memory_bytes)
