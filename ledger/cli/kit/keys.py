"""`ledger key`: key files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.options import JsonOutput, PassphraseFile
from ledger.cli.kit.passphrase import read_passphrase, read_pin
from ledger.cli.kit.words import as_json, fields, say
from ledger.core.keys import MLDSA44, LastingKey, PublicKey, SigningKey
from ledger.party.errors import AlreadyThere
from ledger.party.keys.files import Algorithm, KeyFile, write_key
from ledger.party.keys.signers import (
    InEnvironment,
    InToken,
    SignerFile,
    read_file,
    write_environment_signer,
    write_token_signer,
)
from ledger.party.keys.token import Token

app = typer.Typer(
    name="key",
    no_args_is_help=True,
    help="Keys: sealed in files, in the environment, or in a token (HSM); never sent anywhere.",
)
_HEX = re.compile(r"([0-9a-f]{2}){1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
Alg = Annotated[Algorithm, typer.Option(help="ml-dsa-44 withstands quantum computers; it signs beside an ed25519 key.")]
KeyPath = Annotated[Path, typer.Argument(metavar="FILE", help="The key file.")]


@app.command()
def new(
    file: KeyPath,
    alg: Alg = "ed25519",
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Make a key. A party needs two: one to sign with, and a recovery key to keep offline.

    The recovery key replaces a lost or stolen signing key; without it, a name is lost with its key. For evidence that
    outlives Ed25519, make two more with --alg ml-dsa-44, and give them to 'party register' as --lasting-key and
    --lasting-recovery-key: everything is then signed with both.
    """
    if file.exists():
        raise AlreadyThere(file)
    key = LastingKey.generate() if alg == MLDSA44 else SigningKey.generate()
    write_key(file, key, read_passphrase(str(file), passphrase_file, creating=True))
    _tell(file, key.public, "A new key, sealed with your passphrase:", json_output=json_output)


@app.command()
def token(
    file: KeyPath,
    *,
    module: Annotated[
        Path, typer.Option(help="The token's PKCS#11 library, such as /usr/lib/softhsm/libsofthsm2.so.", exists=True)
    ],
    label: Annotated[str, typer.Option("--token", help="The token's label.")],
    key_id: Annotated[
        str | None, typer.Option("--id", help="Take the key with this id (hex) instead of making one.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Make a key in a PKCS#11 token, which never lets it out, and write FILE, which says where it is.

    FILE holds no secret, and goes wherever a key file goes. The PIN comes from LEDGER_PIN, --passphrase-file or a
    prompt. A token that is lost takes its key with it: keep the recovery key elsewhere. Needs the extra 'pkcs11'.
    """
    if file.exists():
        raise AlreadyThere(file)
    if key_id is not None and not _HEX.fullmatch(key_id):
        raise typer.BadParameter("--id: an even number of lower-case hex digits, at most 128")
    wanted = bytes.fromhex(key_id) if key_id is not None else None
    pin = read_pin(str(file), passphrase_file)
    public = write_token_signer(file, Token(str(module.absolute()), label), wanted, pin)
    _tell(file, public, "A key in a token:", json_output=json_output)


@app.command()
def environment(
    file: KeyPath,
    *,
    variable: Annotated[str, typer.Option(help="The variable's name. It is set now, and whenever the key is used.")],
    alg: Alg = "ed25519",
    json_output: JsonOutput = False,
) -> None:
    """Write FILE, which says that the key is the one whose seed stands in an environment variable.

    For secrets that your platform hands to a service. The seed is base64 of 32 random bytes, as from
    `head -c 32 /dev/urandom | base64`. FILE holds no secret.
    """
    if not _VARIABLE.fullmatch(variable):
        raise typer.BadParameter("--variable: letters, digits and underscores, at most 100, and no digit first")
    _tell(file, write_environment_signer(file, variable, alg), "A key in the environment:", json_output=json_output)


@app.command()
def show(file: KeyPath, json_output: JsonOutput = False) -> None:
    """Show the public half of a key, and where the other half is; needs no passphrase."""
    found = read_file(file)
    _tell(file, found.public, "The public half of this key:", json_output=json_output, where=_where(found))


def _where(found: KeyFile | SignerFile) -> dict[str, str]:
    match found:
        case SignerFile(where=InToken() as place):
            return {"where": f"in {place.place}, id {place.id}", "opens vaults as": place.opener.key.keyid}
        case SignerFile(where=InEnvironment(variable=variable)):
            return {"where": f"in the environment variable {variable}"}
        case _:
            return {"where": "sealed in this file"}


def _tell(file: Path, public: PublicKey, words: str, *, json_output: bool, where: dict[str, str] | None = None) -> None:
    document = {"keyid": public.keyid, **public.document(), "file": str(file), **(where or {})}
    if json_output:
        as_json(document)
        return
    say(words, "bold")
    fields(document)
