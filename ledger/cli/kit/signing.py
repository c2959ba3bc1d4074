"""Opening keys: a passphrase for a key file, a PIN for a token, neither for a key in the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ledger.cli.kit.passphrase import ENVIRONMENT, PIN_ENVIRONMENT, read_passphrase, read_pin, read_recovery_passphrase
from ledger.core.keys import Signer
from ledger.party.keys.signers import InEnvironment, SignerFile, open_signer, read_file


def open_key(path: Path, passphrase_file: Path | None = None) -> Signer:
    """Open a key file or signer file, asking for its passphrase or PIN if it has one.

    Raises KeyFileError, SignerError, NoPassphrase, OSError.
    """
    what = str(path)
    return open_signer(path, lambda: read_passphrase(what, passphrase_file), lambda: read_pin(what, passphrase_file))


def open_recovery_key(path: Path, recovery_passphrase_file: Path | None, passphrase_file: Path | None) -> Signer:
    """Open a recovery key, whose passphrase may be another one."""
    what = str(path)
    return open_signer(
        path,
        lambda: read_recovery_passphrase(what, recovery_passphrase_file, passphrase_file),
        lambda: read_pin(what, recovery_passphrase_file if recovery_passphrase_file is not None else passphrase_file),
    )


def open_keys(paths: Sequence[Path], what: str, passphrase_file: Path | None) -> list[Signer]:
    """Open several keys of the operator's, asking once for a passphrase, and once for a PIN, of `what`."""
    passphrase, pin = (cache(lambda read=read: read(what, passphrase_file)) for read in (read_passphrase, read_pin))
    return [open_signer(path, passphrase, pin) for path in paths]


def forget_secrets(paths: Sequence[Path]) -> None:
    """Take what opened these keys out of the environment: processes that we start need not inherit it."""
    variables = {ENVIRONMENT, PIN_ENVIRONMENT}
    for found in map(read_file, paths):
        if isinstance(found, SignerFile) and isinstance(found.where, InEnvironment):
            variables.add(found.where.variable)
    for variable in variables:
        os.environ.pop(variable, None)
