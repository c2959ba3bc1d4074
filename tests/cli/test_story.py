"""The whole story through the real commands and a real ledger: every step a process of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import PASSPHRASE, at_a_terminal, environment, good, ledger, serving, verifier
from tests.cli.world import KEY_USES, World

DATA = {"airports.csv": "iata,name\nAAA,Anaa\n" * 500, "planes.csv": "tail,year\nN1,2004\n"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("world")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta"):
            world.register(name)
        for name, content in DATA.items():
            (directory / "alpha" / name).write_text(content)
        yield world


@pytest.fixture(scope="module")
def listing(world: World) -> str:
    files = [world.directory / "alpha" / name for name in DATA]
    done = good("listing", "register", *files, "--title", "Airports", "--home", world.home("alpha"), "--json")
    assert done.document()["state"] == "recorded"
    return str(done.document()["statement_id"])


@pytest.fixture(scope="module")
def license_id(world: World, listing: str) -> str:
    draft, contract = world.directory / "draft.json", world.directory / "contract.txt"
    contract.write_text("Be good.")
    alpha, beta = ["--home", world.home("alpha")], ["--home", world.home("beta")]
    terms = ["--purpose", "research", "--from", "2026-01-01", "--until", "2036-01-01T00:00:00+02:00"]
    good(
        "license",
        "draft",
        "--listing",
        listing,
        "--licensee",
        "beta",
        *terms,
        "--text",
        contract,
        "--out",
        draft,
        *alpha,
    )
    assert ledger("license", "submit", draft, *alpha).code == 1
    shown = good("license", "sign", draft, "--yes", "--text", contract, *alpha)
    for words in ("alpha lets beta use", "Airports", "research", "2026-01-01", "2035-12-31T22:00:00Z"):
        assert words in shown.out
    contract.write_text("Be bad.")
    assert ledger("license", "sign", draft, "--yes", "--text", contract, *beta).code == 1
    declined = ledger("license", "sign", draft, *beta)
    assert declined.code == 1
    assert len(json.loads(draft.read_bytes())["signatures"]) == 1
    silent = ledger("license", "sign", draft, "--json", *beta)
    assert (silent.code, silent.out.strip()) == (1, "")
    assert "alpha lets beta use" in silent.err
    code, _ = at_a_terminal("n\n", "license", "sign", draft, *beta)
    assert code == 1
    code, shown_at_terminal = at_a_terminal("y\n", "license", "sign", draft, *beta)
    assert (code, "Sign this as beta?" in shown_at_terminal) == (0, True)
    return str(good("license", "submit", draft, *beta, "--json").document()["statement_id"])


def offer(world: World, listing: str, license_id: str, name: str) -> tuple[str, Path]:
    """Offer alpha's files to beta; return the transfer's id and the directory in which they arrive."""
    files = [world.directory / "alpha" / name for name in DATA]
    manifest = world.directory / f"{name}-manifest.json"
    options = ["--listing", listing, "--license", license_id, "--to", "beta", "--manifest", manifest]
    done = good("transfer", "offer", *files, *options, "--home", world.home("alpha"), "--json").document()
    arrived = world.directory / "beta" / name
    arrived.mkdir()
    for path in files:
        shutil.copy(path, arrived)
    shutil.copy(manifest, arrived / "transfer-manifest.json")
    assert Path(done["receipt"]).is_file()
    return str(done["statement_id"]), arrived


def test_a_hand_off_is_acknowledged_once_and_proved_to_both(world: World, listing: str, license_id: str) -> None:
    transfer, arrived = offer(world, listing, license_id, "first")
    beta = ["--home", world.home("beta")]
    done = good("transfer", "acknowledge", "--dir", arrived, *beta)
    assert transfer in done.out
    assert "receipt" in done.out
    again = ledger("transfer", "acknowledge", "--dir", arrived, *beta)
    assert again.code == 1
    assert "acknowledged before, by entry" in again.err
    assert not (world.home("beta") / "refusals").exists()
    receipt = Path(done.out.split(" receipt ")[1].split()[0])
    proof = ["--policy", world.policy, "--entry", receipt.with_suffix(".entry"), receipt]
    assert verifier("receipt", *proof).code == 0
    assert verifier("replay", world.url, "--policy", world.policy).code == 0
    for name in ("alpha", "beta"):
        shown = good("transfer", "show", transfer, "--home", world.home(name))
        assert "alpha → beta: acknowledged" in shown.out
    states = good("transfer", "list", "--party", "beta", *beta, "--json").document()["items"]
    assert [item["state"] for item in states if item["id"] == transfer] == ["acknowledged"]


def test_a_difference_signs_nothing_and_can_be_refused_on_the_spot(world: World, listing: str, license_id: str) -> None:
    transfer, arrived = offer(world, listing, license_id, "second")
    (arrived / "planes.csv").write_text("tail,year\nN1,2005\n")
    beta = ["--home", world.home("beta")]
    quiet = ledger("transfer", "acknowledge", "--dir", arrived, *beta)
    assert quiet.code == 1
    assert "ledger transfer refuse" in quiet.err
    assert "not answered yet" in good("transfer", "show", transfer, *beta).out
    answers = "y\nThe year of N1 is another.\n"
    code, shown = at_a_terminal(answers, "transfer", "acknowledge", "--dir", arrived, *beta)
    assert (code, "The hand-off is refused." in shown) == (1, True)
    document = good("transfer", "show", transfer, "--json", *beta).document()
    assert document["decision"]["statement"]["reason"] == "The year of N1 is another."
    assert "sealed" in document["decision"]["statement"]["content"]


def test_a_refusal_needs_no_files(world: World, listing: str, license_id: str) -> None:
    transfer, _ = offer(world, listing, license_id, "third")
    options = ["--transfer", transfer, "--reason", "Not ordered.", "--home", world.home("beta")]
    assert "refused" in good("transfer", "refuse", *options).out
    assert ledger("transfer", "refuse", "--reason", "x", "--home", world.home("beta")).code == 2


def test_a_lost_key_is_replaced_by_the_recovery_key(world: World) -> None:
    world.register("gamma")
    home = ["--home", world.home("gamma")]
    old = good("key", "show", world.key("gamma"), "--json").document()["keyid"]
    good("key", "new", world.key("gamma", "second"))
    good("party", "add-key", world.key("gamma", "second"), "--switch", *home)
    good("party", "revoke-key", old, "--compromised-since", "2026-01-01", "--reason", "stolen", *home)
    shown = good("party", "show", "gamma", *home).out
    assert f"signing key {old} (entry" in shown
    assert "revoked by entry" in shown
    file = world.directory / "alpha" / "planes.csv"
    planes = good("listing", "register", file, "--title", "Planes", *home, "--json").document()["statement_id"]
    config = world.home("gamma") / "config.json"
    config.write_text(config.read_text().replace("second.json", "signing.json"))
    refused = ledger("listing", "withdraw", planes, *home)
    assert (refused.code, "revoked-key" in refused.err) == (1, True)


def test_the_last_recovery_key_is_revoked_only_on_purpose(world: World) -> None:
    world.register("delta")
    home = ["--home", world.home("delta")]
    keyid = good("key", "show", world.key("delta", "recovery"), "--json").document()["keyid"]
    asked = ledger("party", "revoke-key", keyid, *home)
    assert (asked.code, "last recovery key" in asked.err) == (1, True)
    code, _ = at_a_terminal("n\n", "party", "revoke-key", keyid, *home)
    assert code == 1
    assert "revoked" not in good("party", "show", "delta", *home).out
    good("key", "new", world.key("delta", "spare"))
    good("party", "add-key", world.key("delta", "spare"), "--use", "recovery", "--switch", *home)
    good("party", "revoke-key", keyid, *home)
    spare = good("key", "show", world.key("delta", "spare"), "--json").document()["keyid"]
    good("party", "revoke-key", spare, "--yes", *home)


def test_registering_again_finds_the_first_registration_and_a_stranger_does_not(world: World) -> None:
    again = good(*world.registration("alpha"), "--json").document()
    assert again["type"] == "party.registered"
    world.new_keys("mallory")
    arguments = [("alpha" if item == "mallory" else item) for item in world.registration("mallory")]
    stranger = ledger(*arguments)
    assert (stranger.code, "name-taken" in stranger.err) == (1, True)
    refusal = next((world.home("mallory") / "refusals").iterdir())
    assert str(refusal) in stranger.err
    assert not (world.home("mallory") / "config.json").exists()


def test_titles_cannot_steer_the_terminal(world: World) -> None:
    file = world.directory / "alpha" / "planes.csv"
    title = "[bold]Planes[/bold] \u202eevil"
    done = good("listing", "register", file, "--title", title, "--home", world.home("alpha"))
    assert "[bold]Planes[/bold] \\u202eevil" in done.out
    refused = ledger("listing", "register", file, "--title", "a\x1b[31mb", "--home", world.home("alpha"))
    assert refused.code == 2
    assert "\x1b" not in refused.out + refused.err


def test_what_is_wrong_is_said_with_what_to_do_and_no_secret(world: World, listing: str, tmp_path: Path) -> None:
    alpha = ["--home", world.home("alpha")]
    wrong = environment(LEDGER_PASSPHRASE="wrong 99b1")
    nothing = {name: value for name, value in environment().items() if name != "LEDGER_PASSPHRASE"}
    config = world.home("alpha") / "config.json"
    away = tmp_path / "away"
    shutil.copytree(world.home("alpha"), away)
    (away / "config.json").write_text(config.read_text().replace(world.url, "http://127.0.0.1:9"))
    cases = [
        (1, ledger("listing", "withdraw", "sha256:" + "0" * 64, *alpha)),
        (1, ledger("listing", "show", "sha256:" + "0" * 64, *alpha)),
        (1, ledger("party", "show", "nobody", *alpha)),
        (2, ledger("listing", "withdraw", listing, *alpha, env=wrong)),
        (2, ledger("listing", "withdraw", listing, *alpha, env=nothing)),
        (2, ledger("listing", "withdraw", listing, "--home", tmp_path / "nowhere")),
        (2, ledger("key", "new", world.key("alpha"))),
        (2, ledger("key", "show", config)),
        (2, ledger("nonsense")),
        (3, ledger("listing", "list", "--home", away)),
    ]
    for number, (code, ended) in enumerate(cases):
        assert ended.code == code, (number, ended)
        assert "Traceback" not in ended.err, number
        assert PASSPHRASE not in ended.out + ended.err
        assert "99b1" not in ended.out + ended.err
    world.register("whoever")  # so that there is enough to look through, whichever tests came before on this process
    written = [path for root in (world.directory, tmp_path) for path in root.rglob("*") if path.is_file()]
    assert len(written) > 50
    assert not [path for path in written if PASSPHRASE.encode() in path.read_bytes()]


def test_an_operator_admits_parties_where_the_ledger_says_so(tmp_path: Path) -> None:
    with serving(tmp_path / "operator", admission="operator") as url:
        world = World(tmp_path, url)
        world.new_keys("alpha")
        assert ledger(*world.registration("alpha")).code == 1
        draft = tmp_path / "alpha.draft"
        good(*world.registration("alpha"), "--draft", draft)
        key = tmp_path / "operator" / "keys" / "operator.json"
        options = ["--key", key, "--ledger", url, "--policy", world.policy, "--home", tmp_path / "operator-home"]
        other = ledger("party", "admit", draft, "--yes", *[*options[:1], world.key("alpha"), *options[2:]])
        assert (other.code, "of the new keys and of" in other.err) == (1, True)
        asked = ledger("party", "admit", draft, *options)
        shown = [good("key", "show", world.key("alpha", use), "--json").document()["keyid"] for use in KEY_USES]
        assert asked.code == 1
        assert all(words in asked.err for words in ["asks to be admitted: alpha", *shown, "Admit alpha"])
        code, declined = at_a_terminal("n\n", "party", "admit", draft, *options)
        assert (code, "Not signed." in declined) == (1, True)
        assert len(json.loads(draft.read_bytes())["signatures"]) == 2
        assert ledger("party", "show", "alpha", "--home", world.home("alpha")).code == 1
        good("party", "admit", draft, "--yes", *options)
        assert good(*world.registration("alpha"), "--json").document()["index"] == 1
        assert "entry 1" in good("party", "show", "alpha", "--home", world.home("alpha")).out
