"""`ledger party add-key` and `revoke-key`: the keys of a party, over the years."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ledger.cli.home import DEFAULT_HOME as HOME
from ledger.cli.home import (
    Home,
    JsonOutput,
    PassphraseFile,
    RecoveryPassphraseFile,
    parse_time,
    reading,
    run,
    vault_at,
)
from ledger.cli.saying import Seal, pointers
from ledger.cli.signing import open_key, open_recovery_key
from ledger.cli.words import say, tell
from ledger.core.keys import Signer
from ledger.party import enrolment
from ledger.party.errors import VaultSealed
from ledger.party.recorded import Recorded
from ledger.party.signers import opener_of
from ledger.party.speaker import now_ms
from ledger.party.vault import Config, Vault
from ledger.statements.party import RECOVERY

RecoveryKey = Annotated[
    Path | None, typer.Option("--recovery-key", help="Your recovery key file, if it is not where it was.")
]


def register(app: typer.Typer) -> None:
    """Add both commands to `app`."""
    app.command("add-key")(add_key)
    app.command("revoke-key")(revoke_key)


def add_key(
    file: Annotated[Path, typer.Argument(help="The new key file, from 'ledger key new'.", exists=True, dir_okay=False)],
    *,
    use: Annotated[Literal["signing", "recovery"], typer.Option("--use", help="What the new key is for.")] = "signing",
    switch: Annotated[bool, typer.Option("--switch", help="From now on, use this key.")] = False,
    recovery_key: RecoveryKey = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    recovery_passphrase_file: RecoveryPassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Add a key of your own; the recovery key vouches for it."""
    config = vault_at(home).config()
    new = open_key(file, passphrase_file)
    recovery = _recovery_key(config, recovery_key, recovery_passphrase_file, passphrase_file)

    async def work() -> Recorded:
        async with reading(home) as client:
            return await enrolment.add_key(client, config.party, new, recovery, now_ms, use=use)

    recorded = run(work())
    _let_open(vault_at(home), recovery, new)
    if switch:
        changed = {"key" if use == "signing" else "recovery_key": str(file.absolute())}
        vault_at(home).keep_config(config.model_copy(update=changed))
    tell(recorded, f"{config.party} has one more {use} key.", json_output=json_output)


def revoke_key(
    keyid: Annotated[str, typer.Argument(help="Which key, as 'ledger key show' or 'party show' names it.")],
    *,
    compromised_since: Annotated[
        str | None,
        typer.Option("--compromised-since", help="Since when it may have been in other hands: a date or time."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why, for everybody to read unless you --seal /reason.")
    ] = None,
    seal: Seal = None,
    itself: Annotated[
        bool, typer.Option("--self", help="Sign with the very key that is revoked, not with the recovery key.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Revoke the last recovery key without asking.")] = False,
    recovery_key: RecoveryKey = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    recovery_passphrase_file: RecoveryPassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """End a key of your own. What it signed before stays on the ledger.

    You are asked before your last recovery key is revoked: after it, no key of yours can ever be added or replaced.
    """
    config = vault_at(home).config()
    since_ms = parse_time(compromised_since, "--compromised-since") if compromised_since is not None else None
    if not yes and run(_is_last_recovery_key(home, config.party, keyid)):
        say(f"This is the last recovery key of {config.party}. Without one, no key of {config.party} can", err=True)
        say("ever be added or replaced: the name is lost with its signing keys.", err=True)
        if not typer.confirm("Revoke it all the same?", err=True):
            say("Not revoked.", err=True)
            raise typer.Exit(1)
    if itself:
        by = open_key(Path(config.key), passphrase_file)
    else:
        by = _recovery_key(config, recovery_key, recovery_passphrase_file, passphrase_file)

    async def work() -> Recorded:
        async with reading(home) as client:
            return await enrolment.revoke_key(
                client,
                config.party,
                keyid,
                by,
                now_ms,
                compromised_since_ms=since_ms,
                reason=reason,
                seal=pointers(seal),
            )

    tell(run(work()), f"The key is revoked: it speaks for {config.party} no longer.", json_output=json_output)


def _let_open(vault: Vault, by: Signer, new: Signer) -> None:
    """Let a new key open what the vault's disclosures are encrypted with; say what to keep where that fails."""
    try:
        vault.locker(by).admit(opener_of(new).public)
    except VaultSealed as error:
        say(
            f"What you sealed so far still opens with the key {' or '.join(error.keyids)} only: keep its file.",
            "yellow",
            err=True,
        )


async def _is_last_recovery_key(home: Path, name: str, keyid: str) -> bool:
    async with reading(home) as client:
        return [item.keyid for item in (await client.party(name)).active(RECOVERY)] == [keyid]


def _recovery_key(
    config: Config, given: Path | None, recovery_passphrase_file: Path | None, passphrase_file: Path | None
) -> Signer:
    path = given if given is not None else Path(config.recovery_key)
    return open_recovery_key(path, recovery_passphrase_file, passphrase_file)
