"""What a party says of itself when it registers: the options, and the words in which it is shown."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.passphrase import read_passphrase
from ledger.cli.kit.saying import stated
from ledger.cli.kit.words import fields
from ledger.core.encoding import Json
from ledger.party.acts.enrolment import Claimed
from ledger.party.keys.certificates import Certified, NeedsPassphrase, read_certified
from ledger.statements.common import Statement
from ledger.statements.fields import Sealed
from ledger.statements.party import PartyRegistered

_PANEL = "Who you are (optional)"

LegalName = Annotated[
    str | None, typer.Option("--legal-name", help="The name in the register.", rich_help_panel=_PANEL)
]
Jurisdiction = Annotated[
    str | None, typer.Option("--jurisdiction", help="Where you are established: DE, US-DE.", rich_help_panel=_PANEL)
]
RegistrationAuthority = Annotated[
    str | None,
    typer.Option("--registration-authority", help="Which register you are in.", rich_help_panel=_PANEL),
]
RegistrationNumber = Annotated[
    str | None,
    typer.Option("--registration-number", help="Your number there; an LEI, for one.", rich_help_panel=_PANEL),
]
Certificate = Annotated[
    Path | None,
    typer.Option(
        "--certificate",
        help="Your X.509 certificate chain (PEM, your own first, at most four): it signs your keys' ids, and verifiers "
        "check that.",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]
CertificateKey = Annotated[
    Path | None,
    typer.Option(
        "--certificate-key",
        help="The private key of your certificate (PEM). It is used once, and not kept.",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]
CertificatePassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--certificate-passphrase-file",
        help="Read the passphrase of that private key from this file, if it has one.",
        exists=True,
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]


def certified_of(chain: Path | None, key: Path | None, passphrase_file: Path | None) -> Certified | None:
    """Return the certificate that stands for the name, or None; raise BadParameter where only half of it was given."""
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise typer.BadParameter("give --certificate and --certificate-key together")
    if passphrase_file is not None:
        return read_certified(chain, key, read_passphrase(str(key), passphrase_file))
    try:
        return read_certified(chain, key)
    except NeedsPassphrase:
        return read_certified(chain, key, read_passphrase(str(key)))


def claimed_of(
    *,
    legal_name: str | None,
    jurisdiction: str | None,
    authority: str | None,
    number: str | None,
    certified: Certified | None,
    seal: Collection[str],
) -> Claimed:
    """Return what the options say of the party."""
    if (authority is None) != (number is None):
        raise typer.BadParameter("give --registration-authority and --registration-number together")
    registration: Json = {"authority": authority, "number": number} if authority is not None else None
    said = {"legal_name": legal_name, "jurisdiction": jurisdiction, "registration": registration}
    return Claimed({name: value for name, value in said.items() if value is not None}, certified, seal)


def show_identity(statement: Statement, *, err: bool = False) -> None:
    """Show what a registration says of its party: words of its own, which nobody here has checked."""
    identity = statement.identity if isinstance(statement, PartyRegistered) else None
    if identity is None:
        return
    if isinstance(identity, Sealed):
        fields([("identity", stated(identity))], err=err)
        return
    certificates = identity.certificates
    if certificates is not None and not isinstance(certificates, Sealed):
        shown: str | None = f"a chain of {len(certificates.chain)}; 'verifier replay' checks it"
    else:
        shown = stated(certificates)
    fields(
        [
            ("legal name", stated(identity.legal_name)),
            ("jurisdiction", stated(identity.jurisdiction)),
            ("registration", stated(identity.registration)),
            ("certificate", shown),
        ],
        err=err,
    )
