"""Where a key is: sealed in its file, in an environment variable, or in a token that never lets it out.

Whatever takes the path of a key file takes the path of a *signer file* as well: a small JSON file, without any secret,
that says where the key is and which one it is. So a log key, a service key or a party's key moves into an HSM by
another file in its place, and nothing else changes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ledger.core.encoding import b64decode, b64encode, canonical, parse_json
from ledger.core.errors import FormatError, SignerError
from ledger.core.keys import ED25519, KEY_BYTES, MLDSA44, LastingKey, PublicKey, Signer, SigningKey
from ledger.party.errors import NotAKeyFile
from ledger.party.files import create_file
from ledger.party.keys.files import MAX_FILE_BYTES, Algorithm, HeldKey, KeyFile, NamedKey, parse_key_file, read_key
from ledger.party.keys.token import Token, TokenSigner
from ledger.statements.fields import Key, Model, ShortKey
from ledger.statements.reading import read_model

SIGNER_FILE_TYPE: Literal["provenance-ledger.signer/v1"] = "provenance-ledger.signer/v1"
_OPENER = b"provenance-ledger/opener/v1\n"


class InEnvironment(Model):
    """The seed is in the environment variable `variable`, as base64 of 32 bytes."""

    kind: Literal["environment"] = "environment"
    variable: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]


class InToken(Model):
    """The key has the id `id` (hex) in the token labelled `token`, which the PKCS#11 library `module` reaches."""

    kind: Literal["pkcs11"] = "pkcs11"
    module: Annotated[str, StringConstraints(pattern=r"^/[^\n]+$", max_length=4096)]
    token: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    id: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){1,64}$")]
    opener: ShortKey
    """The public half of what `opener_of` derives: a vault is sealed to it without asking the token."""

    @property
    def place(self) -> Token:
        """Where the token is."""
        return Token(self.module, self.token)


class SignerFile(NamedKey):
    """A signer file's content; it holds no secret."""

    alg: Algorithm = "ed25519"
    type: Literal["provenance-ledger.signer/v1"] = SIGNER_FILE_TYPE
    where: Annotated[InEnvironment | InToken, Field(discriminator="kind")]


def read_file(path: Path) -> KeyFile | SignerFile:
    """Read a key file or a signer file, without its secret; raise NotAKeyFile or OSError."""
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    try:
        document = parse_json(raw[:MAX_FILE_BYTES])
        if not isinstance(document, dict) or document.get("type") != SIGNER_FILE_TYPE:
            return parse_key_file(raw)
        found = read_model(SignerFile, document)
        _ = found.public
    except FormatError as error:
        raise NotAKeyFile(path, f"neither a key file nor a signer file: {error}") from error
    return found


def read_public(path: Path) -> PublicKey:
    """Read the public half, which needs no secret; raise NotAKeyFile or OSError."""
    return read_file(path).public


def read_opener(path: Path) -> PublicKey:
    """Read the public half of `opener_of` the key; raise NotAKeyFile or OSError."""
    found = read_file(path)
    if isinstance(found, SignerFile) and isinstance(found.where, InToken):
        return found.where.opener.key
    if found.public.alg != ED25519:
        raise NotAKeyFile(path, "a key of this algorithm opens no vault")
    return found.public


def open_signer(path: Path, passphrase: Callable[[], bytes], pin: Callable[[], bytes]) -> Signer:
    """Open the key of a key file or signer file; `passphrase` or `pin` is asked for only where it is needed.

    Raises NotAKeyFile, WrongPassphrase, SignerError, OSError, and what the two raise.
    """
    found = read_file(path)
    if isinstance(found, KeyFile):
        return read_key(path, passphrase())
    if isinstance(found.where, InEnvironment):
        signer: Signer = seed_in_environment(found.where.variable, found.alg)
    else:
        signer = TokenSigner(found.where.place, bytes.fromhex(found.where.id), pin())
    if signer.public != found.public:
        raise NotAKeyFile(path, "the key is another one than this file names")
    return signer


def seed_in_environment(variable: str, alg: Algorithm) -> HeldKey:
    """Return the key whose seed is in an environment variable; raise SignerError, which never holds the value."""
    text = os.environ.get(variable)
    if text is None:
        raise SignerError(variable, "this environment variable is not set; it holds the key's seed")
    try:
        seed = b64decode(text.strip())
    except FormatError:
        seed = b""
    if len(seed) != KEY_BYTES:
        # No cause is chained: it could quote the secret.
        raise SignerError(variable, f"this environment variable does not hold base64 of {KEY_BYTES} bytes") from None
    return LastingKey(seed) if alg == MLDSA44 else SigningKey(seed)


def opener_of(signer: Signer) -> SigningKey:
    """Return the key that opens what is sealed for this signer (see `locker`).

    A key that is here opens itself. A token only signs; so its opener is derived from its signature over a text that
    is not a statement and no checkpoint. Ed25519 signatures are deterministic (RFC 8032 §5.1.6).
    """
    return signer if isinstance(signer, SigningKey) else SigningKey(sha256(signer.sign(_OPENER)).digest())


def write_environment_signer(path: Path, variable: str, alg: Algorithm = "ed25519") -> PublicKey:
    """Write a signer file for the key in a variable; raise SignerError or AlreadyThere."""
    public = seed_in_environment(variable, alg).public
    _write(path, public, InEnvironment(variable=variable))
    return public


def write_token_signer(path: Path, token: Token, key_id: bytes | None, pin: bytes) -> PublicKey:
    """Write a signer file for a key in a token, made there if `key_id` is None; raise SignerError or AlreadyThere."""
    if key_id is None:
        key_id = token.make_key(pin)
    signer = TokenSigner(token, key_id, pin)
    opener = opener_of(signer)
    if opener != opener_of(signer):
        raise SignerError(str(token), "its signatures are not deterministic: this is not Ed25519 as RFC 8032 has it")
    _write(
        path,
        signer.public,
        InToken(module=token.module, token=token.label, id=key_id.hex(), opener=Key(**opener.public.document())),
    )
    return signer.public


def _write(path: Path, public: PublicKey, where: InEnvironment | InToken) -> None:
    alg: Algorithm = "ml-dsa-44" if public.alg == MLDSA44 else "ed25519"
    found = SignerFile(alg=alg, keyid=public.keyid, public_key=b64encode(public.raw), where=where)
    create_file(path, canonical(found.model_dump()) + b"\n")
