"""Replaying logs from a directory and from a server, on copies that were changed, and from a remembered state."""

from __future__ import annotations

import gzip
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.verifier.builder import Builder, key_from, keyid, small_ledger, witness_line
from verifier.core.errors import SourceUnavailable, UsageError
from verifier.core.policy import Policy, parse_policy
from verifier.judgement.pins import parse_parties
from verifier.mirror.mirror import Mirrored, mirror
from verifier.replay.replay import replay
from verifier.replay.result import Replay
from verifier.replay.state import format_state, parse_state
from verifier.sources.source import HttpSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = small_ledger(transfers=320)
"""More than two bundles, so that there are full and partial tiles on two levels."""


def run(source: object, policy: Policy | None = None, **options: Any) -> Replay:
    policy = policy or parse_policy(MANY.policy().encode())
    return replay(str(source), policy, policy.logs[0], progress=lambda *_: None, **options)


def code(result: Replay) -> int:
    return result.exit_code()


def copy(source: object, target: Path) -> Mirrored:
    policy = parse_policy(MANY.policy().encode())
    return mirror(str(source), target, policy, policy.logs[0], lambda *_: None)


def checks(result: Replay | Mirrored) -> set[tuple[str, str, int | None]]:
    return {(failure.check.slug, failure.reason, failure.index) for failure in result.failures}


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Keep quiet."""


class _GzipHandler(_Handler):
    bomb = gzip.compress(bytes(1 << 24))

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(self.bomb)))
        self.end_headers()
        self.wfile.write(self.bomb)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return MANY.write(tmp_path / "log")


@pytest.fixture
def server(many: Path) -> Iterator[str]:
    yield from _serve(partial(_Handler, directory=str(many)))


@pytest.fixture
def bomber() -> Iterator[str]:
    yield from _serve(_GzipHandler)


def _serve(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.daemon_threads = True
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("processes", [1, 3])
def test_directory_and_server_replay_alike(many: Path, server: str, processes: int) -> None:
    """The same bytes give the same verdict, wherever they come from and however many processes look at them."""
    for source in (many, server):
        result = run(source, processes=processes)
        assert (result.failures, result.doubts) == ([], [])
        assert result.is_complete
        assert result.tree.root(result.tree.size) == MANY.root()
        assert result.registry.counts["transfer.offered"] == 320


def test_a_gzip_bomb_is_not_unfolded(bomber: str) -> None:
    """A server cannot fill the verifier's memory, and its doing so tells nothing about the log."""
    with pytest.raises(SourceUnavailable) as caught:
        HttpSource(bomber).read("checkpoint", 1 << 16)
    assert "larger than" in caught.value.why
    assert code(run(bomber)) == 3
    assert code(run("http://127.0.0.1:1")) == 3


def test_a_changed_byte_is_named_by_its_entry(many: Path) -> None:
    """Wherever in an entry a byte changes, the report names that entry."""
    bundle = many / "tile/entries/001"
    good = bundle.read_bytes()
    at = len(good) // 2
    position, start = 0, 0
    while start + 2 + int.from_bytes(good[start : start + 2], "big") <= at:
        start += 2 + int.from_bytes(good[start : start + 2], "big")
        position += 1
    for changed in (at, start, start + 1):
        bundle.write_bytes(good[:changed] + bytes([good[changed] ^ 0x01]) + good[changed + 1 :])
        result = run(many)
        assert code(result) == 1
        assert 256 + position in {failure.index for failure in result.failures}
    bundle.write_bytes(good[:at] + bytes([good[at] ^ 0x01]) + good[at + 1 :])
    assert ("entry-bytes", "changed-bytes", 256 + position) in checks(run(many))


@pytest.mark.parametrize(
    ("change", "reason", "index"),
    [
        (lambda raw: raw[:-5], "truncated", len(MANY.entries) - 1),
        (lambda raw: raw + b"\x00\x00", "trailing-bytes", len(MANY.entries) - 1),
        (lambda _: b"", "truncated", 512),
    ],
)
def test_a_malformed_bundle_is_false(change: Any, reason: str, index: int, many: Path) -> None:
    """A bundle that does not hold exactly its entries names itself and the first entry concerned."""
    [bundle] = many.glob("tile/entries/002.p/*")
    bundle.write_bytes(change(bundle.read_bytes()))
    result = run(many)
    assert ("bundle", reason, index) in checks(result)
    assert not result.is_complete or reason == "trailing-bytes"


def test_a_wrong_tile_is_named(many: Path) -> None:
    """Every hash tile is compared, on every level, full or partial."""
    paths = sorted(str(path.relative_to(many)) for path in many.glob("tile/[0-9]/**/*") if path.is_file())
    assert paths == ["tile/0/000", "tile/0/001", f"tile/0/002.p/{len(MANY.entries) - 512}", "tile/1/000.p/2"]
    for path in paths:
        good = (many / path).read_bytes()
        (many / path).write_bytes(good[:33] + bytes([good[33] ^ 1]) + good[34:])
        result = run(many)
        assert [(failure.check.slug, failure.where) for failure in result.failures] == [("tile", f"{path} hash 1")]
        (many / path).write_bytes(good[:-1])
        assert [failure.reason for failure in run(many).failures] == ["wrong-length"]
        (many / path).write_bytes(good)


def test_missing_files_are_doubts(many: Path) -> None:
    """What is not there cannot be told: exit 3, and the rest is still checked."""
    for path in sorted(path for path in many.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        path.unlink()
        assert code(run(many)) == 3, path
        path.write_bytes(raw)
    (many / "tile/entries/001").unlink()
    other = many / "tile/entries/000"
    raw = other.read_bytes()
    other.write_bytes(raw[:300] + bytes([raw[300] ^ 1]) + raw[301:])
    assert code(run(many)) == 1
    assert code(run(many / "nowhere")) == 3


def test_a_partial_tile_may_have_made_way(many: Path, tmp_path: Path) -> None:
    """A checkpoint's partial tiles may be gone once full ones exist: those serve as well."""
    (many / "checkpoint").write_bytes(MANY.note(size=300))
    result = run(many)
    assert (code(result), result.tree.size) == (3, 300)  # tile/1/000.p/1 has not made way: there is no full one
    (many / "tile/1/000.p/1").write_bytes((many / "tile/1/000.p/2").read_bytes()[:32])
    assert code(run(many)) == 0
    assert copy(many, tmp_path / "copy").failures == []
    assert code(run(tmp_path / "copy")) == 0


def test_a_checkpoint_of_no_trusted_log_is_false(many: Path, tmp_path: Path) -> None:
    """Signature, origin and root are the policy's, or there is nothing to go by."""
    other = Builder(origin="other.example/log")
    policy = parse_policy(other.policy().encode())
    assert checks(run(many, policy)) == {("checkpoint-origin", "wrong-origin", None)}
    impostor = Builder(log_key=key_from("impostor"))
    assert checks(run(many, parse_policy(impostor.policy().encode()))) == {
        ("checkpoint-signature", "no-log-signature", None)
    }
    (many / "checkpoint").write_bytes(MANY.note(root=bytes(32)))
    assert ("root", "root-mismatch", None) in checks(run(many))
    empty = Builder().write(tmp_path / "empty")
    assert code(run(empty)) == 3


def test_quorum(many: Path) -> None:
    """Too few witnesses: could not tell. A false or old cosignature: false."""
    lines = [witness_line("w1"), witness_line("w2"), "group both all w1 w2"]
    policy = parse_policy(MANY.policy(*lines, quorum="both").encode())
    now = MANY.time_ms // 1000 + 1
    for witnesses, expected in (({"w1": now}, 3), ({"w1": now, "w2": now}, 0), ({"w1": now, "w2": now - 302}, 1)):
        (many / "checkpoint").write_bytes(MANY.note(witnesses=witnesses))
        assert code(run(many, policy)) == expected
    note = MANY.note(witnesses={"w1": now, "w2": now})
    (many / "checkpoint").write_bytes(note[:-20] + (b"AAAA" if note[-20:-16] != b"AAAA" else b"BBBB") + note[-16:])
    assert checks(run(many, policy)) == {("checkpoint-signature", "wrong-signature", None)}


def test_pins(many: Path) -> None:
    """A pinned name must hold the pinned key, and a pinned key nobody else's name."""
    acme, birch = keyid(MANY.keys("acme")[0]), keyid(MANY.keys("birch.example")[0])
    result = run(many, pins=parse_parties(f"# us\nparty acme {acme}\nparty later {'0' * 64}\n".encode()))
    assert (code(result), result.pins.pinned, result.pins.absent) == (0, {"acme": [acme]}, ["later"])
    assert code(run(many, pins=(("acme", birch),))) == 1
    assert code(run(many, pins=(("acme", "0" * 64),))) == 1
    assert code(run(many, pins=(("later", acme),))) == 1


def _grow(size: int) -> Builder:
    """Return the log as it was at an earlier size."""
    return Builder(entries=MANY.entries[:size], leaves=MANY.leaves[:size])


@pytest.mark.parametrize("size", [1, 7, 255, 256, 300, 512, len(MANY.entries) - 1, len(MANY.entries)])
def test_a_replay_resumes(size: int, many: Path, tmp_path: Path) -> None:
    """From any size on, the remembered state gives what a whole replay gives, and earlier bundles are not needed."""
    policy = parse_policy(MANY.policy().encode())
    early = run(_grow(size).write(tmp_path / "early"))
    assert code(early) == 0
    saved = format_state(early.state())
    for number in range(size // 256):
        (many / f"tile/entries/{number:03d}").unlink()
    resumed = run(many, state=parse_state(saved, policy, policy.logs[0]))
    assert (resumed.failures, resumed.doubts, resumed.is_complete) == ([], [], True)
    whole = run(MANY.write(tmp_path / "whole"))
    assert format_state(resumed.state()) == format_state(whole.state())


def test_rollback_and_fork_are_caught(many: Path, tmp_path: Path) -> None:
    """A log that forgets or rewrites what it signed contradicts the remembered checkpoint."""
    policy = parse_policy(MANY.policy().encode())
    log = policy.logs[0]
    saved = format_state(run(_grow(300).write(tmp_path / "early")).state())
    rolled = run(_grow(299).write(tmp_path / "rolled"), state=parse_state(saved, policy, log))
    assert checks(rolled) == {("remembered", "rollback", None)}
    assert rolled.remembered == _grow(300).note()
    forked = Builder(entries=MANY.entries[:250], leaves=MANY.leaves[:250], ledger=MANY.ledger, time_ms=MANY.time_ms)
    forked.nonces = 10_000
    while len(forked.entries) < 300:
        forked.list_dataset("acme")
    same_size = run(forked.write(tmp_path / "forked"), state=parse_state(saved, policy, log))
    assert checks(same_size) == {("remembered", "fork", None)}
    for _ in range(300):
        forked.list_dataset("acme")
    longer = run(forked.write(tmp_path / "longer"), state=parse_state(saved, policy, log))
    assert ("remembered", "fork", None) in checks(longer)
    assert code(run(many, state=parse_state(saved, policy, log))) == 0


def test_a_damaged_state_is_refused(many: Path) -> None:
    """A state that was changed, or is of another log, can neither confirm nor deny."""
    policy = parse_policy(MANY.policy().encode())
    saved = format_state(run(many).state())
    stranger = parse_policy(Builder(log_key=key_from("impostor")).policy().encode())
    with pytest.raises(UsageError):
        parse_state(saved, stranger, stranger.logs[0])
    for wrong in (
        b"",
        b"{}",
        b"[]",
        saved[:-1],
        saved.replace(b'"acknowledged"', b'"refused"', 1),
        b"\xff",
        b"[" * 10**5,
    ):
        with pytest.raises(UsageError):
            parse_state(wrong, policy, policy.logs[0])


def test_a_mirror_is_byte_identical_and_incremental(many: Path, server: str, tmp_path: Path) -> None:
    """Grown in steps, from disk or over HTTP, a mirror holds what the log served and nothing else that is new."""
    target = tmp_path / "mirror"
    first = copy(_grow(300).write(tmp_path / "early"), target)
    assert (first.failures, first.doubts, first.size_before) == ([], [], 0)
    second = copy(server, target)
    assert (second.failures, second.doubts, second.size_before) == ([], [], 300)
    served = {path.relative_to(many): path.read_bytes() for path in many.rglob("*") if path.is_file()}
    assert {path: (target / path).read_bytes() for path in served} == served
    assert copy(many, target).files_written == 0
    assert copy(_grow(299).write(tmp_path / "old"), target).failures[0].reason == "rollback"
    assert (target / "checkpoint").read_bytes() == served[next(p for p in served if str(p) == "checkpoint")]
    assert code(run(target)) == 0


def test_a_mirror_is_taken_up_where_it_was_cut(many: Path, tmp_path: Path) -> None:
    """After a crash whole files stay, broken ones are replaced, and the checkpoint was not there yet."""
    target = tmp_path / "mirror"
    assert copy(many, target).failures == []
    (target / "checkpoint").unlink()
    (target / "tile/entries/001").write_bytes(b"half")
    (target / "tile/0/000").unlink()
    assert copy(many, target).files_written == 3
    assert code(run(target)) == 0


def test_a_false_file_is_never_mirrored(many: Path, tmp_path: Path) -> None:
    """No changed byte of the source reaches the mirror, and its checkpoint is not written."""
    for path in sorted(path for path in many.rglob("*") if path.is_file()):
        good = path.read_bytes()
        path.write_bytes(good[:-3] + bytes([good[-3] ^ 1]) + good[-2:])
        target = tmp_path / f"mirror-{path.name}-{path.parent.name}"
        result = copy(many, target)
        assert result.failures, path
        assert not (target / "checkpoint").exists()
        path.write_bytes(good)
        for written in (item for item in target.rglob("*") if item.is_file()):
            assert written.read_bytes() == (many / written.relative_to(target)).read_bytes()


def test_no_flipped_byte_passes(tmp_path: Path) -> None:
    """Every file of a small log, a byte at a time: never verified."""
    good = small_ledger().write(tmp_path / "log")
    assert code(run(good)) == 0
    for path in sorted(path for path in good.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        for at in range(0, len(raw), max(1, len(raw) // 60)):
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :])
            assert code(run(good)) in (1, 3), (path, at)
        path.write_bytes(raw)
    shutil.rmtree(good)
    assert code(run(good)) == 3
