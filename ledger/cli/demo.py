"""`ledger demo`: the whole story on real data, through the real commands, each a process of its own.

Nothing here knows more than a company, an operator or a stranger would: it types commands and reads what they say. Each
step states what must happen; the demo ends with an error at the first that happens otherwise.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.cli.words import console, fields, plain, say
from ledger.core.errors import LedgerError

ORIGIN = "exchange.example/ledger"
OPERATOR = "exchange.example"
SKYWAYS, NORTHWIND, HARBOUR = "skyways.example", "northwind.example", "harbour.example"
DATA = ("airports.csv", "planes.csv")
_MARK = ".ledger-demo"
_TIMEOUT_S = 120
_READY = re.compile(r"Serving (http://\S+)/docs")


class NotAsTold(LedgerError):
    """A step of the demo did not happen as told."""


def register(app: typer.Typer) -> None:
    """Add the demo to `app`."""
    app.command()(demo)


def demo(
    data: Annotated[Path, typer.Option(help="Where airports.csv and planes.csv are.", exists=True)] = Path("examples"),
    out: Annotated[
        Path, typer.Option(help="Where everything is written; what an earlier demo left is removed.")
    ] = Path("var/demo"),
) -> None:
    """Show the whole story: companies, a real dataset, a license, hand-offs, an independent check, a lie caught."""
    _Demo(data, _fresh(out.absolute())).run()


def _fresh(out: Path) -> Path:
    """Empty a directory that an earlier demo made; refuse to touch any other."""
    if out.exists() and any(out.iterdir()):
        if not (out / _MARK).exists():
            raise NotAsTold(f"{out} holds something else than a demo; choose another --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()
    return out


class _Demo:
    def __init__(self, data: Path, out: Path) -> None:
        self.data = data
        self.out = out
        self.url = ""
        self.steps = 0
        # One throw-away passphrase, in the environment and never in an argument, as a person's would be in a prompt.
        self.environment = os.environ | {"LEDGER_PASSPHRASE": secrets.token_urlsafe(), "COLUMNS": "200"}

    def run(self) -> None:
        """Tell the story."""
        self.tell(
            "An exchange starts a ledger",
            "It runs the ledger, and nobody has to trust it. Its policy file names its log key.",
        )
        self.ledger("init", self.out / "exchange", "--origin", ORIGIN, "--operator", OPERATOR)
        shutil.copy(self.out / "exchange" / "policy.txt", self.out / "policy.txt")
        with self.serving():
            self.companies()
            listing = self.listing()
            license_id = self.license(listing)
            self.hand_off(listing, license_id)
            self.refused_hand_off(listing)
            self.mirror()
        self.replay()
        self.receipts()
        self.lie()
        say()
        say("Everything happened as told.", "bold green")
        fields(
            {
                "policy": self.out / "policy.txt",
                "pins": self.out / "parties.txt",
                "mirror": self.out / "mirror",
                "evidence": self.out / "evidence",
                "report": self.out / "replay.json",
            }
        )

    def companies(self) -> None:
        """Three companies register."""
        self.tell(
            "Three companies make their keys and register",
            "Each signs on its own machine: a key for every day, and a recovery key to keep offline.",
        )
        pins = []
        for name in (SKYWAYS, NORTHWIND, HARBOUR):
            home = self.home(name)
            home.parent.mkdir()
            for use in ("signing", "recovery"):
                made = self.ledger_json("key", "new", home.parent / f"{use}.json")
                pins.append(f"party {name} {made['keyid']}\n")
            keys = ["--key", home.parent / "signing.json", "--recovery-key", home.parent / "recovery.json"]
            trust = ["--ledger", self.url, "--policy", self.out / "policy.txt"]
            done = self.ledger_json("party", "register", name, *trust, *keys, "--home", home)
            self.saw(f"{name} is entry {done['index']}")
        (self.out / "parties.txt").write_text("".join(pins))

    def listing(self) -> str:
        """Skyways lists real data."""
        files = [self.data / name for name in DATA]
        rows = sum(len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in files)
        self.tell(
            f"Skyways lists its airports and planes: {rows} real rows",
            "The rows stay at home. The ledger gets a title and one sealed digest that only Skyways can open.",
        )
        title = "Airports and aircraft of the United States"
        done = self.ledger_json("listing", "register", *files, "--title", title, "--home", self.home(SKYWAYS))
        self.saw(f"the listing is entry {done['index']}")
        return str(done["statement_id"])

    def license(self, listing: str) -> str:
        """Two parties sign one license."""
        self.tell(
            "Skyways licenses the data to Northwind, and both sign",
            "The draft goes back and forth as a file. Nobody, the exchange included, can change a word of it.",
        )
        draft = self.out / "license-draft.json"
        today = datetime.now(UTC).date()
        term = ["--from", str(today), "--until", str(today + timedelta(days=365))]
        who = ["--listing", listing, "--licensee", NORTHWIND, "--purpose", "delay statistics"]
        self.ledger("license", "draft", *who, *term, "--out", draft, "--home", self.home(SKYWAYS))
        self.ledger("license", "submit", draft, "--home", self.home(SKYWAYS), expect=1)
        self.saw("before both have signed, it cannot be submitted")
        for name in (SKYWAYS, NORTHWIND):
            self.ledger("license", "sign", draft, "--yes", "--home", self.home(name))
        done = self.ledger_json("license", "submit", draft, "--home", self.home(NORTHWIND))
        self.saw(f"the license is entry {done['index']}, in force for a year")
        return str(done["statement_id"])

    def hand_off(self, listing: str, license_id: str) -> None:
        """Skyways hands over, Northwind countersigns."""
        self.tell(
            "Skyways hands the files to Northwind, and Northwind countersigns",
            "Northwind hashes what it really received. It signs only because that is what Skyways sealed.",
        )
        parcel, done = self.offer(NORTHWIND, listing, ["--license", license_id])
        self.saw(f"the offer is entry {done['index']}")
        done = self.ledger_json("transfer", "acknowledge", "--dir", parcel, "--home", self.home(NORTHWIND))
        self.saw(f"the acknowledgement is entry {done['index']}")

    def refused_hand_off(self, listing: str) -> None:
        """Hand over without a license, damaged on the way."""
        self.tell(
            "Skyways hands the files to Harbour without a license, and they arrive damaged",
            "The ledger records what parties sign, lawful or not. Harbour's machine sees the damage and signs nothing; "
            "Harbour refuses.",
        )
        parcel, done = self.offer(HARBOUR, listing, [])
        damaged = parcel / DATA[0]
        damaged.write_bytes(damaged.read_bytes().replace(b"Lansdowne", b"Landsdown", 1))
        failed = self.ledger("transfer", "acknowledge", "--dir", parcel, "--home", self.home(HARBOUR), expect=1)
        self.saw(_first_line(failed.stderr))
        manifest = ["--manifest", parcel / "transfer-manifest.json", "--reason", "airports.csv arrived damaged"]
        refused = self.ledger_json("transfer", "refuse", *manifest, "--home", self.home(HARBOUR))
        self.saw(f"the offer is entry {done['index']}, the refusal is entry {refused['index']}")

    def mirror(self) -> None:
        """Anybody copies the log."""
        self.tell(
            "A stranger copies the whole log",
            "Every byte is checked before it is written. The exchange is not needed any more: it is switched off.",
        )
        self.verifier("mirror", self.url, self.out / "mirror", expect=0)

    def replay(self) -> None:
        """Replay the copy by the independent program."""
        self.tell(
            "An independent program replays every byte of the copy, with the ledger gone",
            "It shares no code with the ledger, and trusts the policy file, and the companies' keys in parties.txt.",
        )
        trust = ["--parties", self.out / "parties.txt"]
        told = self.verifier("replay", self.out / "mirror", *trust, expect=0)
        console().print(plain(told.stdout.rstrip()), style="dim")
        report = self.verifier("replay", self.out / "mirror", *trust, "--json", expect=0)
        (self.out / "replay.json").write_text(report.stdout)
        found = [finding["slug"] for finding in json.loads(report.stdout)["findings"]]
        if found != ["transfer-without-license"]:
            raise NotAsTold(f"the replay was to find the transfer without a license, and found {found}")
        self.saw("verified, with one finding: the transfer to Harbour had no license")

    def receipts(self) -> None:
        """Northwind's receipt stands alone."""
        self.tell(
            "Northwind keeps receipts",
            "Each proves offline that an entry is in the log: the entry, its path in the tree, a signed checkpoint.",
        )
        evidence = self.out / "evidence"
        evidence.mkdir()
        kept = sorted(self.home(NORTHWIND).rglob("entries/*.tlog-proof"))
        if not kept:
            raise NotAsTold("Northwind kept no receipt")
        for receipt in kept:
            entry = receipt.with_suffix(".entry")
            for path in (receipt, entry):
                shutil.copy(path, evidence)
            self.verifier("receipt", evidence / receipt.name, "--entry", evidence / entry.name, expect=0)
        self.saw(f"{len(kept)} receipts verified")

    def lie(self) -> None:
        """Somebody changes one byte."""
        self.tell(
            "Somebody changes one byte in a copy of the mirror", "The independent program must notice, and say where."
        )
        tampered = self.out / "tampered"
        shutil.copytree(self.out / "mirror", tampered)
        bundle = next(path for path in sorted((tampered / "tile" / "entries").rglob("*")) if path.is_file())
        raw = bytearray(bundle.read_bytes())
        index, start = _entry_with(bytes(raw), b'"payload":"')
        raw[start + 40] ^= 0x01
        bundle.write_bytes(raw)
        caught = self.verifier("replay", tampered, expect=1)
        named = [line for line in caught.stdout.splitlines() if f"changed-bytes at entry {index}," in line]
        if not named:
            raise NotAsTold(f"entry {index} was changed, and the verifier did not name it")
        self.saw(f"caught: {named[0].strip()}")

    def offer(self, recipient: str, listing: str, options: list[object]) -> tuple[Path, dict[str, Any]]:
        """Offer the files and carry them, with the manifest, to the recipient; return where they arrived."""
        parcel = self.home(recipient).parent / "received"
        parcel.mkdir()
        files = [self.data / name for name in DATA]
        for path in files:
            shutil.copy(path, parcel)
        to = ["--listing", listing, "--to", recipient, "--manifest", parcel / "transfer-manifest.json", *options]
        return parcel, self.ledger_json("transfer", "offer", *files, *to, "--home", self.home(SKYWAYS))

    def home(self, name: str) -> Path:
        """Return a company's vault."""
        return self.out / name.partition(".")[0] / "home"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the exchange's server meanwhile."""
        command = [sys.executable, "-m", "ledger", "serve", str(self.out / "exchange"), "--port", "0"]
        with (
            (self.out / "server.log").open("w") as log,
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


def _entry_with(bundle: bytes, text: bytes) -> tuple[int, int]:
    """Return the index and the offset of `text` in the middle entry of a bundle (docs/format.md §11.1)."""
    starts, at = [], 0
    while at < len(bundle):
        starts.append(at)
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    index = len(starts) // 2
    return index, bundle.index(text, starts[index]) + len(text)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].removeprefix("Error: ")
