"""`ledger timestamp`: an authority of the operator's choice says what time it was (docs/format.md §21)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from cryptography.x509 import Certificate, load_pem_x509_certificates

from ledger.cli.kit.words import fields, say
from ledger.server.log.recovery.stamping import Authority
from ledger.server.log.stamp_inbox import INBOX
from ledger.server.node import stamp, stamp_served
from ledger.server.store.contract import StoreLockedError

MIN_EVERY_S = 60
Tsa = Annotated[
    str | None, typer.Option("--tsa", metavar="URL", help="A time-stamping authority (RFC 3161), http or https.")
]
TsaRoots = Annotated[
    Path | None,
    typer.Option(
        "--tsa-roots",
        help="PEM: the certificates that the authority's own leads to; what they do not vouch for is not kept.",
        exists=True,
        dir_okay=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(timestamp)


def timestamp(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `ledger init` made.", exists=True, file_okay=False)
    ],
    *,
    tsa: Annotated[str, typer.Option("--tsa", metavar="URL", help="A time-stamping authority (RFC 3161).")],
    tsa_roots: Annotated[
        Path,
        typer.Option(
            "--tsa-roots", help="PEM: whom the authority's own certificate leads to.", exists=True, dir_okay=False
        ),
    ],
) -> None:
    """Have the newest checkpoint time-stamped, now: whether the ledger is being served or not.

    The authority learns a hash, and says that it was there by now: so nobody can claim later that the entries were
    made up after the fact, whoever may have helped. Mirrors copy its token, and 'ledger evidence build'
    puts those into a bundle that bound the entries of its case. A ledger that is being served takes the token from
    DIR/timestamps; 'ledger serve DIR --tsa URL --tsa-roots FILE --tsa-every 3600' asks on its own every hour.
    An authority that signs with RSA-PSS is not understood here, though it is by verifiers: have the file
    DIR/published/checkpoint stamped otherwise, and give the answer on by hand ('verifier replay --timestamps').

    Example: ledger timestamp DIR --tsa https://tsa.example.com --tsa-roots tsa.pem
    """
    authority = authority_of(tsa, tsa_roots)
    if authority is None:
        raise typer.BadParameter("--tsa names no authority")
    is_kept = True
    try:
        kept = asyncio.run(stamp(directory, authority))
    except StoreLockedError:  # it is being served, and takes what it is handed
        kept, is_kept = asyncio.run(stamp_served(directory, authority))
    if kept is None:
        say("The newest checkpoint was stamped before: nothing was asked.")
        return
    if not is_kept:
        say(f"The token is in {directory / INBOX}, and not taken yet: a ledger that is served takes it.", "bold yellow")
    say(f"Stamped: {kept.size} entries were there by now.", "bold green")
    fields({"size": kept.size, "token": f"{len(kept.token)} bytes, GET /v1/timestamps/{kept.size}"})


def authority_of(url: str | None, roots: Path | None) -> Authority | None:
    """Return the authority that both options name, None if there are none; raise BadParameter."""
    if url is None and roots is None:
        return None
    if url is None or roots is None:
        raise typer.BadParameter("--tsa and --tsa-roots go together: a token that nobody vouches for is not evidence")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address or "@" in url or not url.isascii() or not url.isprintable():
        raise typer.BadParameter(f"--tsa: {url!a} is not an http or https address without user and password")
    return Authority(url, read_tsa_roots(roots))


def read_tsa_roots(path: Path) -> list[Certificate]:
    """Return the certificates in a PEM file; raise BadParameter if there is none."""
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise typer.BadParameter(f"--tsa-roots: {path} holds no certificates in PEM: {error}") from error
