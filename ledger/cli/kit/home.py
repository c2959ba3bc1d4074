"""What the companies' commands share: options, and a client or a speaker from a home."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ledger.cli.kit.passphrase import ENVIRONMENT, PIN_ENVIRONMENT, RECOVERY_ENVIRONMENT
from ledger.cli.kit.signing import open_key
from ledger.core.policy import parse_policy
from ledger.party.answers.transport import Query
from ledger.party.client.client import LedgerClient
from ledger.party.keys.signers import read_public
from ledger.party.speaking.speaker import Member, Speaker
from ledger.party.vault.vault import Vault

_ResultT = TypeVar("_ResultT")

MIRRORS = "LEDGER_MIRRORS"
"""URLs, parted by spaces, of mirrors to ask for proofs where the ledger does not answer."""
DEFAULT_HOME = Path("~/.provenance-ledger")
MAX_PAGE = 500

Home = Annotated[
    Path,
    typer.Option(
        "--home", envvar="LEDGER_HOME", help="Your vault: who you are, receipts, disclosures. Keep it, and back it up."
    ),
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help=(
            f"Read the key's passphrase (or its token's PIN) from this file. Otherwise {ENVIRONMENT} "
            f"({PIN_ENVIRONMENT}) is used, or you are asked."
        ),
        exists=True,
        dir_okay=False,
    ),
]
RecoveryPassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--recovery-passphrase-file",
        help=f"The same for the recovery key ({RECOVERY_ENVIRONMENT}), if its passphrase is another one.",
        exists=True,
        dir_okay=False,
    ),
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror",
        help="Read a copy of the ledger (made by 'verifier mirror') instead of asking it.",
        exists=True,
        file_okay=False,
    ),
]
MirrorPolicy = Annotated[
    Path | None,
    typer.Option("--policy", help="With --mirror: whom to trust; your home's by default.", exists=True, dir_okay=False),
]
PartyFilter = Annotated[str | None, typer.Option("--party", help="Only those that concern this party.")]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Go on where an earlier page ended.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=MAX_PAGE, help="At most so many.")]


def run(work: Coroutine[Any, Any, _ResultT]) -> _ResultT:
    """Run a coroutine to its end."""
    return asyncio.run(work)


def vault_at(home: Path) -> Vault:
    """Return the vault of a home."""
    return Vault(home.expanduser().absolute())


@asynccontextmanager
async def reading(home: Path) -> AsyncIterator[LedgerClient]:
    """Give a client of the home's ledger, once it was looked whether promises that the home holds were kept."""
    vault = vault_at(home)
    config = vault.config()
    mirrors = os.environ.get(MIRRORS, "").split()
    async with LedgerClient(config.ledger_url, parse_policy(config.policy), vault, mirrors=mirrors) as client:
        await client.check_promises()
        yield client


@asynccontextmanager
async def knowing(home: Path) -> AsyncIterator[Member]:
    """Give the home's party, for what needs no signature and therefore no passphrase."""
    vault = vault_at(home)
    config = vault.config()
    async with reading(home) as client:
        lasting = read_public(Path(config.lasting_key)).keyid if config.lasting_key is not None else None
        yield Member(client, vault, config.party, read_public(Path(config.key)).keyid, lasting=lasting)


@asynccontextmanager
async def speaking(home: Path, passphrase_file: Path | None) -> AsyncIterator[Speaker]:
    """Give a speaker for the home's party; asks for the passphrase of its keys."""
    vault = vault_at(home)
    config = vault.config()
    key = open_key(Path(config.key), passphrase_file)
    lasting = open_key(Path(config.lasting_key), passphrase_file) if config.lasting_key is not None else None
    async with reading(home) as client:
        yield Speaker(client, vault, config.party, key, lasting=lasting)


def page_query(party: str | None, cursor: str | None, limit: int) -> Query:
    """Return the query of a list."""
    pairs = [("party", party), ("cursor", cursor), ("limit", str(limit))]
    return [(name, value) for name, value in pairs if value is not None]


def parse_time(text: str, option: str) -> int:
    """Return an RFC 3339 date (midnight UTC) or date and time (with its offset) in Unix milliseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {text!a} is not a date like 2026-12-31 or 2026-12-31T12:00:00Z") from error
    if len(text) == len("2026-12-31"):
        moment = moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{option}: say which time zone is meant, as in {text}Z or {text}+02:00")
    milliseconds = round(moment.timestamp() * 1000)
    if milliseconds < 0:
        raise typer.BadParameter(f"{option}: not before 1970")
    return milliseconds
