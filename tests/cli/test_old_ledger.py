"""The commands on ledgers that began under earlier versions of the rules, before and after they take up later ones."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.dsse import STATEMENT_TYPE
from ledger.core.policy import parse_policy
from ledger.party.client.client import LedgerClient
from ledger.party.keys.files import read_key, write_key
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.vault import Vault
from ledger.statements.parse import NEWEST_RULES, STATEMENTS
from tests.cli.running import PASSPHRASE, environment, good, ledger, serving, verifier
from tests.cli.world import World

VECTORS = Path(__file__).parents[1] / "vectors"
OPERATOR = "exchange.example"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("old")
    shutil.copytree(VECTORS / "ledger-v1", directory / "operator")
    for path in (directory / "operator" / "keys").iterdir():
        key = read_key(path, b"made-by-version-1")
        path.unlink()
        write_key(path, key, PASSPHRASE.encode())
    with serving(directory / "operator", fresh=False) as url:
        world = World(directory, url)
        for name in ("alpha.test", "beta.test"):
            world.register(name)
        for name in ("alpha.test", "beta.test"):
            (directory / name / "data.csv").write_text("a,b\n1,2\n")
        yield world


def take_up_version_2(world: World) -> None:
    async def change() -> None:
        policy = parse_policy(world.policy.read_text())
        key = read_key(world.directory / "operator" / "keys" / "operator.json", PASSPHRASE.encode())
        async with LedgerClient(world.url, policy) as client:
            assert await client.rules() == 1
            speaker = Speaker(client, Vault(world.directory / "exchange"), OPERATOR, key)
            await speaker.say(
                "ledger.rules_changed",
                rules=2,
                payload_types=[STATEMENT_TYPE],
                signature_forms=["ed25519"],
                statement_types=sorted(STATEMENTS[2]),
            )
            assert await client.rules() == 2

    asyncio.run(change())


def test_everything_of_version_1_works_and_version_2_after_the_change(world: World) -> None:
    alpha, beta = (["--home", world.home(name)] for name in ("alpha.test", "beta.test"))
    data = world.directory / "alpha.test" / "data.csv"
    titled = good("listing", "register", data, "--title", "Old", "--description", "data", *alpha, "--json").document()
    listing = titled["statement_id"]
    old_license = world.agree(
        listing, "alpha.test", "beta.test", "--purpose", "research", "--from", "2026-01-01", "--until", "2036-01-01"
    )
    shown = good("license", "show", old_license, *beta).out
    assert '"research"' in shown
    world.hand_over(listing, old_license, "alpha.test", "beta.test", data)
    manifest = world.directory / "second.json"
    sides = ["--listing", listing, "--license", old_license, "--to", "beta.test"]
    offered = good("transfer", "offer", data, *sides, "--manifest", manifest, *alpha, "--json").document()
    good("transfer", "refuse", "--manifest", manifest, "--code", "not-wanted", *beta)
    assert "not wanted" in good("transfer", "show", offered["statement_id"], *alpha).out

    drafted = ["license", "draft", "--listing", listing, "--licensee", "beta.test", "--from", "2026-01-01"]
    drafted += ["--until", "2036-01-01", "--out", world.directory / "new.json"]
    for newer in (
        ["listing", "register", data, "--title", "New", "--publisher", "P"],
        ["listing", "register", data, "--title", "New", "--seal", "/title"],
        ["listing", "amend", listing, "--title", "New"],
        [*drafted, "--purpose", "x", "--region", "EU"],
        [*drafted, "--purpose", "x", "--forum", "here"],
        ["license", "end", old_license, "--code", "breach"],
        ["transfer", "offer", data, *sides, "--manifest", world.directory / "third.json", "--acknowledge-by", "P1D"],
        ["erase", listing, "/content", "--basis", "other", "--yes"],
    ):
        refused = ledger(*newer, *alpha)
        assert (refused.code, "needs version 2 of the rules" in refused.err) == (1, True), (newer, refused)
    assert "/content" in good("disclose", listing, *alpha).out
    assert not (world.directory / "third.json").exists()

    half = world.directory / "half.json"
    good(*drafted[:-1], half, "--purpose", "x", *alpha)
    take_up_version_2(world)
    stale = ledger("license", "sign", half, "--yes", *alpha)
    assert (stale.code, "draft it anew" in stale.err) == (1, True)
    good("listing", "amend", listing, "--version", "2.0", "--seal", "/version", *alpha)
    new_license = world.agree(
        listing, "alpha.test", "beta.test", "--region", "EU", "--from", "2026-01-01", "--until", "2036-01-01"
    )
    amended = ledger("license", "amend", old_license, "--forum", "x", "--out", world.directory / "x.json", *alpha)
    assert (amended.code, "agree a new license instead" in amended.err) == (1, True)
    for license_id in (old_license, new_license):
        assert "not ended" in good("license", "show", license_id, *beta).out
        good("license", "end", license_id, *beta)
    good("erase", listing, "/content", "--basis", "other", "--yes", *alpha)
    replayed = verifier("replay", world.url, "--policy", world.policy)
    assert replayed.code == 0, replayed


@pytest.mark.parametrize("begun", range(1, NEWEST_RULES))
def test_the_operator_takes_up_newer_rules_by_a_command(begun: int, tmp_path: Path) -> None:
    """Version by version, on a ledger that nobody serves; what it said before is judged as it was."""
    directory = tmp_path / "operator"
    shutil.copytree(VECTORS / f"ledger-v{begun}", directory)
    made_by = environment(LEDGER_PASSPHRASE=f"made-by-version-{begun}")
    told = ledger("rules", directory, env=made_by)
    assert told.code == 0, told
    steps = [f"version {version} of the rules is in force" for version in range(begun + 1, NEWEST_RULES + 1)]
    assert [step for step in steps if step in told.out] == steps
    assert told.out.count("is in force") == len(steps)
    again = ledger("rules", directory, env=made_by)
    assert (again.code, "there is no newer one" in again.err) == (1, True), again
