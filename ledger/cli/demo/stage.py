"""The stage of `ledger demo`: commands typed as people would, each a process of its own, and what must come of them."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.cli.kit.exit_codes import NotAsTold
from ledger.cli.kit.words import console, say
from ledger.party.text import plain

_TIMEOUT_S = 120
_READY = re.compile(r"Serving (http://\S+)/docs")


class Stage:
    """Where the demo happens: a directory, the running exchange, and the words on the screen.

    Nothing here knows more than a company, an operator or a stranger would: it types commands and reads what they say.
    """

    def __init__(self, out: Path) -> None:
        """Everything is written below `out`."""
        self.out = out
        self.url = ""
        self.steps = 0
        # One throw-away passphrase, in the environment and never in an argument, as a person's would be in a prompt.
        self.environment = os.environ | {"LEDGER_PASSPHRASE": secrets.token_urlsafe(), "COLUMNS": "200"}

    def home(self, name: str) -> Path:
        """Return a company's vault."""
        return self.out / name.partition(".")[0] / "home"

    @contextmanager
    def serving(self, directory: Path) -> Iterator[None]:
        """Run the exchange's server meanwhile, from the second time on where it was."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "ledger", "serve", str(directory), "--port", port]
        with (
            (self.out / "server.log").open("a") as log,
            subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True) as server,
        ):
            line = server.stdout.readline() if server.stdout is not None else ""
            match = _READY.search(line)
            if match is None:
                raise NotAsTold(f"the server did not start: see {log.name}")
            self.url = match[1]
            try:
                yield
            finally:
                server.send_signal(signal.SIGTERM)
                code = server.wait(_TIMEOUT_S)
        if code:
            raise NotAsTold(f"the server ended with exit code {code}: see {log.name}")

    def tell(self, title: str, words: str) -> None:
        """Print the title of a step and what it means."""
        self.steps += 1
        say()
        say(f"{self.steps}. {title}", "bold cyan")
        say(f"   {words}")

    def saw(self, words: str) -> None:
        """Print what happened."""
        console().print(f"   → {plain(words)}", style="green")

    def ledger(self, *arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of a company or the operator."""
        return self.command("ledger", arguments, expect)

    def ledger_json(self, *arguments: object) -> dict[str, Any]:
        """Run a command and read its JSON."""
        document: dict[str, Any] = json.loads(self.ledger(*arguments, "--json").stdout)
        return document

    def verifier(self, *arguments: object, expect: int) -> subprocess.CompletedProcess[str]:
        """Run a command of the independent verifier, by the policy file."""
        return self.command("verifier", [*arguments, "--policy", self.out / "policy.txt"], expect)

    def command(
        self, module: str, arguments: tuple[object, ...] | list[object], expect: int
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own; NotAsTold unless it ends as expected."""
        words = [str(argument) for argument in arguments]
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode != expect:
            said = (done.stderr or done.stdout).strip()
            raise NotAsTold(f"'{module} {' '.join(words[:2])}' ended with {done.returncode}, not {expect}:\n{said}")
        return done

    def as_party(self, name: str, *arguments: object) -> dict[str, Any]:
        """Run a command in a company's home and read its JSON."""
        return self.ledger_json(*arguments, "--home", self.home(name))


def first_line(text: str) -> str:
    """Return the first line of what a command said, without the word that marks an error."""
    return text.strip().partition("\n")[0].removeprefix("Error: ")
