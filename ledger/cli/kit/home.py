"""What the companies' commands share: a client or a speaker from a home."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import typer

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
