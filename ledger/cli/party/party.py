"""`ledger party`: who you are on a ledger."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ledger.cli.kit.exit_codes import decline
from ledger.cli.kit.home import reading, run, vault_at
from ledger.cli.kit.identity import (
    Certificate,
    CertificateKey,
    CertificatePassphraseFile,
    Jurisdiction,
    LegalName,
    RegistrationAuthority,
    RegistrationNumber,
    certified_of,
    claimed_of,
    show_identity,
)
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile, RecoveryPassphraseFile
from ledger.cli.kit.saying import Seal, pointers
from ledger.cli.kit.signing import open_key, open_recovery_key
from ledger.cli.kit.words import as_json, fields, say, tell
from ledger.cli.party import party_keys
from ledger.core.keys import ED25519, MLDSA44, Signer
from ledger.core.policy import parse_policy
from ledger.party.acts import enrolment
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import PartyState
from ledger.party.client.client import LedgerClient
from ledger.party.errors import Unfit
from ledger.party.keys.signers import opener_of, read_public
from ledger.party.speaking.drafts import Draft, read_draft, write_draft
from ledger.party.speaking.speaker import now_ms
from ledger.party.vault.vault import Config, Vault

_ResultT = TypeVar("_ResultT")
_BOTH = (
    "--lasting-key and --lasting-recovery-key go together: with recovery keys of Ed25519 alone, whoever breaks that "
    "replaces your other keys"
)

app = typer.Typer(name="party", no_args_is_help=True, help="Parties: who speaks on a ledger, and with which keys.")

LedgerUrl = Annotated[str, typer.Option("--ledger", help="The ledger's address, http(s)://…")]
PolicyFile = Annotated[
    Path,
    typer.Option(
        "--policy",
        help="Whom you trust: the log's key and its witnesses (C2SP tlog-policy). Get it from somebody you believe, "
        "not from the ledger.",
        exists=True,
        dir_okay=False,
    ),
]

LastingKey = Annotated[
    Path | None,
    typer.Option(
        "--lasting-key",
        help="A key file of 'ledger key new --alg ml-dsa-44', which signs beside --key and outlives Ed25519.",
        exists=True,
        dir_okay=False,
    ),
]
LastingRecoveryKey = Annotated[
    Path | None,
    typer.Option("--lasting-recovery-key", help="The same for --recovery-key.", exists=True, dir_okay=False),
]


@app.command()
def register(
    name: Annotated[str, typer.Argument(help="Your permanent name, like alpha or data.alpha.example.")],
    *,
    ledger: LedgerUrl,
    policy: PolicyFile,
    key: Annotated[Path, typer.Option("--key", help="The key file to sign with.", exists=True, dir_okay=False)],
    recovery_key: Annotated[
        Path, typer.Option("--recovery-key", help="The key file to keep offline.", exists=True, dir_okay=False)
    ],
    lasting_key: LastingKey = None,
    lasting_recovery_key: LastingRecoveryKey = None,
    draft: Annotated[
        Path | None,
        typer.Option("--draft", help="Where the operator admits parties: write this file for it to countersign."),
    ] = None,
    legal_name: LegalName = None,
    jurisdiction: Jurisdiction = None,
    registration_authority: RegistrationAuthority = None,
    registration_number: RegistrationNumber = None,
    certificate: Certificate = None,
    certificate_key: CertificateKey = None,
    certificate_passphrase_file: CertificatePassphraseFile = None,
    seal: Seal = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    recovery_passphrase_file: RecoveryPassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Become a party of a ledger, and let --home remember it: later commands need no more than that.

    You are pseudonymous unless you say who you are; what you say of that can be sealed, and shown later to whom you
    choose ('ledger disclose'). It stands permanently beside the name, and cannot be changed.

    Example: ledger party register alpha.example --ledger https://… --policy policy.txt --key signing.json
    --recovery-key recovery.json --legal-name "Alpha plc" --jurisdiction GB --seal /identity/legal_name

    With --lasting-key and --lasting-recovery-key, all that you say is signed with ML-DSA-44 too, and nobody speaks for
    you who has broken Ed25519 alone.
    """
    if (lasting_key is None) is not (lasting_recovery_key is None):
        raise typer.BadParameter(_BOTH)
    party_keys.check_algorithms({ED25519: [key, recovery_key], MLDSA44: [lasting_key, lasting_recovery_key]})
    claimed = claimed_of(
        legal_name=legal_name,
        jurisdiction=jurisdiction,
        authority=registration_authority,
        number=registration_number,
        certified=certified_of(certificate, certificate_key, certificate_passphrase_file),
        seal=pointers(seal),
    )
    vault = vault_at(home)
    if vault.has_config() and vault.config().party != name:
        raise Unfit(f"{vault.directory} belongs to {vault.config().party}: give {name} another --home")
    config = Config(
        key=str(key.absolute()),
        lasting_key=_absolute(lasting_key),
        lasting_recovery_key=_absolute(lasting_recovery_key),
        ledger_url=ledger,
        party=name,
        policy=policy.read_text(encoding="utf-8"),
        recovery_key=str(recovery_key.absolute()),
    )
    signing = open_key(key, passphrase_file)
    recovery = open_recovery_key(recovery_key, recovery_passphrase_file, passphrase_file)
    lasting = None
    if lasting_key is not None and lasting_recovery_key is not None:
        lasting = enrolment.Lasting(
            open_key(lasting_key, passphrase_file),
            open_recovery_key(lasting_recovery_key, recovery_passphrase_file, passphrase_file),
        )

    async def register_now(client: LedgerClient) -> Recorded:
        return await enrolment.register(client, name, signing, recovery, now_ms, lasting=lasting, claimed=claimed)

    async def draft_now(client: LedgerClient) -> Draft:
        return await enrolment.draft(client, name, signing, recovery, now_ms, lasting=lasting, claimed=claimed)

    if draft is not None:
        drafted = run(_with_client(config, vault, draft_now))
        write_draft(draft, drafted, new=True)
        _settle(vault, config, signing, recovery)
        say(
            f"Signed. Send {draft} to the operator, who runs "
            "'ledger party admit FILE --ledger URL --policy FILE --key FILE'.",
            "bold green",
        )
        return
    recorded = run(_with_client(config, vault, register_now))
    _settle(vault, config, signing, recovery)
    tell(recorded, f"{name} is registered.", json_output=json_output, home=str(vault.directory))


@app.command()
def admit(
    file: Annotated[Path, typer.Argument(help="What 'party register --draft' wrote.", exists=True, dir_okay=False)],
    *,
    key: Annotated[Path, typer.Option("--key", help="The operator's key file.", exists=True, dir_okay=False)],
    lasting_key: LastingKey = None,
    ledger: LedgerUrl,
    policy: PolicyFile,
    yes: Annotated[bool, typer.Option("--yes", help="Admit without asking.")] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Show who asks to be a party, ask, countersign as the operator, and have it recorded.

    A draft that was changed, that has expired, or that is not for this ledger or this key, is not signed.
    """
    drafted = read_draft(file)
    paths = [key] if lasting_key is None else [key, lasting_key]
    keyids = [read_public(path).keyid for path in paths]

    async def work() -> Recorded | None:
        trusted = parse_policy(policy.read_text(encoding="utf-8"))
        async with LedgerClient(ledger, trusted, vault_at(home)) as client:
            registration = await enrolment.review(client, drafted, keyids, now_ms)
            say(f"A new party asks to be admitted: {registration.issuer}", "bold", err=True)
            for item, (_, use) in registration.introduced.items():
                fields([(f"{use} key", item)], err=True)
            show_identity(registration, err=True)
            if not yes and not typer.confirm(f"Admit {registration.issuer}, permanently, with these keys?", err=True):
                return None
            operator = [open_key(path, passphrase_file) for path in paths]
            return await enrolment.admit(client, drafted, operator, now_ms)

    recorded = run(work())
    if recorded is None:
        decline("Not signed.")
    tell(recorded, f"{drafted.statement.issuer} is admitted.", json_output=json_output)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The party's name.")], home: Home = HOME, json_output: JsonOutput = False
) -> None:
    """Show a party and its keys, with the registration proved."""

    async def work() -> tuple[PartyState, Recorded]:
        async with reading(home) as client:
            state = await client.party(name)
            registration = await client.entry(state.index)
            if registration.statement.issuer != name:
                raise Unfit(f"the ledger says that entry {state.index} registered {name}, which it did not")
            return state, registration

    state, registration = run(work())
    if json_output:
        as_json(state.model_dump())
        return
    say(name, "bold")
    fields([("registered", f"entry {state.index}"), ("statement", registration.statement_id)])
    show_identity(registration.statement)
    for item in state.keys:
        ended = "" if item.revoked_index is None else f", revoked by entry {item.revoked_index}"
        say(f"  {item.use} key {item.keyid} (entry {item.index}{ended}; {item.alg})")


party_keys.register(app)


def _absolute(path: Path | None) -> str | None:
    return str(path.absolute()) if path is not None else None


def _settle(vault: Vault, config: Config, signing: Signer, recovery: Signer) -> None:
    """Let the home remember who it belongs to, and let both keys open what it will seal."""
    vault.keep_config(config)
    vault.locker(signing, [opener_of(recovery).public])


async def _with_client(
    config: Config, vault: Vault, work: Callable[[LedgerClient], Coroutine[None, None, _ResultT]]
) -> _ResultT:
    async with LedgerClient(config.ledger_url, parse_policy(config.policy), vault) as client:
        return await work(client)
