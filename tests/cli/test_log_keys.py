"""`ledger log-key`: a log's key is replaced, and a lasting one put beside it, on a ledger that people use."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import good, ledger, serving, verifier
from tests.cli.world import World


def test_a_log_changes_its_key_and_everybody_goes_on(tmp_path: Path) -> None:
    """Register, rotate, serve with the new key alone: client, receipts from before, replay and policy still fit."""
    directory = tmp_path / "operator"
    with serving(directory) as url:
        world = World(tmp_path, url)
        world.register("alpha.test")
        refused = ledger("log-key", "add", directory, world.key("alpha.test"))
        assert (refused.code, "one ledger has one writer" in refused.err) == (1, True), refused
    before = (directory / "policy.txt").read_text()
    good("key", "new", tmp_path / "new.json")
    good("key", "new", tmp_path / "lasting.json", "--alg", "ml-dsa-44")
    assert "signs every checkpoint" in good("log-key", "add", directory, tmp_path / "new.json").out
    policy = (directory / "policy.txt").read_text()
    assert (policy.count("\nlog "), before.count("\nlog ")) == (2, 1)
    lasting = good("log-key", "add", directory, tmp_path / "lasting.json")
    vkey = next(line.split()[-1] for line in lasting.out.splitlines() if "log key" in line and "+" in line)
    assert (directory / "policy.txt").read_text() == policy
    old = good("key", "show", directory / "keys" / "log.json", "--json").document()["keyid"]
    assert old in good("log-key", "list", directory).out
    assert "is retired" in good("log-key", "retire", directory, old).out
    again = ledger("log-key", "retire", directory, old)
    assert (again.code, "not a log key in force" in again.err) == (1, True), again
    (directory / "keys" / "log.json").unlink()
    strict = tmp_path / "strict.txt"
    strict.write_text(policy.replace("quorum none", f"witness own {vkey}\nquorum own"))
    with serving(directory, fresh=False) as url:
        world = World(tmp_path, url)
        for trusted in (world.policy, strict):
            replayed = verifier("replay", url, "--policy", trusted)
            assert replayed.code == 0, replayed
        for receipt in (world.home("alpha.test") / "entries").glob("*.tlog-proof"):
            checked = verifier("receipt", receipt, "--entry", receipt.with_suffix(".entry"), "--policy", world.policy)
            assert checked.code == 0, checked
        world.register("beta.test")
