"""A monitor: what it tells, that it tells it once, and that nobody can make it lose its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.builder import Builder, key_from, keyid, public, small_ledger
from verifier.core.errors import UsageError
from verifier.core.policy import parse_policy
from verifier.watch.concerns import Interests
from verifier.watch.sinks import Alarm
from verifier.watch.state import Store
from verifier.watch.watch import Settings, Watcher

HOUR = 3600.0
DAY_MS = 86_400_000


class Scene:
    """A log that grows, a monitor that follows it, and what the monitor said."""

    def __init__(self, tmp_path: Path, *more: object, **settings: Any) -> None:
        self.path, self.log = tmp_path, small_ledger()
        self.now_s = self.log.time_ms / 1000
        self.said: list[Alarm] = []
        self.down = ""
        self.more, self.settings = more, settings
        self.own: set[str] = set()
        self.mine: dict[str, frozenset[str]] = {"parties": frozenset({"acme"})}
        self.write()
        self.restart()

    def write(self) -> None:
        self.log.write(self.path / "log")

    def restart(self) -> None:
        """Begin again from what is on disk, as after kill -9."""
        policy = parse_policy(self.log.policy().encode())

        def tell(alarm: Alarm) -> str:
            if not self.down:
                self.said.append(alarm)
            return self.down

        interests = Interests(**self.mine, is_own=lambda name: name in self.own)
        settings: dict[str, Any] = {"tell": {"test": tell}, "stall_s": HOUR} | self.settings
        sources = tuple(map(str, (self.path / "log", *self.more)))
        self.watcher = Watcher(
            Settings(sources, policy, policy.logs[0], interests=interests, **settings),
            Store(self.path / "state"),
            lambda: self.now_s,
        )

    def look(self) -> list[str]:
        """Return the kinds of what a round tells."""
        before = len(self.said)
        self.watcher.round()
        return [alarm["kind"] for alarm in self.said[before:]]


def test_the_past_is_counted_and_what_comes_is_told_once(tmp_path: Path) -> None:
    """Entries of others that name me; not those of strangers; and nothing again after a restart without saving."""
    scene = Scene(tmp_path)
    assert scene.look() == ["started"]
    assert scene.look() == []
    listing = scene.log.list_dataset("birch.example")
    offer = scene.log.offer("birch.example", "acme", listing)
    scene.write()
    assert scene.look() == ["names-me", "finding"]
    assert scene.said[-2]["statement"] == offer
    assert scene.said[-2]["severity"] == "notice"
    assert scene.said[-1]["party"] == "birch.example"
    scene.restart()
    assert scene.look() == []
    scene.log.list_dataset("cedar")
    scene.write()
    scene.restart()
    assert scene.look() == []


def test_text_that_looks_like_an_id_stops_no_monitor(tmp_path: Path) -> None:
    """What anybody may write in a title is no id until it is known to be one."""
    scene = Scene(tmp_path)
    scene.look()
    for text in ("sha256:" + "z" * 64, "sha256:" + "A" * 64, "sha256:", "sha256:" + " " * 64):
        scene.log.list_dataset("cedar", title=text)
        scene.log.list_dataset("cedar", title=text, description="acme")
    scene.write()
    assert scene.look() == ["names-me"] * 4


def test_what_is_said_in_my_name_is_told_unless_it_is_my_own(tmp_path: Path) -> None:
    """Keys used, added and revoked; claims; findings about me."""
    scene = Scene(tmp_path)
    log = scene.log
    scene.look()
    scene.own.add(log.list_dataset("acme"))
    scene.write()
    assert scene.look() == []
    log.list_dataset("acme")
    scene.write()
    assert scene.look() == ["key-used"]
    assert keyid(log.keys("acme")[0]) in scene.said[-1]["sentence"]
    new, recovery = key_from("acme/new"), log.keys("acme")[1]
    log.append("party.key_added", "acme", [recovery, new], key=public(new), use="signing")
    scene.write()
    assert scene.look() == ["key-added"]
    log.append("party.key_revoked", "acme", [recovery], keyid=keyid(new), reason="lost")
    scene.write()
    assert scene.look() == ["key-revoked"]
    listing = log.list_dataset("acme")
    scene.own.add(listing)
    offer = log.offer("acme", "cedar", listing)
    scene.own.add(offer)
    scene.write()
    assert scene.look() == ["finding"]
    assert scene.said[-1]["slug"] == "transfer-without-license"
    log.decide("cedar", offer)
    scene.write()
    assert scene.look() == ["names-me"]


def test_claims_and_deadlines_are_told(tmp_path: Path) -> None:
    """A claim against me; and an acknowledgement that is overdue by the clock, though the log stands still."""
    scene = Scene(tmp_path, stall_s=300 * 24 * HOUR)
    log = scene.log
    for _ in range(2):
        log.change_rules()
    scene.write()
    scene.look()
    listing = log.list_dataset("acme", title="Ships", content={"sealed": "ab" * 32})
    offer = log.offer("acme", "cedar", listing, acknowledge_by_ms=log.time_ms + DAY_MS)
    scene.own |= {listing, offer}
    scene.write()
    scene.look()
    assert scene.look() == []
    scene.now_s = log.time_ms / 1000 + 2 * 24 * HOUR
    assert "finding" in scene.look()
    assert scene.said[-1]["slug"] == "not-acknowledged-in-time"
    assert scene.said[-1]["party"] == "cedar"
    scene.restart()
    assert scene.look() == []


def test_stalling_and_staleness_are_told_when_they_begin_and_end(tmp_path: Path) -> None:
    """Once each, over restarts."""
    scene = Scene(tmp_path)
    scene.look()
    scene.now_s += 2 * HOUR
    assert scene.look() == ["stalled"]
    scene.restart()
    assert scene.look() == []
    scene.log.register("delta")
    scene.write()
    assert scene.look() == ["stalled-ended"]
    (scene.path / "log/checkpoint").rename(scene.path / "gone")
    scene.now_s += HOUR / 2
    assert scene.look() == []
    scene.now_s += HOUR
    assert sorted(scene.look()) == ["stale", "stalled"]
    assert "no such file" in scene.said[-1]["sentence"] + scene.said[-2]["sentence"]
    (scene.path / "gone").rename(scene.path / "log/checkpoint")
    assert scene.look() == ["stale-ended"]


def test_a_fork_is_told_with_its_proof_and_the_place_is_kept(tmp_path: Path) -> None:
    """The log shows another past; later the true one again, and the monitor goes on."""
    scene = Scene(tmp_path)
    scene.look()
    true = [*scene.log.entries], [*scene.log.leaves]
    other = small_ledger(transfers=1)
    for number in range(20):
        other.register(f"x{number}")
    other.write(scene.path / "log")
    assert scene.look() == ["false"]
    alarm = scene.said[-1]
    assert (alarm["check"], alarm["reason"]) == ("remembered", "fork")
    assert len(alarm["notes"]) == 2
    assert all(Path(path).is_file() for path in alarm["proofs"])
    assert len(alarm["proofs"]) == 1
    assert scene.look() == []
    scene.log.entries, scene.log.leaves = true
    scene.log.register("delta")
    scene.write()
    assert scene.look() == []
    assert scene.watcher.position.replay is not None
    assert scene.watcher.position.replay.size == len(scene.log.entries)


def test_peers_and_sources_are_compared(tmp_path: Path) -> None:
    """A peer's checkpoint of another past is a fork; what is newer than all we can verify is told after a while."""
    peers = tmp_path / "peers"
    peers.mkdir()
    mirror = tmp_path / "mirror"
    scene = Scene(tmp_path, mirror, peers=peers)
    (peers / "garbage").write_bytes(bytes(1 << 20))
    (peers / "good").write_bytes(scene.log.note(size=5))
    assert scene.look() == ["started"]
    (peers / "bad").write_bytes(scene.log.note(size=5, root=bytes(32)))
    assert scene.look() == ["fork"]
    assert scene.said[-1]["notes"][str(peers / "bad")] == scene.log.note(size=5, root=bytes(32)).decode()
    assert len(scene.said[-1]["proofs"]) == 1
    (peers / "bad").unlink()
    (peers / "newer").write_bytes(scene.log.note(size=1000, root=bytes(32)))
    assert scene.look() == []
    scene.now_s += 2 * HOUR
    assert sorted(scene.look()) == ["behind", "stalled"]
    small_ledger(transfers=1).write(mirror)
    (mirror / "checkpoint").write_bytes(b"nonsense")
    assert scene.look() == ["false"]
    assert str(mirror) in scene.said[-1]["sentence"]


def test_what_cannot_be_delivered_waits(tmp_path: Path) -> None:
    """Also over a restart; in order; once."""
    scene = Scene(tmp_path)
    scene.look()
    scene.down = "it does not answer"
    for number in range(3):
        scene.log.list_dataset("acme", title=f"Set {number}")
    scene.write()
    assert scene.look() == []
    scene.restart()
    assert scene.look() == []
    scene.down = ""
    assert scene.look() == ["key-used"] * 3
    assert [alarm["index"] for alarm in scene.said[-3:]] == list(
        range(len(scene.log.entries) - 3, len(scene.log.entries))
    )
    assert scene.look() == []


@pytest.mark.parametrize(
    "lie",
    [
        lambda note, size: note.replace(b"\n%d\n" % size, b"\n9223372036854775808\n"),
        lambda *_: bytes(10 << 20),
        lambda note, _: note[:-9],
        lambda *_: b"",
        lambda note, _: b"\xff" + note,
    ],
)
def test_a_hostile_checkpoint_moves_nothing(lie: Any, tmp_path: Path) -> None:
    """Size 2^63, 10 MB, cut short, nothing, not UTF-8: at most one alarm, and the place is kept."""
    scene = Scene(tmp_path)
    scene.look()
    note = (scene.path / "log/checkpoint").read_bytes()
    (scene.path / "log/checkpoint").write_bytes(lie(note, len(scene.log.entries)))
    assert set(scene.look()) <= {"false"}
    assert scene.look() == []
    scene.log.register("delta")
    scene.write()
    scene.look()
    assert scene.watcher.position.replay is not None
    assert scene.watcher.position.replay.size == len(scene.log.entries)


def test_its_files_do_not_grow_with_time(tmp_path: Path) -> None:
    """A thousand rounds over a log that stands still write nothing more; a damaged file is told."""
    scene = Scene(tmp_path, metrics=tmp_path / "metrics")
    scene.look()
    scene.look()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("state")}
    for _ in range(200):
        scene.look()
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("state")}
    assert scene.watcher.write_metrics() == ""
    assert f"provenance_watch_size {len(scene.log.entries)}\n" in (tmp_path / "metrics").read_text()
    for name, raw in before.items():
        body = json.loads(raw)
        for bad in (
            raw[:-5],
            b"",
            raw.replace(b'"digest":"', b'"digest":"0'),
            json.dumps(body | {"type": "x"}).encode(),
        ):
            (tmp_path / name).write_bytes(bad)
            with pytest.raises(UsageError):
                scene.restart()
        (tmp_path / name).write_bytes(raw)
    other = Builder(origin="log.example/other")
    other.create()
    policy = parse_policy(other.policy().encode())
    with pytest.raises(UsageError):
        Store(tmp_path / "state").load(policy, policy.logs[0])
