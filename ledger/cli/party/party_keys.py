"""`ledger party add-key` and `revoke-key`: the keys of a party, over the years."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ledger.cli.kit.exit_codes import decline
from ledger.cli.kit.home import parse_time, reading, run, vault_at
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile, RecoveryPassphraseFile
from ledger.cli.kit.saying import Seal, pointers
from ledger.cli.kit.signing import open_key, open_recovery_key
from ledger.cli.kit.words import say, tell
from ledger.core.keys import ED25519, MLDSA44, Signer
from ledger.party.acts import enrolment
from ledger.party.answers.recorded import Recorded
from ledger.party.answers.replies import PartyState
from ledger.party.errors import Unfit, VaultSealed
from ledger.party.keys.signers import opener_of, read_public
from ledger.party.speaking.speaker import now_ms
from ledger.party.vault.vault import Config, Vault
from ledger.statements.party import RECOVERY, SIGNING

RecoveryKey = Annotated[
    Path | None,
    typer.Option(
        "--recovery-key", help="Your recovery key file, if it is not where it was.", exists=True, dir_okay=False
    ),
]
LastingRecoveryKey = Annotated[
    Path | None,
    typer.Option(
        "--lasting-recovery-key", help="The same for that of ML-DSA-44, if you have one.", exists=True, dir_okay=False
    ),
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
    lasting_recovery_key: LastingRecoveryKey = None,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    recovery_passphrase_file: RecoveryPassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Add a key of your own; the recovery keys vouch for it.

    A key of 'ledger key new --alg ml-dsa-44' signs beside the one that you have, from now on, and outlives Ed25519. Add
    one of each use, signing and recovery: else whoever breaks Ed25519 replaces it.
    """
    config = vault_at(home).config()
    new = open_key(file, passphrase_file)
    is_lasting = new.public.alg == MLDSA44
    if is_lasting and switch:
        raise typer.BadParameter("--switch: a key of ML-DSA-44 is used from now on anyway, beside the other")
    by = _recovery_paths(config, recovery_key, lasting_recovery_key)
    recovery = [open_recovery_key(path, recovery_passphrase_file, passphrase_file) for path in by]

    async def work() -> Recorded:
        async with reading(home) as client:
            return await enrolment.add_key(client, config.party, new, recovery, now_ms, use=use)

    recorded = run(work())
    if not is_lasting:
        _let_open(vault_at(home), recovery[0], new)
    if switch or is_lasting:
        name = ("lasting_" if is_lasting else "") + ("key" if use == "signing" else "recovery_key")
        vault_at(home).keep_config(config.model_copy(update={name: str(file.absolute())}))
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
    lasting_recovery_key: LastingRecoveryKey = None,
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
            decline("Not revoked.")
    if itself:
        by = [open_key(_own_key(config, keyid), passphrase_file)]
    else:
        paths = _recovery_paths(config, recovery_key, lasting_recovery_key)
        by = [open_recovery_key(path, recovery_passphrase_file, passphrase_file) for path in paths]

    async def work() -> tuple[Recorded, PartyState]:
        async with reading(home) as client:
            state = await client.party(config.party)
            recorded = await enrolment.revoke_key(
                client,
                config.party,
                keyid,
                by,
                now_ms,
                compromised_since_ms=since_ms,
                reason=reason,
                seal=pointers(seal),
            )
            return recorded, state

    recorded, state = run(work())
    _forget(vault_at(home), config, keyid, state)
    tell(recorded, f"The key is revoked: it speaks for {config.party} no longer.", json_output=json_output)


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


def check_algorithms(wanted: dict[str, list[Path | None]]) -> None:
    """Refuse a key file given in the place of one of the other algorithm; raise BadParameter."""
    for algorithm, paths in wanted.items():
        for path in paths:
            if path is not None and read_public(path).alg != algorithm:
                raise typer.BadParameter(f"{path} holds a key of {read_public(path).alg}; {algorithm} is needed there")


def _recovery_paths(config: Config, given: Path | None, given_lasting: Path | None) -> list[Path]:
    """Return the files of the recovery keys, the Ed25519 key first; raise BadParameter for one in the other's place."""
    check_algorithms({ED25519: [given], MLDSA44: [given_lasting]})
    paths = [given if given is not None else Path(config.recovery_key)]
    if given_lasting is not None:
        paths.append(given_lasting)
    elif config.lasting_recovery_key is not None:
        paths.append(Path(config.lasting_recovery_key))
    return paths


def _own_key(config: Config, keyid: str) -> Path:
    """Return the file of the signing key in use that has this id; raise Unfit."""
    paths = [Path(path) for path in (config.key, config.lasting_key) if path is not None]
    found = next((path for path in paths if read_public(path).keyid == keyid), None)
    if found is None:
        raise Unfit(f"{keyid} is not a signing key in use here, so it cannot revoke itself; leave --self out")
    return found


def _forget(vault: Vault, config: Config, keyid: str, state: PartyState) -> None:
    """Sign no more with a key of ML-DSA-44 that was revoked: without another one, Ed25519 speaks alone again.

    Its file may be lost, which is why it was revoked: where `state`, from before, has no other of its use, it is ours.
    """
    lasting = [
        ("lasting_key", SIGNING, config.lasting_key),
        ("lasting_recovery_key", RECOVERY, config.lasting_recovery_key),
    ]
    gone = []
    for name, use, path in lasting:
        active = [key.keyid for key in state.active(use) if key.alg == MLDSA44]
        if path is not None and (active == [keyid] or (Path(path).exists() and read_public(Path(path)).keyid == keyid)):
            gone.append(name)
    if gone:
        vault.keep_config(config.model_copy(update=dict.fromkeys(gone)))
