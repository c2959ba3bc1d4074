"""`ledger trace` as people run it: marked copies from the real commands, a leak, Ctrl-C, a lost passphrase."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.cli.demo.story import EXAMPLES
from tests.cli.running import environment, good, ledger, serving
from tests.cli.world import World

PLANES = EXAMPLES / "planes.csv"
TERMS = ("--from", "-P1D", "--until", "P365D", "--action", "read", "--marking-consent")
TARDOS = ("--mark", "tardos", "--recipients", 3, "--colluders", 2, "--yes", "--json")


class Market(NamedTuple):
    """Alpha's hand-offs of planes.csv: a marked `copy` to beta, and the table as it is to gamma."""

    world: World
    copy: Path
    transfers: list[str]

    @property
    def vault(self) -> tuple[object, ...]:
        return ("--vault", self.world.home("alpha"))


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    directory = tmp_path_factory.mktemp("market")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta", "gamma"):
            world.register(name)
        home = ["--home", world.home("alpha"), "--json"]
        listing = str(good("listing", "register", PLANES, "--title", "Planes", *home).document()["statement_id"])
        copy = directory / "beta" / "planes.csv"
        consent = world.agree(listing, "alpha", "beta", *TERMS)
        sealed = good(
            "transfer", "prepare", PLANES, "--listing", listing, "--to", "beta", *TARDOS, *home[:2]
        ).document()
        good("transfer", "request", sealed["prepared"], "--yes", "--home", world.home("beta"))
        marked = ("--license", consent, "--marked-copy", copy)
        transfers = [
            str(
                good("transfer", "offer", PLANES, "--listing", listing, "--to", name, *more, *home).document()[
                    "statement_id"
                ]
            )
            for name, more in (("beta", marked), ("gamma", ("--manifest", directory / "gamma" / "manifest")))
        ]
    # From here on, no ledger answers: a trace needs none.
    return Market(world, copy, transfers)


def leaked(copy: Path, found: Path, seed: int = 4) -> Path:
    """Take a third of a copy, shuffled, without two columns, renamed and in capitals, as a spreadsheet may save it."""
    with copy.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    part = random.Random(seed).sample(rows, len(rows) // 3)
    lines = [";".join(f"Feld {number}" for number in range(7))]
    lines += [";".join(cell.upper() for cell in reversed(row[:7])) for row in part]
    found.write_text("\r\n".join(lines) + "\r\n", encoding="utf-16")
    return found


def test_a_leak_is_traced_to_the_copy_it_came_from(market: Market, tmp_path: Path) -> None:
    found, out = leaked(market.copy, tmp_path / "found.csv"), tmp_path / "trace.json"
    told = ["--examiner", "J. Doe, Disputes", "--obtained", "a forum, 2026-11-20"]
    done = good("trace", found, *market.vault, *told, "--out", out)
    assert "ENOUGH: the file derives from the copy made for beta." in done.out
    assert "sealed before anybody knew what would be drawn" in " ".join(done.out.split())
    assert "rows that were drawn for this copy are there" in done.out
    trace = json.loads(out.read_bytes())
    assert trace["conclusion"] == {"is_enough": True, "transfers": market.transfers[:1]}
    beta, gamma = trace["transfers"]
    assert beta["marks"]["word_millibits"] > beta["conclusion"]["needed_millibits"]
    assert beta["controls"]["greatest_millibits"] < beta["conclusion"]["needed_millibits"]
    assert (gamma["why_not"], gamma["counts"]["records_found"]) == (["no-marks"], beta["counts"]["records_found"])
    assert beta["content_opened"] is gamma["content_opened"] is True
    assert trace["custody"][0]["who"] == "J. Doe, Disputes"
    assert "ledger trace" in trace["custody"][0]["what"]
    again = ledger("trace", found, *market.vault, "--out", out)
    assert (again.code, "never overwritten" in again.err) == (2, True)


HELD = """
import signal, sys
from ledger.cli import main
from ledger.party.trace.work import Work

def held(*_):
    print("held", flush=True)
    signal.pause()

setattr(Work, sys.argv.pop(1), held)
main()
"""
"""`ledger`, which says when it comes to a step of the work, and stays there."""


@pytest.mark.parametrize(("seed", "step"), [(5, "add_custody"), (6, "keep_trace")], ids=["at first", "at last"])
def test_ctrl_c_loses_nothing(market: Market, tmp_path: Path, seed: int, step: str) -> None:
    found = leaked(market.copy, tmp_path / "found.csv", seed)
    traces = market.world.home("alpha") / "traces"
    before = set(traces.glob("*")) if traces.exists() else set()
    command = [sys.executable, "-c", HELD, step, "trace", str(found), *map(str, market.vault)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1].decode()
    assert process.returncode != 0
    assert "the same command goes on from there" in said
    (directory,) = set(traces.glob("*")) - before
    assert (directory / "work").is_dir()
    done = good("trace", found, *market.vault)
    assert "the copy made for beta." in done.out
    assert not (directory / "work").exists()


def test_without_the_passphrase_records_are_compared_and_marks_are_not(market: Market, tmp_path: Path) -> None:
    found = leaked(market.copy, tmp_path / "found.csv", seed=7)
    done = ledger("trace", found, *market.vault, "--json", env=environment(LEDGER_PASSPHRASE="not it"))
    assert done.code == 0
    assert "marks cannot be opened" in done.err
    beta, gamma = done.document()["transfers"]
    assert (beta["why_not"], gamma["why_not"]) == (["marks-not-opened"], ["no-marks"])


def test_what_cannot_be_traced(market: Market, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert ledger("trace", empty, *market.vault).code == 2
    nothing = ledger("trace", PLANES, "--vault", market.world.home("beta"))
    assert (nothing.code, "Could not tell" in nothing.err) == (3, True)
    assert ledger("trace", PLANES, "--vault", tmp_path).code == 2
