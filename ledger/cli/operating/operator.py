"""The operator's commands: `init` makes a ledger, `serve` runs it, `rules` takes up newer rules."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.options import PassphraseFile
from ledger.cli.kit.passphrase import read_passphrase
from ledger.cli.kit.signing import forget_secrets, open_keys
from ledger.cli.kit.words import fields, say
from ledger.cli.operating.founding import (
    LASTING_RECOVERY_KEY,
    POLICY,
    RECOVERY_KEY,
    SERVICE_KEY,
    Admission,
    Plan,
    found,
)
from ledger.cli.operating.log_keys import LASTING, bring, log_key_paths, open_operator, say_as_operator
from ledger.cli.operating.timestamp import MIN_EVERY_S, Tsa, TsaRoots, authority_of
from ledger.core.dsse import STATEMENT_TYPE, Envelope
from ledger.core.errors import PolicyError
from ledger.core.keys import LastingKey, Signer
from ledger.party.errors import Unfit
from ledger.party.files import replace_file
from ledger.party.keys.files import format_key_file, seal_key
from ledger.registry.facts import LedgerFact
from ledger.server.node import STAMP_EVERY_S, run
from ledger.statements.parse import NEWEST_RULES, SIGNATURE_FORMS, STATEMENTS

_MAX_PORT = 65_535


class Await(StrEnum):
    """What a submitter waits for."""

    RECORDED = "recorded"
    WITNESSED = "witnessed"


def register(app: typer.Typer) -> None:
    """Add the operator's commands to `app`."""
    app.command()(init)
    app.command()(serve)
    app.command()(rules)


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the ledger will live; made if missing.")],
    *,
    origin: Annotated[
        str, typer.Option(help="The log's permanent name, such as ledger.example.com/data; no '+', no spaces.")
    ],
    operator: Annotated[str, typer.Option(help="The operator's party name, such as exchange.example.com.")],
    relation: Annotated[
        str, typer.Option(help="How the operator stands to the parties; recorded, and part of every report.")
    ] = "The operator runs this ledger and is not a party to the hand-offs on it.",
    admission: Annotated[
        Admission, typer.Option(help="open: anybody registers; operator: the operator countersigns each registration.")
    ] = Admission.OPEN,
    log_key: Annotated[
        Path | None,
        typer.Option(
            help="A file of 'ledger key' to take over as the log's key, instead of a new one.", dir_okay=False
        ),
    ] = None,
    service_key: Annotated[
        Path | None, typer.Option(help="The same for the key that signs refusals and histories.", dir_okay=False)
    ] = None,
    lasting: Annotated[
        bool,
        typer.Option(
            "--lasting", help="Sign with ML-DSA-44 too: checkpoints, and what the operator says. It outlives Ed25519."
        ),
    ] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a ledger: four keys, a database with entry 0, and the policy file that verifiers need.

    DIR/keys/log.json and service.json stay on the server; with --log-key they may be keys in a token.
    Move operator-recovery.json to an offline place, and publish policy.txt wherever verifiers will look for it: on your
    site, in contracts, with your auditor. With --lasting there are three keys of ML-DSA-44 beside them, policy.txt asks
    for the log's own, and operator-recovery-lasting.json goes to the offline place too.
    """
    made = found(
        Plan(directory, origin, operator, relation, admission, lasting),
        log_key,
        service_key,
        passphrase_file=passphrase_file,
    )
    say(f"A new ledger, {origin}:", "bold")
    fields(made)
    if lasting:
        key = LastingKey.generate()
        file = format_key_file(seal_key(key, read_passphrase("the operator's keys", passphrase_file)))
        vkey = bring(directory, open_operator(directory, passphrase_file), key, file)
        policy = (directory / POLICY).read_text(encoding="utf-8")
        required = policy.replace("quorum none\n", f"witness {LASTING} {vkey}\nquorum {LASTING}\n")
        replace_file(directory / POLICY, required.replace("its log key alone", "its two log keys alone").encode())
    offline = [RECOVERY_KEY, LASTING_RECOVERY_KEY] if lasting else [RECOVERY_KEY]
    paths = " and ".join(str(directory / "keys" / name) for name in offline)
    say(f"Next: move {paths} to an offline place, then run 'ledger serve {directory}'.")


def rules(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `ledger init` made.", exists=True, file_okay=False)
    ],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Take up the newest version of the rules, for a ledger that was made under an older one.

    Each version on the way is recorded for everybody to see (`ledger.rules_changed`), and what was said before keeps
    its meaning. Stop the server first, and start it again afterwards.
    """
    keys = open_operator(directory, passphrase_file)
    changes = keys.record(directory, lambda ledger: _newer_rules(ledger, keys.own))
    for version, recorded in enumerate(changes, start=NEWEST_RULES + 1 - len(changes)):
        say(
            f"Entry {recorded.entry.index}: version {version} of the rules is in force from the next entry on.",
            "bold green",
        )


def _newer_rules(ledger: LedgerFact, own: Sequence[Signer]) -> list[Envelope]:
    """Return the operator's steps to the newest version; raise Unfit where it is in force."""
    if ledger.rules >= NEWEST_RULES:
        raise Unfit(f"version {ledger.rules} of the rules is in force, and there is no newer one")
    return [_take_up(version, ledger, own) for version in range(ledger.rules + 1, NEWEST_RULES + 1)]


def _take_up(version: int, ledger: LedgerFact, own: Sequence[Signer]) -> Envelope:
    return say_as_operator(
        ledger,
        own,
        "ledger.rules_changed",
        rules=version,
        payload_types=[STATEMENT_TYPE],
        statement_types=sorted(STATEMENTS[version]),
        signature_forms=SIGNATURE_FORMS[version],
    )


def serve(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `ledger init` made.", exists=True, file_okay=False)
    ],
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; put a TLS proxy in front for the outside world.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=_MAX_PORT, help="Port to listen on; 0 takes a free one.")] = 8080,
    witnesses: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Policy (C2SP tlog-policy) whose witnesses are asked to cosign each checkpoint: this log's line, lines "
                "'witness NAME VKEY URL', groups, and a quorum; such as DIR/witnesses.txt."
            ),
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    wait: Annotated[
        Await,
        typer.Option(
            "--await",
            help="recorded: answer once a statement is on disk; witnessed: once the quorum of --witnesses cosigned it.",
        ),
    ] = Await.RECORDED,
    tsa: Tsa = None,
    tsa_roots: TsaRoots = None,
    tsa_every: Annotated[
        int, typer.Option(min=MIN_EVERY_S, help="With --tsa: seconds from one time-stamp to the next.")
    ] = STAMP_EVERY_S,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Run a ledger until SIGINT or SIGTERM, which finish what was accepted and then stop.

    It re-derives its tree from disk first, and does not start where that contradicts its last checkpoint. With
    --witnesses, readers are shown the newest checkpoint that the quorum cosigned. With --await witnessed, statements
    are answered under it; if it does not come within ten seconds, they are answered as recorded, and say so.
    With --tsa, an authority of your choice stamps the newest checkpoint now and then ('ledger timestamp --help').
    """
    authority = authority_of(tsa, tsa_roots)
    if wait is Await.WITNESSED and witnesses is None:
        raise PolicyError("--await witnessed needs --witnesses: whose cosignatures to wait for")
    policy = witnesses.read_text(encoding="utf-8") if witnesses is not None else None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    paths = [directory / "keys" / SERVICE_KEY, *log_key_paths(directory)]
    service_key, log_key, *further_keys = open_keys(paths, "the log keys and the service key", passphrase_file)
    forget_secrets(paths)  # the worker processes, which parse what strangers send, need not inherit them

    def ready(address: str, bound: int) -> None:
        say(f"Serving http://{address}:{bound}/docs", "bold green")

    serving = run(
        directory,
        log_key,
        service_key,
        further_keys=further_keys,
        host=host,
        port=port,
        ready=ready,
        witnesses=policy,
        await_witnessed=wait is Await.WITNESSED,
        authority=authority,
        stamp_every_s=tsa_every,
    )
    asyncio.run(serving)
