"""Both programs as processes that start at once: forks of one process that has imported them.

Each run is a process of its own, with its environment, streams and exit code; only the imports, which are most of what
a short command takes, happened before.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, NamedTuple

import ledger.cli
import verifier.cli
from ledger.party.keys import files
from tests.harness.waiting import PATIENCE_S

_CODE = [
    module.name
    for program in (ledger.cli, verifier.cli)
    for module in walk_packages(program.__path__, f"{program.__name__}.")
]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([*_CODE, __name__])


class Ended(NamedTuple):
    """A command that ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        return json.loads(self.out)


def run(program: str, arguments: Sequence[object], env: Mapping[str, str]) -> Ended:
    """Run `ledger` or `verifier` without a terminal, in this folder and with these variables alone."""
    with tempfile.TemporaryDirectory() as directory:
        streams = [Path(os.devnull), Path(directory) / "out", Path(directory) / "err"]
        called = [program, *map(str, arguments)]
        process = _CONTEXT.Process(target=_become, args=(called, dict(env), Path.cwd(), streams))
        process.start()
        process.join(PATIENCE_S)
        code = process.exitcode
        if code is None:
            process.kill()
            raise AssertionError(f"it did not end: {called}")
        return Ended(code, *(path.read_text() for path in streams[1:]))


def _become(called: list[str], env: dict[str, str], folder: Path, streams: list[Path]) -> None:
    """Turn this fork into what the shell would have started, but for the price of a passphrase of a new key."""
    files.OPS, files.MEMORY_BYTES = 1, files.MIN_MEMORY_BYTES
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate(("r", "w", "w"))
    )
    sys.argv = called
    if called[0] == "ledger":
        from ledger.cli import main

        main()
    else:
        from verifier.cli.main import main as verify

        sys.exit(verify())
