"""Passphrases: from a file, the environment or a prompt; never an argument, which every process list shows."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from ledger.core.errors import LedgerError

ENVIRONMENT = "LEDGER_PASSPHRASE"
RECOVERY_ENVIRONMENT = "LEDGER_RECOVERY_PASSPHRASE"
PIN_ENVIRONMENT = "LEDGER_PIN"
_MAX_BYTES = 4096


class NoPassphrase(LedgerError):
    """There is no passphrase to use. The message never holds one."""


def read_passphrase(what: str, file: Path | None = None, *, creating: bool = False) -> bytes:
    """Return the passphrase of `what`: from `file`, else the environment, else a prompt, twice when `creating`.

    Raises NoPassphrase, or OSError for an unreadable file.
    """
    if file is not None:
        return _checked(_read(file), what)
    environment = os.environ.get(ENVIRONMENT)
    if environment is not None:
        return _checked(os.fsencode(environment), what)
    if not sys.stdin.isatty():
        raise NoPassphrase(f"no passphrase for {what}: give --passphrase-file, or set {ENVIRONMENT}")
    passphrase = getpass.getpass(f"Passphrase for {what}: ")
    if creating and getpass.getpass("The same again: ") != passphrase:
        raise NoPassphrase("the two passphrases differ; nothing was written")
    return _checked(passphrase.encode(), what)


def read_recovery_passphrase(what: str, recovery_file: Path | None, file: Path | None) -> bytes:
    """Return the passphrase of a recovery key: from its own file or variable, else as that of other keys."""
    environment = os.environ.get(RECOVERY_ENVIRONMENT)
    if recovery_file is None and environment is not None:
        return _checked(os.fsencode(environment), what)
    return read_passphrase(what, recovery_file if recovery_file is not None else file)


def read_pin(what: str, file: Path | None) -> bytes:
    """Return the PIN of the token that `what` names: from its own variable, or from `file`, or from a prompt.

    Raises NoPassphrase, or OSError for an unreadable file.
    """
    environment = os.environ.get(PIN_ENVIRONMENT)
    if environment is not None:
        return _checked(os.fsencode(environment), what)
    if file is not None:
        return _checked(_read(file), what)
    if not sys.stdin.isatty():
        raise NoPassphrase(f"no PIN for the token of {what}: give --passphrase-file, or set {PIN_ENVIRONMENT}")
    return _checked(getpass.getpass(f"PIN for the token of {what}: ").encode(), what)


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        raw = stream.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise NoPassphrase(f"{file} is not a passphrase file: it has more than {_MAX_BYTES} bytes")
    # Editors and `echo` end a file with a line feed that nobody means to be part of the secret.
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _checked(passphrase: bytes, what: str) -> bytes:
    if not passphrase:
        raise NoPassphrase(f"the passphrase for {what} is empty")
    return passphrase
