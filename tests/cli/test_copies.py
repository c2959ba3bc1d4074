"""Loss and exit with the real commands: backup, restore, and a successor of a ledger that is gone."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.running import environment, good, ledger, serving, verifier
from tests.harness.witnesses import WitnessProcess


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a ledger with a party on it, and a mirror of it beside it."""
    place = tmp_path_factory.mktemp("original")
    with serving(place / "old") as url:
        register(place, "alpha", url, place / "old/policy.txt")
        assert verifier("mirror", url, place / "mirror", "--policy", place / "old/policy.txt").code == 0
    return place


@pytest.fixture
def old(original: Path, tmp_path: Path) -> Path:
    """Copy the ledger and its mirror."""
    for name in ("old", "mirror"):
        shutil.copytree(original / name, tmp_path / name)
    return tmp_path / "old"


def register(tmp_path: Path, name: str, url: str, policy: Path) -> None:
    place = tmp_path / f"{name} {time.monotonic_ns()}"
    place.mkdir()
    for key in ("key", "recovery"):
        good("key", "new", place / f"{key}.json")
    keys = ["--key", place / "key.json", "--recovery-key", place / "recovery.json"]
    good("party", "register", name, "--ledger", url, "--policy", policy, *keys, "--home", place / "home")


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_an_old_backup_is_refused_and_mended(old: Path, tmp_path: Path) -> None:
    """The operator is told what is wrong and what to do, and does it."""
    saved = tmp_path / "saved.db"
    with serving(old, fresh=False) as url:
        assert "checked" in good("backup", old, saved).out
        assert "every one of them as it was signed" in good("check", old).out
        register(tmp_path, "gamma", url, old / "policy.txt")
        assert verifier("mirror", url, tmp_path / "mirror", "--policy", old / "policy.txt").code == 0
    shutil.copy(saved, old / "ledger.db")
    refused = ledger("serve", old, "--port", "0")
    assert refused.code == 1
    assert "does not sign" in refused.err
    assert "ledger restore DIR --from MIRROR" in refused.err
    assert ledger("restore", old, "--from", tmp_path / "nowhere").code == 3
    assert "3 entries again" in good("restore", old, "--from", tmp_path / "mirror").out
    with serving(old, fresh=False) as url:
        register(tmp_path, "delta", url, old / "policy.txt")
        assert verifier("mirror", url, tmp_path / "mirror", "--policy", old / "policy.txt").code == 0
    assert ledger("backup", old, saved).code == 2


def test_a_witness_remembers_what_the_whole_directory_forgot(old: Path, tmp_path: Path) -> None:
    """Database and published/ restored together from an old copy: the witness has seen more, and the log stops."""
    policy = (old / "policy.txt").read_text()
    with WitnessProcess(tmp_path / "w1", policy) as witness:
        url = witness.wait_ready()
        panel = tmp_path / "witnesses.txt"
        panel.write_text(policy.replace("quorum none", f"witness w1 {witness.vkeys[0]} {url}\nquorum w1"))
        shutil.copytree(old, tmp_path / "before")
        with served_with(old, panel) as address:
            register(tmp_path, "gamma", address, old / "policy.txt")
            assert verifier("mirror", address, tmp_path / "mirror", "--policy", panel).code == 0
        refused = ledger("serve", tmp_path / "before", "--port", "0", "--witnesses", panel)
        assert refused.code == 1
        assert "the witness at http" in refused.err
        good("restore", tmp_path / "before", "--from", tmp_path / "mirror")
        with served_with(tmp_path / "before", panel) as address:
            register(tmp_path, "delta", address, old / "policy.txt")


@contextmanager
def served_with(directory: Path, panel: Path) -> Iterator[str]:
    """Serve a ledger that asks witnesses, and give its address."""
    log = directory / "serve.log"
    command = [sys.executable, "-m", "ledger", "serve", str(directory), "--port", "0", "--witnesses", str(panel)]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=environment(PYTHONUNBUFFERED="1"), stdout=out, stderr=out) as process,
    ):
        try:
            while "Serving" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield log.read_text().split("Serving ")[1].split("/docs")[0]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def test_a_successor_continues_a_ledger_that_is_gone(old: Path, tmp_path: Path) -> None:
    """Adopted from a mirror, served with its predecessor, and both verified in one go."""
    shutil.move(old / "policy.txt", tmp_path / "old-policy.txt")
    shutil.rmtree(old)
    new = tmp_path / "new"
    names = ["--origin", "next.example/log", "--operator", "successor", "--policy", tmp_path / "old-policy.txt"]
    same = ["--origin", "ledger.example/log", "--operator", "successor", "--policy", tmp_path / "old-policy.txt"]
    assert ledger("adopt", tmp_path / "mirror", new, *same).code == 1
    assert not (new / "predecessor").exists()
    good("adopt", tmp_path / "mirror", new, *names)
    assert ledger("adopt", tmp_path / "mirror", new, *names).code == 2
    assert not list(new.glob(".predecessor*"))
    with serving(new, fresh=False) as url:
        register(tmp_path, "alpha", url, new / "policy.txt")
        common = ["--policy", new / "policy-both.txt", "--origin", "next.example/log", "--quiet"]
        both = verifier("replay", url, "--predecessor", f"{url}/predecessor", *common)
        assert both.code == 0, both
        assert "at size 2" in both.out
        mirrored = files(tmp_path / "mirror")
        assert files(new / "predecessor") == mirrored
        assert status(f"{url}/predecessor/tile/0/000.p/2") == 200
        for path in ("tile/0/000", "../ledger.db", "tile/../../keys/log.json", "%2e%2e/ledger.db", "tile/0/000.p/300"):
            assert status(f"{url}/predecessor/{path}") == 404, path


def test_a_false_mirror_is_not_adopted(old: Path, tmp_path: Path) -> None:
    """Another byte, another key, too few witnesses: nothing is made."""
    policy = tmp_path / "policy.txt"
    shutil.copy(old / "policy.txt", policy)
    names = ["--origin", "next.example/log", "--operator", "successor", "--policy", policy]
    [bundle] = (tmp_path / "mirror/tile/entries").rglob("*.p/2")
    raw = bundle.read_bytes()
    bundle.write_bytes(raw[:50] + bytes([raw[50] ^ 1]) + raw[51:])
    assert ledger("adopt", tmp_path / "mirror", tmp_path / "new", *names).code == 1
    bundle.write_bytes(raw)
    text = policy.read_text().replace("quorum none", "quorum w")
    witness = "w.example+e4f39b7a+BPVXfN5jYtl94Dz3cVpsFyeMmYWw7J8xXwJUIxnXXLS9"
    policy.write_text(text.replace("quorum w", f"witness w {witness}\nquorum w"))
    assert ledger("adopt", tmp_path / "mirror", tmp_path / "new", *names).code in (2, 3)
    other = tmp_path / "other"
    good("init", other, "--origin", "ledger.example/log", "--operator", "other")
    shutil.copy(other / "policy.txt", policy)
    assert ledger("adopt", tmp_path / "mirror", tmp_path / "new", *names).code == 1
    assert not (tmp_path / "new/ledger.db").exists()
    assert not list((tmp_path / "new").iterdir())


def files(directory: Path) -> dict[str, bytes]:
    """Return the files of a log in a directory."""
    found = {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}
