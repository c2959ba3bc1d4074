"""What an outside audit found, each as a test that failed before."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

import verifier.sources.source
from tests.verifier.builder import Builder, key_from, public, small_ledger
from tests.verifier.core.test_parsers import slowly
from verifier.core.errors import SourceUnavailable
from verifier.core.notes import Checkpoint
from verifier.core.policy import parse_policy
from verifier.core.tree import tile_widths
from verifier.replay.replay import replay
from verifier.schema.entries import parse_entry
from verifier.schema.templates import read_template
from verifier.schema.versions import NEWEST_RULES
from verifier.sources.source import HttpSource

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.replay.result import Replay

TRANSFERS = [
    payload
    for payload in (parse_entry(raw).payload for raw in small_ledger().entries)
    if b'"transfer.offered"' in payload or b'"transfer.acknowledged"' in payload
]


def run(builder: Builder, directory: Path, processes: int = 1) -> Replay:
    policy = parse_policy(builder.policy().encode())
    source = builder.write(directory)
    return replay(str(source), policy, policy.logs[0], progress=lambda *_: None, processes=processes)


@pytest.mark.parametrize("payload", [TRANSFERS[0], TRANSFERS[1]])
def test_no_changed_byte_makes_a_template_say_what_the_tables_do_not(payload: bytes) -> None:
    """Every byte, changed into every other."""
    for at in range(len(payload)):
        for byte in range(256):
            changed = payload[:at] + bytes([byte]) + payload[at + 1 :]
            template = read_template(changed, 1)
            assert template is None or template == slowly(changed), changed


@pytest.mark.parametrize("more", [{}, {"what_is_this": 1}], ids=["plain", "with a field of its own"])
def test_a_ledger_made_under_unknown_rules_is_not_judged(tmp_path: Path, more: dict[str, int]) -> None:
    """§6.2: `rules` is read before all other fields; bytes, links and tree are checked, and the exit code is 3."""
    builder = Builder()
    builder.create(rules=NEWEST_RULES + 1, **more)
    builder.register("alpha")
    result = run(builder, tmp_path)
    assert (result.failures, [doubt.reason for doubt in result.doubts]) == ([], ["unknown-rules"])
    assert result.exit_code() == 3


def test_more_keys_than_a_pipe_holds_do_not_stop_two_processes(tmp_path: Path) -> None:
    """A parent that sends keys to a worker that sends a bundle would wait for ever."""
    builder = Builder()
    builder.create()
    for number in range(1200):
        keys = [key_from(f"{number}/{at}") for at in range(6)]
        fields = {"keys": [public(key) for key in keys[:3]], "recovery_keys": [public(key) for key in keys[3:]]}
        builder.append("party.registered", f"party-{number}", keys, **fields)
    ended = threading.Event()
    results: list[Replay] = []

    def work() -> None:
        results.append(run(builder, tmp_path, processes=2))
        ended.set()

    threading.Thread(target=work, daemon=True).start()
    assert ended.wait(60), "the replay hangs"
    assert (results[0].failures, results[0].doubts, len(results[0].registry.parties)) == ([], [], 1201)


def test_a_checkpoint_of_2_53_entries_costs_nothing(tmp_path: Path) -> None:
    builder = Builder()
    builder.create()
    note = builder.note(size=2**53 - 1)
    policy = parse_policy(builder.policy().encode())
    source = builder.write(tmp_path, note)
    result = replay(str(source), policy, policy.logs[0], progress=lambda *_: None)
    assert result.opened is not None
    assert result.opened.checkpoint == Checkpoint(builder.origin, 2**53 - 1, result.opened.checkpoint.root)
    assert result.exit_code() == 3
    assert next(tile_widths(2**53 - 1, 0)) == (0, 256)


@pytest.mark.parametrize(
    "drip",
    [b"HTTP/1.1 100 Continue\r\n\r\n", b"X-More: 1\r\n", b"x"],
    ids=["continue for ever", "headers for ever", "a body that drips"],
)
def test_a_server_that_never_ends_is_given_up(drip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier.sources.source, "DEADLINE_S", 0.5)
    monkeypatch.setattr(verifier.sources.source, "_ATTEMPTS", 1)
    starts = {b"X-More: 1\r\n": b"HTTP/1.1 200 OK\r\n", b"x": b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"}
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(starts.get(drip, b""))
                while not stop.wait(0.02):
                    try:
                        connection.sendall(drip)
                    except OSError:
                        return

        threading.Thread(target=serve, daemon=True).start()
        source = HttpSource(f"http://127.0.0.1:{server.getsockname()[1]}")
        try:
            with pytest.raises(SourceUnavailable):
                source.read("checkpoint", 65_536)
        finally:
            stop.set()
            source.close()
