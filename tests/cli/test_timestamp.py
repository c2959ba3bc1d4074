"""`ledger timestamp` and `ledger serve --tsa`, as operators run them, with a real authority."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer import BadParameter

from ledger.cli.operating.timestamp import authority_of
from tests.cli.running import good, ledger, serving, verifier
from tests.harness.tsa import Authority, Server, serving_tsa
from tests.harness.waiting import PATIENCE_S


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[Server]:
    with serving_tsa(Authority(tmp_path / "tsa", kind="ec")) as server:
        (tmp_path / "roots.pem").write_bytes(server.authority.root)
        yield server


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        read: bytes = answer.read()
    return read


def test_a_ledger_is_stamped_before_and_while_it_is_served(tmp_path: Path, tsa: Server) -> None:
    """By hand at size 1; then by `serve`, at once; a stranger checks both from the address."""
    directory, roots = tmp_path / "ledger", tmp_path / "roots.pem"
    good("init", directory, "--origin", "ledger.example/log", "--operator", "exchange")
    trust = ["--tsa", tsa.url, "--tsa-roots", roots]
    assert "1 entries were there by now" in good("timestamp", directory, *trust).out
    assert "stamped before" in good("timestamp", directory, *trust).out
    with serving(directory, fresh=False, arguments=["--tsa", tsa.url, "--tsa-roots", str(roots)]) as url:
        assert "1 entries were there by now" in good("timestamp", directory, *trust).out
        assert list((directory / "timestamps").iterdir()) == [], "the ledger took what it was handed"
        deadline = time.monotonic() + PATIENCE_S
        while not (items := json.loads(get(f"{url}/v1/timestamps"))["items"]) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [item["size"] for item in items] == [1]
        ended = verifier(
            "replay", url, "--policy", directory / "policy.txt", "--tsa-roots", roots, "--quiet", "--processes", "1"
        )
        assert ended.code == 0, ended
        assert "entries below 1: not after 20" in ended.out
    assert len(tsa.asked) == 2


def test_what_goes_wrong_is_said(tmp_path: Path, tsa: Server) -> None:
    tsa.answer = lambda _: (200, "text/html", b"<html>")
    directory, roots = tmp_path / "ledger", tmp_path / "roots.pem"
    good("init", directory, "--origin", "ledger.example/log", "--operator", "exchange")
    ended = ledger("timestamp", directory, "--tsa", tsa.url, "--tsa-roots", roots)
    assert (ended.code, "text/html" in ended.err, "What to do" in ended.err) == (3, True, True)


def test_options_that_name_no_authority(tmp_path: Path) -> None:
    """Before anything is asked: an address that is none, roots that are none, one option without the other."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(b"no certificate")
    for url in ("ftp://127.0.0.1/", "tsa.example", "http://user:password@127.0.0.1/", "http://[/", "http://a/\u00e9"):
        with pytest.raises(BadParameter, match="not an http or https address"):
            authority_of(url, roots)
    with pytest.raises(BadParameter, match="no certificates in PEM"):
        authority_of("http://127.0.0.1/", roots)
    with pytest.raises(BadParameter, match="go together"):
        authority_of("http://127.0.0.1/", None)
    with pytest.raises(BadParameter, match="go together"):
        authority_of(None, roots)
    assert authority_of(None, None) is None
