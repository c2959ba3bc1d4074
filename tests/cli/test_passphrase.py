"""Where passphrases come from."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from ledger.cli.kit.passphrase import NoPassphrase, read_passphrase, read_recovery_passphrase
from tests.cli.test_help import COMMANDS


def test_a_file_goes_before_the_environment_and_loses_its_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_PASSPHRASE", "from the environment")
    file = tmp_path / "passphrase"
    file.write_bytes(b" from a file \r\n")
    assert read_passphrase("a key", file) == b" from a file "
    assert read_passphrase("a key") == b"from the environment"
    assert read_recovery_passphrase("a key", None, file) == b" from a file "
    monkeypatch.setenv("LEDGER_RECOVERY_PASSPHRASE", "recovery")
    assert read_recovery_passphrase("a key", None, file) == b"recovery"
    assert read_recovery_passphrase("a key", file, None) == b" from a file "
    for content in (b"", b"\n", b"x" * 5000):
        file.write_bytes(content)
        with pytest.raises(NoPassphrase):
            read_passphrase("a key", file)


def test_a_new_passphrase_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    typed = iter(["one", "one", "one", "two"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    assert read_passphrase("a key", creating=True) == b"one"
    with pytest.raises(NoPassphrase):
        read_passphrase("a key", creating=True)


def test_no_command_takes_a_passphrase_as_an_argument() -> None:
    assert len(COMMANDS) > 15
    for command in COMMANDS.values():
        assert command.callback is not None
        for name, parameter in inspect.signature(command.callback, eval_str=True).parameters.items():
            if "passphrase" in name:
                assert name.endswith("_file")
                assert "Path" in str(parameter.annotation)
