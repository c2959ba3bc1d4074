"""`verifier witness serve` as people run it: over HTTP, raced, starved, killed (C2SP tlog-witness v1.0.0)."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ledger.core.note import open_note, parse_note, parse_vkey
from tests.harness.waiting import PATIENCE_S
from tests.harness.witnesses import BareLog, WitnessProcess, ask
from verifier.cli.main import main

LOG = BareLog(size=2_000)
HASH = sha256(LOG.origin.encode()).hexdigest()


def cosigned(witness: WitnessProcess, size: int, lines: bytes) -> bool:
    """Tell whether every key of the witness cosigned the log's checkpoint of a size."""
    keys = [parse_vkey(vkey) for vkey in witness.vkeys]
    return open_note(parse_note(LOG.note(size) + lines), keys) == keys


def test_over_http(tmp_path: Path) -> None:
    with WitnessProcess(tmp_path / "w", LOG.policy, lasting=True) as witness:
        assert len(witness.vkeys) == 2
        url = witness.wait_ready()
        assert ask(url, "GET", f"/{HASH}/checkpoint").status == 404
        answer = ask(url, "POST", "/add-checkpoint", LOG.request(0, 5))
        assert answer.status == 200
        assert cosigned(witness, 5, answer.body)
        assert ask(url, "GET", f"/{HASH}/checkpoint").body == LOG.note(5) + answer.body
        assert ask(url, "POST", "/add-checkpoint", LOG.request(0, 9))[:] == (409, "text/x.tlog.size", b"5\n")
        for body, status in [
            (b"hello", 400),
            (LOG.request(6, 5, path=[]), 400),
            (LOG.request(5, 9, LOG.note(9).replace(b"\n9\n", b"\n8\n")), 403),
            (BareLog("stranger.example").request(5, 9), 404),
            (LOG.request(5, 9, path=[]), 422),
            (b"old 5\n\n" + bytes(100_000), 413),
        ]:
            assert ask(url, "POST", "/add-checkpoint", body).status == status
        assert ask(url, "GET", "/add-checkpoint").status == 405
        for path in ("/", "/checkpoint", f"/{HASH.upper()}/checkpoint", "/../witness.db", f"/{'0' * 64}/checkpoint"):
            assert ask(url, "GET", path).status == 404
        assert "Traceback" not in witness.said
        witness.process.send_signal(signal.SIGTERM)
        assert witness.process.wait(10) == 0


def test_racing_clients_get_one_history(tmp_path: Path) -> None:
    """Two branches of one log, raced by many clients: one of them is cosigned, and the other never is."""
    forked = BareLog(size=2_000, fork_at=100)
    with WitnessProcess(tmp_path / "w", LOG.policy) as witness, ThreadPoolExecutor(8) as clients:
        url = witness.wait_ready()
        ask(url, "POST", "/add-checkpoint", LOG.request(0, 100))

        def grow(log: BareLog) -> list[int]:
            """Try to get every size from 101 on cosigned, whatever the witness has."""
            sizes = []
            for size in range(101, 141):
                old = 100
                while True:
                    answer = ask(url, "POST", "/add-checkpoint", log.request(old, size))
                    if answer.status == 200:
                        sizes.append(size)
                    if answer.status != 409 or int(answer.body) > size:
                        break
                    old = int(answer.body)
            return sizes

        results = list(clients.map(grow, [LOG, forked] * 4))
        winners = {at % 2 for at, sizes in enumerate(results) if sizes}
        assert len(winners) == 1
        newest = ask(url, "GET", f"/{HASH}/checkpoint").body
        log = forked if winners == {1} else LOG
        assert newest.startswith(log.note(140))


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    """Killed again and again under load: never is a tree forgotten whose cosignature somebody has."""
    witness = WitnessProcess(tmp_path / "w", LOG.policy)
    seen = 0
    for _ in range(3):
        with witness, ThreadPoolExecutor(1) as client:
            url = witness.wait_ready()
            answer = ask(url, "POST", "/add-checkpoint", LOG.request(0, 0))
            known = seen if answer.status == 200 else int(answer.body)
            assert known >= seen

            is_under_load = threading.Event()

            def grow(start: int, where: str, loaded: threading.Event) -> int:
                """Grow until the connection breaks; return the last size that was answered."""
                size = start
                try:
                    while size < 2_000:
                        assert ask(where, "POST", "/add-checkpoint", LOG.request(size, size + 1)).status == 200
                        size += 1
                        if size > start + 20:
                            loaded.set()
                except OSError:
                    pass
                return size

            task = client.submit(grow, known, url, is_under_load)
            assert is_under_load.wait(PATIENCE_S)
            witness.process.kill()
            witness.process.wait()
            seen = task.result()
        assert sqlite3.connect(tmp_path / "w/state/witness.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)
        witness.start()
    with witness:
        newest = ask(witness.wait_ready(), "GET", f"/{HASH}/checkpoint").body
        size = int(newest.split(b"\n")[1])
        assert seen <= size <= seen + 1
        assert newest.startswith(LOG.note(size))


def test_silent_and_slow_connections_do_not_keep_others_out(tmp_path: Path) -> None:
    with WitnessProcess(tmp_path / "w", LOG.policy) as witness:
        url = witness.wait_ready()
        parts = urlsplit(url)
        held = []
        for start in (
            b"",
            b"POST /add-chec",
            b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold",
        ):
            for _ in range(50):
                connection = socket.create_connection((parts.hostname, parts.port))
                connection.sendall(start)
                held.append(connection)
        assert ask(url, "POST", "/add-checkpoint", LOG.request(0, 5)).status == 200
        for connection in held:
            connection.close()


def test_one_state_has_one_witness(tmp_path: Path) -> None:
    with WitnessProcess(tmp_path / "w", LOG.policy) as first:
        first.wait_ready()
        second = first.process
        try:
            first.start()
            assert first.process.wait(10) == 2
            assert "another witness runs" in first.said
        finally:
            second.kill()
            second.wait()


def test_words_for_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERIFIER_PASSPHRASE", "")
    assert main(["witness", "key", "new", str(tmp_path / "key"), "--name", "w"]) == 2
    monkeypatch.setenv("VERIFIER_PASSPHRASE", "right")
    assert main(["witness", "key", "new", str(tmp_path / "key"), "--name", "w"]) == 0
    assert main(["witness", "key", "new", str(tmp_path / "key"), "--name", "w"]) == 2
    (tmp_path / "policy.txt").write_text(LOG.policy)
    serve = ["witness", "serve", "--policy", str(tmp_path / "policy.txt"), "--state", str(tmp_path / "s")]
    assert main([*serve, "--key", str(tmp_path / "nowhere")]) == 2
    monkeypatch.setenv("VERIFIER_PASSPHRASE", "wrong")
    assert main([*serve, "--key", str(tmp_path / "key")]) == 2
    monkeypatch.delenv("VERIFIER_PASSPHRASE")
    assert main([*serve, "--key", str(tmp_path / "key")]) == 2
    said = capsys.readouterr().err
    for words in ("is empty", "overwritten", "cannot read", "does not open", "--passphrase-file"):
        assert words in said
