"""Keys in a PKCS#11 token (an HSM, a smart card, SoftHSM): Ed25519 by CKM_EDDSA; the private half never leaves it.

PKCS#11 knows one login a token and process, whatever asks for it: so all keys of a token share one session. The PIN is
kept in memory, to log in again after the token was away; it is in no message and no `repr`.
"""

from __future__ import annotations

import hmac
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.core.errors import SignerError
from ledger.core.keys import KEY_BYTES, SIGNATURE_BYTES, PublicKey, is_strong
from ledger.party.extras import MissingExtra

if TYPE_CHECKING:
    from types import ModuleType

_OID = "1.3.101.112"  # id-Ed25519, RFC 8410
_KEY_ID_BYTES = 16
_OCTET_STRING = b"\x04\x20"
_LOCK = threading.RLock()


class _Login(NamedTuple):
    session: Any
    pin: bytes


@dataclass(frozen=True)
class Token:
    """A token: the PKCS#11 library (absolute path) that reaches it, and its label."""

    module: str
    label: str

    def __str__(self) -> str:
        """Name it for people."""
        return f"the token {self.label} ({self.module})"

    def open(self, pin: bytes, *, instead_of: object = None) -> Any:  # noqa: ANN401 - the library has no types
        """Return this process's session, logging in if there is none, or only `instead_of`, which failed.

        Raises SignerError, or MissingExtra without the extra.
        """
        with _LOCK:
            login = _LOGINS.get(self)
            if login is not None and login.session is not instead_of:
                if not hmac.compare_digest(login.pin, pin):
                    raise self._wrong_pin()
                return login.session
            if login is not None:
                _close(_LOGINS.pop(self).session)
            session = self._log_in(pin)
            _LOGINS[self] = _Login(session, pin)
            return session

    def make_key(self, pin: bytes) -> bytes:
        """Make a key in the token, which never lets it out, and return its id; raise SignerError."""
        pkcs11 = _library()
        from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

        session, key_id = self.open(pin), os.urandom(_KEY_ID_BYTES)
        parameters = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_OID)}
        never_out = {pkcs11.Attribute.EXTRACTABLE: False, pkcs11.Attribute.SENSITIVE: True}
        try:
            curve = session.create_domain_parameters(pkcs11.KeyType.EC_EDWARDS, parameters, local=True)
            curve.generate_keypair(
                mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                id=key_id,
                label="provenance-ledger",
                private_template=never_out,
            )
        except pkcs11.PKCS11Error as error:
            raise SignerError(str(self), f"it cannot make an Ed25519 key: {_name(error)}") from None
        return key_id

    def _log_in(self, pin: bytes) -> Any:  # noqa: ANN401 - the library has no types
        pkcs11 = _library()
        try:
            return pkcs11.lib(self.module).get_token(token_label=self.label).open(user_pin=os.fsdecode(pin), rw=True)
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            raise self._wrong_pin() from None
        except pkcs11.PinLocked:
            raise SignerError(str(self), "it is locked after too many wrong PINs") from None
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise SignerError(str(self), f"it cannot be used: {_name(error)}") from None

    def _wrong_pin(self) -> SignerError:
        return SignerError(str(self), "the PIN is wrong; after a few wrong ones a token locks itself")


_LOGINS: dict[Token, _Login] = {}


class TokenSigner:
    """One Ed25519 key in a token. Logs in again, once, where the token was away in between."""

    def __init__(self, token: Token, key_id: bytes, pin: bytes) -> None:
        """Log in and find the key; raise SignerError or MissingExtra."""
        self._token, self._id, self._pin = token, key_id, pin
        self._session: Any = None
        self._key: Any = None
        self.public = self._connect()

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`; raise SignerError."""
        pkcs11 = _library()
        with _LOCK:
            try:
                signature = self._sign(message)
            except pkcs11.PKCS11Error:
                if self._connect() != self.public:
                    raise SignerError(str(self._token), "it has another key now") from None
                try:
                    signature = self._sign(message)
                except pkcs11.PKCS11Error as error:
                    raise SignerError(str(self._token), f"it does not sign: {_name(error)}") from None
        if len(signature) != SIGNATURE_BYTES:
            raise SignerError(str(self._token), f"its signature has {len(signature)} bytes: this is not Ed25519")
        return signature

    def __repr__(self) -> str:
        """Return a form without the PIN."""
        return f"TokenSigner(keyid={self.public.keyid})"

    def _sign(self, message: bytes) -> bytes:
        return bytes(self._key.sign(message, mechanism=_library().Mechanism.EDDSA))

    def _connect(self) -> PublicKey:
        pkcs11 = _library()
        self._session = self._token.open(self._pin, instead_of=self._session)
        try:
            self._key = self._session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, id=self._id)
            public = self._session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, id=self._id)
            point = bytes(public[pkcs11.Attribute.EC_POINT])
        except pkcs11.PKCS11Error as error:
            raise SignerError(str(self._token), f"it has no usable key {self._id.hex()}: {_name(error)}") from None
        # CKA_EC_POINT is an OCTET STRING in PKCS#11 3.0, and bare bytes in some tokens.
        raw = point.removeprefix(_OCTET_STRING) if len(point) == KEY_BYTES + len(_OCTET_STRING) else point
        if not is_strong(raw):
            raise SignerError(str(self._token), f"its key {self._id.hex()} is not an Ed25519 key")
        return PublicKey(raw)


def _close(session: Any) -> None:  # noqa: ANN401 - the library has no types
    with suppress(_library().PKCS11Error):  # it may be gone already
        session.close()


def _library() -> ModuleType:
    try:
        import pkcs11  # noqa: PLC0415 - only whoever has a token needs it
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "pkcs11") from error
    library: ModuleType = pkcs11
    return library


def _name(error: Exception) -> str:
    """Return words for an error of the library: its type says it all, and its text is the library's own."""
    return type(error).__name__
