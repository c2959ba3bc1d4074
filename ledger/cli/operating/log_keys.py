"""`ledger log-key`: the keys that sign the log's checkpoints, over the years (docs/format.md §16)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ledger.cli.kit.options import PassphraseFile
from ledger.cli.kit.signing import open_key, open_keys
from ledger.cli.kit.words import fields, say
from ledger.cli.operating.founding import LASTING_OPERATOR_KEY, LOG_KEY, OPERATOR_KEY, POLICY, SERVICE_KEY
from ledger.core.dsse import Envelope, sign
from ledger.core.encoding import Json, b64encode
from ledger.core.keys import MLDSA44, Signer
from ledger.core.note import note_key_of
from ledger.party.errors import Unfit
from ledger.party.files import create_file, replace_file
from ledger.party.keys.signers import read_public
from ledger.registry.facts import LedgerFact
from ledger.server.log.intake.submission import Recorded
from ledger.server.node import record, system_clock

_DAY_MS = 24 * 60 * 60 * 1000
_ROTATION = 4
LASTING = "log-ml-dsa-44"
"""What policies call the log's key of ML-DSA-44 (docs/format.md §16.4)."""
app = typer.Typer(
    name="log-key",
    no_args_is_help=True,
    help="The keys that sign the log's checkpoints: add one, then retire its predecessor. Stop the server meanwhile.",
)
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="What `ledger init` made.", exists=True, file_okay=False)
]


class Operator(NamedTuple):
    """The operator's keys, opened."""

    own: list[Signer]
    service_key: Signer
    log_keys: list[Signer]

    def record(self, directory: Path, words: Callable[[LedgerFact], Iterable[Envelope]]) -> list[Recorded]:
        """Record what the operator says on a ledger that nobody serves meanwhile; raises what `node.record` raises."""
        first, *further = self.log_keys
        return asyncio.run(record(directory, first, self.service_key, words, further))


def log_key_paths(directory: Path) -> list[Path]:
    """Return the files of the log's keys: of those in force, and of retired ones that were not taken away."""
    return sorted((directory / "keys").glob("log*.json"), key=lambda path: (path.name != LOG_KEY, path.name))


def open_operator(directory: Path, passphrase_file: Path | None) -> Operator:
    """Open the operator's signing keys, the service key and the log's keys, asking once for what opens them."""
    keys = directory / "keys"
    own = [path for name in (OPERATOR_KEY, LASTING_OPERATOR_KEY) if (path := keys / name).exists()]
    opened = open_keys([keys / SERVICE_KEY, *own, *log_key_paths(directory)], "the operator's keys", passphrase_file)
    return Operator(opened[1 : 1 + len(own)], opened[0], opened[1 + len(own) :])


def say_as_operator(ledger: LedgerFact, own: Sequence[Signer], kind: str, **said: Json) -> Envelope:
    """Return a statement of the operator's about the ledger itself, signed."""
    now = system_clock()
    statement: dict[str, Json] = {
        "type": kind,
        "ledger": ledger.id,
        "issuer": ledger.operator,
        "signers": sorted(key.public.keyid for key in own),
        "nonce": b64encode(secrets.token_bytes(16)),
        "issued_ms": now,
        "not_after_ms": now + _DAY_MS,
    }
    return sign(statement | said, own)


@app.command()
def add(
    directory: Directory,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The new key, from 'ledger key'.", exists=True, dir_okay=False)
    ],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Let one more key sign every checkpoint from now on, and record that for everybody to see.

    FILE is copied into DIR/keys. Publish policy.txt anew: it lists the old key and the new one, and verifiers need one
    of them. A key of 'ledger key new --alg ml-dsa-44' signs beside the others, and outlives Ed25519.
    """
    keys = open_operator(directory, passphrase_file)
    vkey = bring(directory, keys, new := open_key(file, passphrase_file), file.read_bytes())
    if new.public.alg == MLDSA44:
        say(f"To require it, a policy has the line 'witness {LASTING} <log key>' and names it in its quorum.")
    elif _list_in_policy(directory / POLICY, vkey):
        say(f"Next: publish {directory / POLICY}, which lists it now; retire the old key once verifiers have that.")


def bring(directory: Path, keys: Operator, new: Signer, file: bytes) -> str:
    """Let `new`, whose key file is `file`, sign every checkpoint from now on, and say so; return its vkey.

    Raises what `node.record` raises.
    """
    target = directory / "keys" / f"log-{new.public.keyid[:16]}.json"
    if not target.exists():  # else an earlier attempt was cut short
        create_file(target, file)
    told: list[str] = []

    def words(ledger: LedgerFact) -> list[Envelope]:
        _check_rules(ledger)
        told.append(note_key_of(ledger.origin, new.public).vkey())
        return [say_as_operator(ledger, keys.own, "ledger.log_key_added", log_key=told[0])]

    (recorded,) = keys._replace(log_keys=[*keys.log_keys, new]).record(directory, words)
    say(f"Entry {recorded.entry.index}: this key signs every checkpoint from now on.", "bold green")
    fields({"log key": told[0], "file": target})
    return told[0]


@app.command()
def retire(
    directory: Directory,
    which: Annotated[str, typer.Argument(metavar="KEYID", help="Which key: as 'ledger log-key list' names it.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """End a key of the log's, and record that: checkpoints from now on are signed by the others.

    What it signed stays proved. At least one Ed25519 key stays in force: add the successor first.
    """
    keys = open_operator(directory, passphrase_file)

    def words(ledger: LedgerFact) -> list[Envelope]:
        _check_rules(ledger)
        named = {key.public.keyid: note_key_of(ledger.origin, key.public).vkey() for key in keys.log_keys}
        vkey = named.get(which, which)
        if vkey not in ledger.log_keys_in_force:
            raise Unfit(f"{which} is not a log key in force: 'ledger log-key list {directory}'")
        return [say_as_operator(ledger, keys.own, "ledger.log_key_retired", log_key=vkey)]

    (recorded,) = keys.record(directory, words)
    say(f"Entry {recorded.entry.index}: the key is retired, and signs no checkpoint any more.", "bold green")
    say("Its line may stay in policies for what it signed before; destroy the key itself.")


@app.command("list")
def list_(directory: Directory) -> None:
    """List the files of the log's keys; which of them are in force, the ledger's entries say."""
    for path in log_key_paths(directory):
        public = read_public(path)
        fields({"keyid": public.keyid, "alg": public.alg, "file": path})


def _check_rules(ledger: LedgerFact) -> None:
    if ledger.rules < _ROTATION:
        raise Unfit(f"log keys change under version {_ROTATION} of the rules; take it up first: 'ledger rules'")


def _list_in_policy(path: Path, vkey: str) -> bool:
    """Add the key's line below the last `log` line of the policy that `ledger init` wrote; tell whether it is there."""
    if not path.exists():
        return False
    lines = path.read_text(encoding="utf-8").splitlines()
    places = [at for at, line in enumerate(lines) if line.startswith("log ")]
    if f"log {vkey}" not in lines and places:
        lines.insert(places[-1] + 1, f"log {vkey}")
        replace_file(path, "".join(f"{line}\n" for line in lines).encode())
    return bool(places)
