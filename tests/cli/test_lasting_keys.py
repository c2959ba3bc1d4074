"""Companies that sign with ML-DSA-44 beside Ed25519, by the real commands, with companies that do not."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from tests.cli.running import good, ledger, serving, verifier
from tests.cli.world import World

WIDTHS = {88: "ed25519", 3228: "ml-dsa-44"}


def algorithms(mirror: Path) -> dict[tuple[str, str], list[set[str]]]:
    """Return, of each issuer and type, with which algorithms its entries were signed."""
    found: dict[tuple[str, str], list[set[str]]] = {}
    for path in sorted((mirror / "tile" / "entries").rglob("*")):
        raw = path.read_bytes() if path.is_file() else b""
        while raw:
            length = int.from_bytes(raw[:2], "big")
            envelope: dict[str, Any] = json.loads(raw[2 : 2 + length])["statement"]
            raw = raw[2 + length :]
            said = json.loads(b64decode(envelope["payload"]))
            signed = {WIDTHS[len(item["sig"])] for item in envelope["signatures"]}
            found.setdefault((said["issuer"], said["type"]), []).append(signed)
    return found


def enrol(world: World, directory: Path) -> None:
    """Register alpha with keys of both algorithms and beta with Ed25519 only; the operator, who has both, admits."""
    for name in ("alpha.test", "beta.test"):
        world.new_keys(name)
        for use in ("signing", "recovery"):
            good("key", "new", world.key(name, f"lasting-{use}"), "--alg", "ml-dsa-44")
    lasting = ["--lasting-key", world.key("alpha.test", "lasting-signing")]
    half = ledger(*world.registration("alpha.test"), *lasting)
    assert (half.code, "go together" in half.err) == (2, True), half
    lasting += ["--lasting-recovery-key", world.key("alpha.test", "recovery")]
    mixed = ledger(*world.registration("alpha.test"), *lasting)
    assert (mixed.code, "ml-dsa-44 is needed there" in mixed.err) == (2, True), mixed
    lasting[-1] = world.key("alpha.test", "lasting-recovery")
    operator = ["--key", directory / "keys" / "operator.json"]
    for name, more in (("alpha.test", lasting), ("beta.test", [])):
        draft = world.directory / f"{name}.draft"
        good(*world.registration(name), *more, "--draft", draft)
        admit = ["party", "admit", draft, *operator, "--ledger", world.url, "--policy", world.policy, "--yes"]
        admit += ["--home", world.directory / "operator home"]
        short = ledger(*admit)
        assert (short.code, "does not ask for signatures" in short.err) == (1, True), short
        good(*admit, "--lasting-key", directory / "keys" / "operator-lasting.json")


def deal(world: World, listing: str) -> None:
    """Agree a license, signed by both, and hand over under it."""
    term = ["--purpose", "x", "--from", "2026-01-01", "--until", "2036-01-01"]
    agreed = world.agree(listing, "alpha.test", "beta.test", *term)
    world.hand_over(listing, agreed, "alpha.test", "beta.test", world.directory / "alpha.test" / "data.csv")


def test_evidence_that_outlives_ed25519(tmp_path: Path) -> None:
    """The operator and one company begin with both, another takes it up on the way, and later drops it."""
    both, short = {"ed25519", "ml-dsa-44"}, {"ed25519"}
    directory = tmp_path / "operator"
    names = ["--origin", "ledger.example/log", "--operator", "exchange", "--admission", "operator"]
    good("init", directory, *names, "--lasting")
    assert "\nquorum log-ml-dsa-44\n" in (directory / "policy.txt").read_text()
    with serving(directory, fresh=False) as url:
        world = World(tmp_path, url)
        enrol(world, directory)
        alpha, beta = (["--home", world.home(name)] for name in ("alpha.test", "beta.test"))
        data = tmp_path / "alpha.test" / "data.csv"
        data.write_text("a,b\n1,2\n")
        titled = good("listing", "register", data, "--title", "A", "--publisher", "P", *alpha, "--json").document()
        deal(world, titled["statement_id"])
        for use in ("signing", "recovery"):
            good("party", "add-key", world.key("beta.test", f"lasting-{use}"), "--use", use, *beta)
        deal(world, titled["statement_id"])
        assert good("party", "show", "beta.test", *beta).out.count("ml-dsa-44") == 2
        gone = good("key", "show", world.key("beta.test", "lasting-signing"), "--json").document()["keyid"]
        good("party", "revoke-key", gone, *beta)
        deal(world, titled["statement_id"])
        copied = verifier("mirror", url, tmp_path / "mirror", "--policy", world.policy)
        assert copied.code == 0, copied
    replayed = verifier("replay", tmp_path / "mirror", "--policy", world.policy)
    assert replayed.code == 0, replayed
    said = algorithms(tmp_path / "mirror")
    assert said["exchange", "ledger.created"] == said["exchange", "ledger.log_key_added"] == [both]
    assert said["alpha.test", "party.registered"] == said["beta.test", "party.registered"] == [both]
    assert said["alpha.test", "license.agreed"] == said["alpha.test", "transfer.offered"] == [both] * 3
    assert said["beta.test", "transfer.acknowledged"] == [short, both, short]
    assert said["beta.test", "party.key_revoked"] == [both]


def test_keys_that_are_lost_or_elsewhere(tmp_path: Path) -> None:
    """A lost ML-DSA-44 key is revoked and forgotten; recovery keys may have moved, each to its own place."""
    directory = tmp_path / "operator"
    good("init", directory, "--origin", "ledger.example/log", "--operator", "exchange")
    with serving(directory, fresh=False) as url:
        world = World(tmp_path, url)
        name = "alpha.test"
        world.new_keys(name)
        signing, recovery = (world.key(name, f"lasting-{use}") for use in ("signing", "recovery"))
        for key in (signing, recovery):
            good("key", "new", key, "--alg", "ml-dsa-44")
        good(*world.registration(name), "--lasting-key", signing, "--lasting-recovery-key", recovery)
        home = ["--home", world.home(name)]
        lost = good("key", "show", signing, "--json").document()["keyid"]
        Path(signing).unlink()
        away = Path(recovery).rename(tmp_path / "offline.json")
        revoke = ["party", "revoke-key", lost, *home]
        wrong = ledger(*revoke, "--recovery-key", away)
        assert (wrong.code, "ed25519 is needed there" in wrong.err) == (2, True), wrong
        good(*revoke, "--lasting-recovery-key", away)
        data = tmp_path / name / "data.csv"
        data.write_text("a,b\n1,2\n")
        good("listing", "register", data, "--title", "A", "--publisher", "P", *home)
        assert json.loads((Path(world.home(name)) / "config.json").read_text())["lasting_recovery_key"] == str(recovery)
