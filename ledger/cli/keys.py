"""`ledger key`: key files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.home import JsonOutput, PassphraseFile
from ledger.cli.passphrase import read_passphrase
from ledger.cli.words import as_json, fields, say
from ledger.core.keys import PublicKey, SigningKey
from ledger.party.errors import AlreadyThere
from ledger.party.keyring import read_public, write_key

app = typer.Typer(
    name="key",
    no_args_is_help=True,
    help="Key files: made here, sealed with a passphrase, and never sent anywhere.",
)
KeyPath = Annotated[Path, typer.Argument(metavar="FILE", help="The key file.")]


@app.command()
def new(file: KeyPath, passphrase_file: PassphraseFile = None, json_output: JsonOutput = False) -> None:
    """Make a key. A party needs two: one to sign with, and a recovery key to keep offline.

    The recovery key replaces a lost or stolen signing key; without it, a name is lost with its key.
    """
    if file.exists():
        raise AlreadyThere(file)
    key = SigningKey.generate()
    write_key(file, key, read_passphrase(str(file), passphrase_file, creating=True))
    _tell(file, key.public, "A new key, sealed with your passphrase:", json_output=json_output)


@app.command()
def show(file: KeyPath, json_output: JsonOutput = False) -> None:
    """Show the public half of a key; needs no passphrase."""
    _tell(file, read_public(file), "The public half of this key:", json_output=json_output)


def _tell(file: Path, public: PublicKey, words: str, *, json_output: bool) -> None:
    document = {"keyid": public.keyid, **public.document(), "file": str(file)}
    if json_output:
        as_json(document)
        return
    say(words, "bold")
    fields(document)
