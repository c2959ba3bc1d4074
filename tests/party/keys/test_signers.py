"""Signer files: a key in the environment or in a token (SoftHSM) signs as one in a file does, and no secret shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.encoding import b64encode
from ledger.core.errors import SignerError
from ledger.core.keys import LastingKey, PublicKey, Signer, SigningKey, verify_ed25519
from ledger.party.errors import NotAKeyFile
from ledger.party.keys.files import write_key
from ledger.party.keys.signers import (
    open_signer,
    opener_of,
    read_opener,
    read_public,
    write_environment_signer,
    write_token_signer,
)
from ledger.party.keys.token import Token, TokenSigner
from ledger.party.vault.locker import Locker
from tests.cli.running import PASSPHRASE, environment, good, ledger, serving, verifier
from tests.harness.needs import need

PIN = "86420135"
SEED = bytes(range(32))


@pytest.fixture(scope="module")
def module() -> str:
    """Return where SoftHSM's library is."""
    return need("softhsm")


@pytest.fixture(scope="module")
def label(module: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the label of a fresh token; the library reads where its tokens are once a process."""
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    config = home / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {home / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(config)
    command = ["softhsm2-util", "--module", module, "--init-token", "--free", "--label", "ours"]
    subprocess.run([*command, "--so-pin", "97531", "--pin", PIN], check=True, capture_output=True)
    yield "ours"
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def never() -> bytes:
    raise AssertionError("nobody asks for this secret")


def open_(path: Path) -> Signer:
    return open_signer(path, never, PIN.encode)


def check_signs(signer: Signer, public: PublicKey) -> None:
    assert signer.public == public
    assert verify_ed25519(public.raw, b"message", signer.sign(b"message"))


def test_a_key_in_the_environment_signs_and_is_asked_for_no_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_SEED", b64encode(SEED) + "\n")
    path = tmp_path / "log.json"
    public = write_environment_signer(path, "OUR_SEED")
    assert public == SigningKey(SEED).public == read_public(path) == read_opener(path)
    check_signs(open_signer(path, never, never), public)
    assert b64encode(SEED) not in path.read_text()
    assert SEED.hex() not in path.read_text()
    assert opener_of(open_(path)) == SigningKey(SEED)


def test_a_key_of_ml_dsa_44_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_SEED", b64encode(SEED))
    path = tmp_path / "lasting.json"
    public = write_environment_signer(path, "OUR_SEED", "ml-dsa-44")
    assert public == LastingKey(SEED).public == read_public(path)
    signature = open_signer(path, never, never).sign(b"said")
    assert public.verify(b"said", signature)
    assert not SigningKey(SEED).public.verify(b"said", signature)
    with pytest.raises(NotAKeyFile, match="opens no vault"):
        read_opener(path)


@pytest.mark.parametrize("value", [None, "", "AAAA", "x" * 44, b64encode(SEED)[:-2] + "=="])
def test_a_variable_that_holds_no_seed_is_named_and_its_value_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("OUR_SEED", raising=False)
    else:
        monkeypatch.setenv("OUR_SEED", value)
    with pytest.raises(SignerError, match="OUR_SEED") as caught:
        write_environment_signer(tmp_path / "key.json", "OUR_SEED")
    assert caught.value.__cause__ is None
    assert not value or value not in str(caught.value)
    assert not (tmp_path / "key.json").exists()


def test_another_key_in_the_variable_is_not_taken_for_the_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.json"
    monkeypatch.setenv("OUR_SEED", b64encode(SEED))
    write_environment_signer(path, "OUR_SEED")
    monkeypatch.setenv("OUR_SEED", b64encode(bytes(32)))
    with pytest.raises(NotAKeyFile, match="another one"):
        open_(path)


@pytest.mark.parametrize(
    "change",
    [
        {"where": {"kind": "elsewhere"}},
        {"where": {"kind": "environment", "variable": "A=B"}},
        {"where": {"kind": "pkcs11", "module": "relative.so", "token": "t", "id": "00"}},
        {"keyid": "0" * 64},
        {"alg": "rsa"},
        {"seed": "secret"},
        {"type": "provenance-ledger.signer/v9"},
    ],
)
def test_a_changed_signer_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: object) -> None:
    path = tmp_path / "key.json"
    monkeypatch.setenv("OUR_SEED", b64encode(SEED))
    write_environment_signer(path, "OUR_SEED")
    assert isinstance(change, dict)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(NotAKeyFile):
        read_public(path)


def test_a_library_that_is_none_is_named(tmp_path: Path) -> None:
    module = tmp_path / "lib.so"
    module.write_bytes(b"not a library")
    with pytest.raises(SignerError, match="cannot be used"):
        Token(str(module), "ours").open(b"1234")


def test_a_key_in_a_token_signs_and_opens_a_vault(tmp_path: Path, module: str, label: str) -> None:
    path, token = tmp_path / "key.json", Token(module, label)
    public = write_token_signer(path, token, None, PIN.encode())
    signer = open_(path)
    check_signs(signer, public)
    assert PIN not in repr(signer) + path.read_text()
    assert read_opener(path) == opener_of(signer).public != public
    again = write_token_signer(
        tmp_path / "again.json", token, bytes.fromhex(json.loads(path.read_bytes())["where"]["id"]), PIN.encode()
    )
    assert again == public
    other = SigningKey.generate()
    Locker(tmp_path / "locker.db", other, [read_opener(path)])
    Locker(tmp_path / "locker.db", signer)


def test_a_wrong_pin_or_a_missing_key_or_token_is_said_without_the_pin(tmp_path: Path, module: str, label: str) -> None:
    token = Token(module, label)
    path = tmp_path / "key.json"
    write_token_signer(path, token, None, PIN.encode())
    for place, key_id, pin in (
        (token, b"\1", PIN),
        (Token(module, "theirs"), b"\1", PIN),
        (token, bytes.fromhex(json.loads(path.read_bytes())["where"]["id"]), "11112222"),
    ):
        with pytest.raises(SignerError) as caught:
            TokenSigner(place, key_id, pin.encode())
        assert pin not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_session_that_was_lost_is_opened_again(tmp_path: Path, module: str, label: str) -> None:
    path = tmp_path / "key.json"
    public = write_token_signer(path, Token(module, label), None, PIN.encode())
    signer = open_(path)
    assert isinstance(signer, TokenSigner)
    signer._session.close()
    check_signs(signer, public)


def test_a_ledger_whose_keys_are_in_a_token_and_in_the_environment(tmp_path: Path, module: str, label: str) -> None:
    secrets = {"LEDGER_PIN": PIN, "OUR_SERVICE": b64encode(SEED), "SOFTHSM2_CONF": os.environ["SOFTHSM2_CONF"]}
    env = environment(**secrets)
    made = [
        ledger("key", "token", tmp_path / "log.json", "--module", module, "--token", label, env=env),
        ledger("key", "environment", tmp_path / "service.json", "--variable", "OUR_SERVICE", env=env),
        ledger("key", "token", tmp_path / "alpha.json", "--module", module, "--token", label, env=env),
        ledger(
            *["init", tmp_path / "ledger", "--origin", "ledger.example/log", "--operator", "operator.example"],
            *["--log-key", tmp_path / "log.json", "--service-key", tmp_path / "service.json"],
            env=env,
        ),
    ]
    assert [ended.code for ended in made] == [0] * len(made), made
    good("key", "new", tmp_path / "recovery.json")
    policy = tmp_path / "ledger" / "policy.txt"
    with serving(tmp_path / "ledger", fresh=False, **secrets) as url:
        home = ["--home", tmp_path / "home"]
        keys = ["--key", tmp_path / "alpha.json", "--recovery-key", tmp_path / "recovery.json"]
        register = ["party", "register", "alpha.example", "--ledger", url, "--policy", policy, *keys, *home]
        ended = ledger(*register, env=env)
        assert ended.code == 0, ended
        (tmp_path / "data.csv").write_text("a,b\n1,2\n")
        ended = ledger("listing", "register", tmp_path / "data.csv", "--title", "Rows", *home, env=env)
        assert ended.code == 0, ended
        history = good("party", "history", "alpha.example", *home, "--json").document()  # signed by the service key
        assert history["indexes"] == [1, 2]
        replayed = verifier("replay", url, "--policy", policy)
        assert replayed.code == 0, replayed
    wrong = environment(**secrets | {"LEDGER_PIN": "99990000"})
    ended = ledger("serve", tmp_path / "ledger", "--port", "0", env=wrong)
    assert ended.code == 2
    assert "PIN is wrong" in ended.err
    assert "99990000" not in ended.out + ended.err
    shown = good("key", "show", tmp_path / "log.json")
    assert "in the token ours" in shown.out


def test_keys_in_files_are_still_sealed_with_the_passphrase(tmp_path: Path) -> None:
    key = SigningKey.generate()
    write_key(tmp_path / "key.json", key, PASSPHRASE.encode())
    assert open_signer(tmp_path / "key.json", PASSPHRASE.encode, never) == key


def test_without_the_library_it_is_said_what_to_install() -> None:
    script = """
import sys
sys.modules["pkcs11"] = None
from ledger.party.keys.token import Token
Token("/x", "y").open(b"1")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "provenance-ledger[pkcs11]" in done.stderr
