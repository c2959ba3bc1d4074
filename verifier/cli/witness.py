"""`verifier witness`: make a witness's key, and run a witness."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.cli import manual
from verifier.cli.arguments import MAX_POLICY_BYTES, parse_port, read_file
from verifier.core.errors import UsageError
from verifier.core.policy import parse_policy
from verifier.core.verdict import UNKNOWN, VERIFIED
from verifier.core.words import escape
from verifier.witness.keys import MAX_FILE_BYTES, generate, open_key_file, write_key_file
from verifier.witness.store import WitnessStore
from verifier.witness.witness import Witness

if TYPE_CHECKING:
    from verifier.witness.keys import Cosigner

PASSPHRASE = "VERIFIER_PASSPHRASE"  # noqa: S105 - the name of a variable
DATABASE = "witness.db"
_MAX_PASSPHRASE_BYTES = 4096


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `witness` with its own commands."""
    raw = argparse.RawDescriptionHelpFormatter
    what = "be a witness: cosign what a log shows, if it only grows"
    witness = commands.add_parser(
        "witness", help=what, description=f"{what}.", epilog=manual.WITNESS, formatter_class=raw
    )
    kinds = witness.add_subparsers(dest="witness", required=True)
    key = kinds.add_parser("key", help="make a witness's key", description="A witness's key file.")
    new = key.add_subparsers(dest="key", required=True).add_parser(
        "new",
        help="make a key file, and print the lines for policies",
        description="Makes a key file (mode 0600), sealed with a passphrase, and prints the lines for policies.",
    )
    new.add_argument("file", metavar="FILE")
    new.add_argument("--name", required=True, help="the witness's permanent name, such as witness.example.org/w1")
    new.add_argument("--ml-dsa-44", action="store_true", help="a second key, which outlives Ed25519 (type 0x06)")
    serve = kinds.add_parser(
        "serve",
        help="run a witness (C2SP tlog-witness)",
        description="Runs a witness for every log of a policy, until SIGINT or SIGTERM.",
        epilog=manual.WITNESS,
        formatter_class=raw,
    )
    serve.add_argument("--policy", required=True, metavar="FILE", help="its log lines say whose checkpoints to cosign")
    serve.add_argument("--key", required=True, metavar="FILE", help="what `verifier witness key new` made")
    serve.add_argument("--state", required=True, metavar="DIR", help="what the witness remembers; made if missing")
    serve.add_argument(
        "--fraud-dir", metavar="DIR", help="where proof of a fork is written (default: fraud in --state)"
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument(
        "--port", type=parse_port, default=8090, help="port to listen on; 0 takes a free one (%(default)s)"
    )
    for command in (new, serve):
        command.add_argument("--passphrase-file", metavar="FILE", help=f"else {PASSPHRASE}, else a question is asked")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands; return the exit code.

    Raises `UsageError` or `MalformedInput`.
    """
    return _serve(arguments) if arguments.witness == "serve" else _new_key(arguments)


def _new_key(arguments: argparse.Namespace) -> int:
    cosigner = generate(arguments.name, lasting=arguments.ml_dsa_44)
    write_key_file(Path(arguments.file), cosigner, _passphrase(arguments.passphrase_file, is_new=True))
    for number, key in enumerate(cosigner.keys):
        print(f"witness {escape(arguments.name)}{'-ml-dsa-44' if number else ''} {key.vkey}")
    return VERIFIED


def _serve(arguments: argparse.Namespace) -> int:
    # Checking needs no aiohttp, and must work where there is none.
    try:
        from verifier.service import witness as witness_server  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(f"serving needs aiohttp: pip install aiohttp ({error})") from error
    policy = parse_policy(read_file(arguments.policy, MAX_POLICY_BYTES))
    raw = read_file(arguments.key, MAX_FILE_BYTES)
    cosigner: Cosigner = open_key_file(raw, _passphrase(arguments.passphrase_file))
    state = Path(arguments.state)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {state}: {error.strerror}") from error
    store = WitnessStore(state / DATABASE, {log.name for log in policy.logs})
    fraud = Path(arguments.fraud_dir) if arguments.fraud_dir else state / "fraud"
    witness = Witness(policy.logs, cosigner, store, fraud, lambda: time.time_ns() // 1_000_000_000)

    def ready(url: str) -> None:
        print(f"Witnessing {len({log.name for log in policy.logs})} logs on {url}", flush=True)

    try:
        asyncio.run(witness_server.serve(witness, arguments.host, arguments.port, ready))
    except OSError as error:
        print(f"verifier: cannot listen on {escape(arguments.host)}:{arguments.port}: {error}", file=sys.stderr)
        return UNKNOWN
    finally:
        store.close()
    return VERIFIED


def _passphrase(file: str | None, *, is_new: bool = False) -> bytes:
    """Return the passphrase: from a file, the environment or a prompt; never from an argument, which everybody sees."""
    if file is not None:
        # Editors and `echo` end a file with a line feed that nobody means to be part of the secret.
        found = read_file(file, _MAX_PASSPHRASE_BYTES).removesuffix(b"\n").removesuffix(b"\r")
    elif PASSPHRASE in os.environ:
        found = os.fsencode(os.environ[PASSPHRASE])
    elif not sys.stdin.isatty():
        raise UsageError(f"no passphrase for the witness's key: give --passphrase-file, or set {PASSPHRASE}")
    else:
        typed = getpass.getpass("Passphrase for the witness's key: ")
        if is_new and getpass.getpass("The same again: ") != typed:
            raise UsageError("the two passphrases differ; nothing was written")
        found = typed.encode()
    if not found:
        raise UsageError("the passphrase is empty")
    return found
