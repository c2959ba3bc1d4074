"""A witness's answers, status by status, and what it keeps (C2SP tlog-witness v1.0.0; docs/format.md §17.2)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.note import open_note, parse_note, parse_vkey, sign_note
from tests.harness.people import key
from tests.harness.witness import Witness as OtherWitness
from tests.harness.witnesses import BareLog
from verifier.core.errors import MalformedInput, UsageError
from verifier.core.notes import parse_vkey as their_vkey
from verifier.core.policy import Policy
from verifier.fraud.fraud import verify_fraud
from verifier.witness import store as witness_store
from verifier.witness.keys import format_key_file, generate, make_cosigner, open_key_file, write_key_file
from verifier.witness.store import WitnessStore
from verifier.witness.witness import Refused, Witness

LOG = BareLog()
FORKED = BareLog(fork_at=200)
SECOND = BareLog("second.example/log", 20)
COSIGNER = make_cosigner("w.example", bytes(range(32)), bytes(range(32)))
NOW_S = 1_800_000_000


class Scene:
    """A witness in this process."""

    def __init__(self, directory: Path) -> None:
        self.now_s = NOW_S
        self.fraud = directory / "fraud"
        self.path = directory / "witness.db"
        self.store = WitnessStore(self.path, [LOG.origin, SECOND.origin])
        keys = [their_vkey(log.note_key.vkey()) for log in (LOG, SECOND)]
        self.witness = Witness(keys, COSIGNER, self.store, self.fraud, lambda: self.now_s)

    def refused(self, body: bytes) -> tuple[int, str]:
        with pytest.raises(Refused) as caught:
            self.witness.add_checkpoint(body)
        assert caught.value.status != 409 or caught.value.content_type == "text/x.tlog.size"
        return caught.value.status, caught.value.why

    def newest(self, log: BareLog = LOG) -> bytes:
        return self.witness.newest(sha256(log.origin.encode()).hexdigest())


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.store.close()


def test_it_cosigns_what_grows(scene: Scene) -> None:
    keys = [parse_vkey(own.vkey) for own in COSIGNER.keys]
    for old, new in [(0, 1), (1, 1), (1, 7), (7, 8), (8, 200), (200, 300)]:
        scene.now_s += 1
        lines = scene.witness.add_checkpoint(LOG.request(old, new))
        note = parse_note(LOG.note(new) + lines)
        assert open_note(note, [LOG.note_key, *keys]) == [LOG.note_key, *keys]
        assert {int.from_bytes(line.signature[:8], "big") for line in note.signatures[1:]} == {scene.now_s}
        assert scene.newest() == LOG.note(new) + lines


def test_an_empty_tree_is_cosigned_once_it_is_shown(scene: Scene) -> None:
    with pytest.raises(Refused) as caught:
        scene.newest()
    assert caught.value.status == 404
    scene.witness.add_checkpoint(LOG.request(0, 0))
    assert scene.newest().startswith(LOG.note(0))
    scene.witness.add_checkpoint(LOG.request(0, 5))
    assert scene.refused(LOG.request(0, 0)) == (409, "5\n")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\n" + LOG.note(3),
        b"old -1\n\n" + LOG.note(3),
        b"old \n\n" + LOG.note(3),
        b"old 0 \n\n" + LOG.note(3),
        b"Old 0\n\n" + LOG.note(3),
        b"old 9007199254740992\n\n" + LOG.note(3),
        b"old 0\nnot base64\n\n" + LOG.note(3),
        b"old 0\n" + b64encode(bytes(31)).encode() + b"\n\n" + LOG.note(3),
        b"old 0\n\xff\n\n" + LOG.note(3),
        b"old 0\n\n" + LOG.note(3)[:-1],
        b"old 0\n\n" + sign_note(b"one line\n", LOG.origin, LOG.key),
        b"old 0\n\n" + sign_note(LOG.note(3).partition(b"\n\n")[0].replace(b"3", b"03") + b"\n", LOG.origin, LOG.key),
        b"old 0\n\n" + sign_checkpoint(LOG.origin, TreeHead(2**63, bytes(32)), LOG.key),
        LOG.request(1, 3, path=[bytes(32)] * 64),
        LOG.request(4, 3, path=[]),
    ],
)
def test_400(scene: Scene, body: bytes) -> None:
    """A body that is no add-checkpoint: nothing is signed."""
    assert scene.refused(body)[0] == 400


def test_403_and_404(scene: Scene) -> None:
    stranger = BareLog("stranger.example/log")
    assert scene.refused(stranger.request(0, 3))[0] == 404
    head = LOG.head(3)
    unsigned = sign_checkpoint(LOG.origin, head, key("another key of that name"))
    assert scene.refused(LOG.request(0, 3, unsigned))[0] == 403
    # A key that is trusted for another log says nothing of this one.
    by_second = sign_note(LOG.note(3).partition(b"\n\n")[0] + b"\n", SECOND.origin, SECOND.key)
    assert scene.refused(LOG.request(0, 3, by_second))[0] == 403
    wrong = LOG.note(3).replace(b"\n3\n", b"\n4\n")
    assert scene.refused(LOG.request(0, 4, wrong))[0] == 403
    twice = LOG.note(3) + LOG.note(4).partition(b"\n\n")[2]  # one right line, and one wrong one of the same key
    assert scene.refused(LOG.request(0, 3, twice))[0] == 403


def test_409_tells_the_size(scene: Scene) -> None:
    scene.witness.add_checkpoint(LOG.request(0, 7))
    for old, new in [(0, 9), (3, 9), (8, 9), (0, 7), (0, 3)]:
        assert scene.refused(LOG.request(old, new)) == (409, "7\n")
    assert not scene.fraud.exists()


def test_422(scene: Scene) -> None:
    """A consistency proof that proves nothing, or too much: nothing is signed."""
    assert scene.refused(LOG.request(0, 3, path=[bytes(32)]))[0] == 422
    wrong_empty = sign_checkpoint(LOG.origin, TreeHead(0, bytes(32)), LOG.key)
    assert scene.refused(LOG.request(0, 0, wrong_empty))[0] == 422
    scene.witness.add_checkpoint(LOG.request(0, 250))
    good = LOG.path(250, 300)
    for path in ([], good[:-1], [*good, bytes(32)], good[::-1], FORKED.path(250, 300)):
        assert scene.refused(LOG.request(250, 300, path=path))[0] == 422
    assert scene.refused(LOG.request(250, 250, path=[bytes(32)]))[0] == 422
    assert scene.newest().startswith(LOG.note(250))
    kept = sqlite3.connect(scene.path).execute("SELECT size, note FROM refused ORDER BY size").fetchall()
    assert (300, LOG.note(300)) in kept


@pytest.mark.parametrize("old", [0, 100, 250])
def test_a_fork_is_proved_by_two_signed_checkpoints(scene: Scene, old: int) -> None:
    scene.witness.add_checkpoint(LOG.request(0, 100))
    scene.witness.add_checkpoint(LOG.request(100, 250))
    status, _ = scene.refused(LOG.request(old, 250, FORKED.note(250), path=[]))
    assert status == (422 if old == 250 else 409)
    (place,) = scene.fraud.iterdir()
    policy = Policy((their_vkey(LOG.note_key.vkey()),), {}, (), None)
    verdict = verify_fraud(place.read_bytes(), policy, policy.logs[0])
    assert (verdict.exit_code, verdict.kind) == (0, "fork")
    known, other = (head["checkpoint"].encode() for head in json.loads(place.read_bytes())["heads"])
    assert (known, other) == (scene.newest(), FORKED.note(250))


def test_a_fork_at_an_older_size_that_is_kept_is_proved_too(scene: Scene) -> None:
    scene.witness.add_checkpoint(LOG.request(0, 220))
    scene.witness.add_checkpoint(LOG.request(220, 300))
    assert scene.refused(LOG.request(100, 220, FORKED.note(220))) == (409, "300\n")
    assert len(list(scene.fraud.iterdir())) == 1


def test_lines_of_strangers_are_not_passed_on(scene: Scene) -> None:
    """A monitor that knows the stranger's key would refuse the whole note for its wrong line."""
    stranger = OtherWitness("other.example")
    junk = stranger.cosign(LOG.note(3)) + stranger.line(b"another text\n", NOW_S)
    lines = scene.witness.add_checkpoint(LOG.request(0, 3, junk))
    assert scene.newest() == LOG.note(3) + lines


def test_logs_are_kept_apart(scene: Scene) -> None:
    scene.witness.add_checkpoint(LOG.request(0, 7))
    scene.witness.add_checkpoint(SECOND.request(0, 3))
    assert scene.refused(SECOND.request(7, 9)) == (409, "3\n")
    assert scene.newest(SECOND).startswith(SECOND.note(3))


def test_another_process_that_got_ahead_is_not_overwritten(scene: Scene) -> None:
    """The old size stands in the WHERE: between looking and writing, nobody else can have moved on unseen."""
    scene.witness.add_checkpoint(LOG.request(0, 7))
    old = scene.store.head(LOG.origin)
    scene.witness.add_checkpoint(LOG.request(7, 9))
    head = LOG.head(8)
    assert not scene.store.advance(LOG.origin, old, witness_store.Head(8, head.root), b"", NOW_S)
    assert scene.store.head(LOG.origin).size == 9
    with pytest.raises(UsageError, match="another witness"):
        WitnessStore(scene.path, [])


def test_old_checkpoints_are_thinned_to_one_a_minute(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_store, "KEPT", 10)
    for size in range(1, 301):
        scene.now_s = NOW_S + 2 * size
        scene.witness.add_checkpoint(LOG.request(size - 1, size))
    rows = sqlite3.connect(scene.path).execute("SELECT size, cosigned_s FROM checkpoints ORDER BY size").fetchall()
    assert [size for size, _ in rows[-10:]] == list(range(291, 301))
    minutes = [at // 60 for _, at in rows[:-10]]
    assert len(set(minutes)) == len(minutes) == 10


class TestKeyFile:
    """Key files are sealed, bounded and never overwritten."""

    def test_it_opens_with_its_passphrase_alone(self, tmp_path: Path) -> None:
        cosigner = generate("w.example", lasting=True)
        path = tmp_path / "key.json"
        write_key_file(path, cosigner, b"right")
        assert path.stat().st_mode & 0o777 == 0o600
        assert open_key_file(path.read_bytes(), b"right") == cosigner
        for secret in (cosigner.short_seed, cosigner.lasting_seed):
            assert b64encode(secret).encode() not in path.read_bytes()
        with pytest.raises(UsageError, match="passphrase"):
            open_key_file(path.read_bytes(), b"wrong")
        with pytest.raises(UsageError, match="overwritten"):
            write_key_file(path, cosigner, b"right")

    def test_what_is_no_key_file(self) -> None:
        cosigner = generate("w.example", lasting=False)
        good = json.loads(format_key_file(cosigner, b"right"))
        seeds = good["seeds"]
        documents: tuple[object, ...] = (
            [],
            {},
            good | {"type": "other"},
            good | {"seeds": 3},
            good | {"name": 3},
            good | {"keys": []},
            good | {"keys": [generate("w.example", lasting=False).short.vkey]},
            good | {"seeds": seeds | {"memory_bytes": 1 << 40}},
            good | {"seeds": seeds | {"ops": 1000}},
            good | {"seeds": seeds | {"ops": True}},
            good | {"seeds": seeds | {"salt": "AA=="}},
            good | {"seeds": seeds | {"box": "no"}},
        )
        for bad in documents:
            with pytest.raises(MalformedInput):
                open_key_file(json.dumps(bad).encode(), b"right")
        for raw in (b"", b"\xff", b"[" * 100_000):
            with pytest.raises(MalformedInput):
                open_key_file(raw, b"right")

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
    def test_a_name_that_notes_cannot_hold(self, name: str) -> None:
        with pytest.raises(UsageError, match="name"):
            generate(name, lasting=False)
