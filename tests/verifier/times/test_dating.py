"""When, and by whose word: `--tsa-roots` with replay and receipt, over real tokens (docs/format.md §21)."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.dsse import Envelope
from ledger.core.receipt import format_receipt
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.speech import Speech, signed
from tests.harness.tsa import Authority
from tests.harness.verify import Verdict, run_verifier
from tests.harness.witness import Witness
from verifier.cli.main import main
from verifier.core.policy import parse_policy
from verifier.times.dating import AUTHORITY, WITNESS, Dated, Dating

W1, W2, W3 = (Witness(f"w{number}.example") for number in (1, 2, 3))
BEGIN = 1_700_000_000
SIZE = 5


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "ec", kind="ec")


class Scene:
    """A log of five entries, its files, and tokens over some of its checkpoints."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.directory = directory
        self.ledger = LedgerBuilder()
        for name in ("alpha", "beta", "gamma", "delta"):
            self.ledger.register(person(name))
        self.ledger.write(directory / "log")
        (directory / "policy.txt").write_text(self.ledger.policy())
        (directory / "roots.pem").write_bytes(authority.root)
        self.authority = authority

    def policy(self, quorum: str) -> None:
        lines = "\n".join(witness.policy_line for witness in (W1, W2, W3))
        log = self.ledger.policy().splitlines()[0]
        (self.directory / "policy.txt").write_text(f"{log}\n{lines}\n{quorum}\n")

    def text(self, size: int) -> bytes:
        return self.ledger.checkpoint(size).rpartition(b"\n\n")[0] + b"\n"

    def stamp(self, size: int, token: bytes | None = None, note: bytes | None = None) -> None:
        """Put a token into the log's files."""
        folder = self.directory / "log" / "timestamps"
        folder.mkdir(exist_ok=True)
        (folder / f"{size}.tsr").write_bytes(self.authority.stamp(self.text(size)) if token is None else token)
        if note is not None:
            (folder / f"{size}.checkpoint").write_bytes(note)
        sizes = sorted(int(path.stem) for path in folder.glob("*.tsr"))
        (folder / "sizes").write_text("".join(f"{one}\n" for one in sizes))

    @property
    def trust(self) -> list[str]:
        return ["--policy", str(self.directory / "policy.txt"), "--tsa-roots", str(self.directory / "roots.pem")]

    def replay(self, *arguments: str) -> Verdict:
        quiet = ["--quiet", "--processes", "1"]
        return run_verifier("replay", str(self.directory / "log"), *self.trust, *quiet, *arguments)

    def words(self, command: str, *arguments: str) -> tuple[int, str]:
        words = io.StringIO()
        with redirect_stdout(words):
            code = main([command, *arguments, *self.trust])
        return code, words.getvalue()


@pytest.fixture
def scene(tmp_path: Path, authority: Authority) -> Scene:
    return Scene(tmp_path, authority)


def dated(verdict: Verdict) -> list[tuple[int, str, str]]:
    return [(item["size"], item["kind"], item["by"]) for item in verdict.report["times"]["dated"]]


def reasons(verdict: Verdict) -> list[tuple[str, str]]:
    return [(item["check"], item["reason"]) for item in verdict.report["failures"]]


def test_a_replay_says_what_tokens_bound(scene: Scene) -> None:
    """For sizes, in words and in JSON; a later token over less says nothing more."""
    scene.stamp(2)
    scene.stamp(SIZE)
    verdict = scene.replay()
    assert (verdict.exit_code, dated(verdict)) == (
        0,
        [(2, "authority", "CN=Clock,O=Test"), (5, "authority", "CN=Clock,O=Test")],
    )
    code, words = scene.words("replay", str(scene.directory / "log"), "--quiet")
    assert code == 0
    assert "entries below 2: not after 20" in words
    assert "according to the authority CN=Clock,O=Test" in words


def test_without_roots_nothing_is_read(scene: Scene) -> None:
    scene.stamp(2, b"no token at all")
    arguments = ["--policy", str(scene.directory / "policy.txt"), "--quiet"]
    verdict = run_verifier("replay", str(scene.directory / "log"), *arguments)
    assert (verdict.exit_code, "times" in verdict.report) == (0, False)


@pytest.mark.parametrize("reason", ["malformed", "other-bytes", "wrong-signature"])
def test_a_false_token_is_false(scene: Scene, reason: str) -> None:
    """Over another root of that size, of no form at all, or with a signature that is not one."""
    good = scene.authority.stamp(scene.text(3))
    token = {
        "malformed": good[:-1],
        "other-bytes": scene.authority.stamp(scene.text(4)),
        "wrong-signature": good[:-1] + bytes([good[-1] ^ 1]),
    }[reason]
    scene.stamp(3, token)
    verdict = scene.replay()
    assert (verdict.exit_code, reasons(verdict)) == (1, [("timestamp", reason)])


def test_an_unknown_authority_tells_no_time_and_accuses_nobody(scene: Scene, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", kind="ec")
    scene.stamp(3, other.stamp(scene.text(3)))
    verdict = scene.replay()
    [untold] = verdict.report["times"]["untold"]
    assert (verdict.exit_code, dated(verdict), untold["reason"]) == (0, [], "unknown-authority")
    assert "tells no time: unknown-authority" in scene.words("replay", str(scene.directory / "log"), "--quiet")[1]


def test_tokens_of_ones_own(scene: Scene) -> None:
    """`--timestamps`: the file `checkpoint` of a mirror may have been stamped, with its signatures."""
    own = scene.directory / "own"
    own.mkdir()
    (own / f"{SIZE}.tsr").write_bytes(scene.authority.token((scene.directory / "log/checkpoint").read_bytes()))
    (own / "9.tsr").write_bytes(b"of a checkpoint that is newer than this copy of the log")
    (own / "notes.txt").write_bytes(b"no token")
    verdict = scene.replay("--timestamps", str(own))
    assert (verdict.exit_code, dated(verdict)) == (0, [(5, "authority", "CN=Clock,O=Test")])
    assert verdict.report["times"]["untold"][0]["reason"] == "newer-than-checkpoint"
    assert main(["replay", str(scene.directory / "log"), *scene.trust, "--timestamps", "/no/such/place"]) == 2
    policy = ["--policy", str(scene.directory / "policy.txt")]
    assert main(["replay", str(scene.directory / "log"), *policy, "--timestamps", str(own)]) == 2


@pytest.mark.parametrize("sizes", [b"2", b"2\n1\n", b"2\n2\n", b"0\n", b"x\n", b"\xff\n", b"9" * 17 + b"\n"])
def test_a_list_of_sizes_has_one_form(scene: Scene, sizes: bytes) -> None:
    scene.stamp(2)
    (scene.directory / "log/timestamps/sizes").write_bytes(sizes)
    verdict = scene.replay()
    assert (verdict.exit_code, reasons(verdict)) == (1, [("timestamp", "malformed")])


def test_a_token_that_is_listed_and_missing_is_said(scene: Scene) -> None:
    scene.stamp(2)
    (scene.directory / "log/timestamps/2.tsr").unlink()
    verdict = scene.replay()
    assert (verdict.exit_code, verdict.report["times"]["untold"][0]["reason"]) == (0, "no such file")


def test_older_checkpoints_bring_the_word_of_witnesses(scene: Scene) -> None:
    """Above and below: a quorum needs one of two, and both had cosigned less."""
    scene.policy("group g 2 w1.example w2.example w3.example\nquorum g")
    note = scene.ledger.checkpoint(2)
    scene.stamp(2, note=W2.cosign(W1.cosign(note, BEGIN + 10), BEGIN + 20))
    newest = W3.cosign(W1.cosign(scene.ledger.checkpoint(), BEGIN + 50), BEGIN + 60)
    (scene.directory / "log/checkpoint").write_bytes(newest)
    verdict = scene.replay()
    assert verdict.exit_code == 0
    found = dated(verdict)
    assert {(2, "witness", "w1.example"), (5, "witness", "w1.example"), (2, "authority", "CN=Clock,O=Test")} <= set(
        found
    )
    words = scene.words("replay", str(scene.directory / "log"), "--quiet")[1]
    assert "statements that have seen more than 2 entries: not before 2023-11-14T22:13:30.000Z, according to" in words


def test_two_trees_of_one_size_are_found(scene: Scene) -> None:
    """The log signed another tree of size 3, and somebody kept it: replay and mirror keep the proof of the fork."""
    forked = sign_checkpoint(scene.ledger.origin, TreeHead(3, bytes(32)), scene.ledger.log_key)
    scene.stamp(3, note=forked)
    verdict = scene.replay("--fraud-dir", str(scene.directory / "frauds"))
    assert (verdict.exit_code, reasons(verdict)) == (1, [("timestamp", "root-mismatch")])
    policy = ["--policy", str(scene.directory / "policy.txt")]
    copied = run_verifier("mirror", str(scene.directory / "log"), str(scene.directory / "copy"), *policy, "--quiet")
    assert (copied.exit_code, ("timestamp", "root-mismatch") in reasons(copied)) == (1, True)
    assert not (scene.directory / "copy/timestamps").exists()
    for kept in (verdict, copied):
        [path] = kept.report["fraud_proofs"]
        proved = run_verifier("fraud", path, *policy)
        assert (proved.exit_code, proved.report["kind"]) == (0, "fork")
        assert forked.decode() in Path(path).read_text().replace("\\n", "\n")


def test_a_clock_that_was_ahead(scene: Scene) -> None:
    """Entries that say that they are of the year 2100 were stamped long before."""
    late = LedgerBuilder("late")
    late.record(scene_envelope(late), 4_102_444_800_000)
    late.write(scene.directory / "other")
    policy = scene.directory / "other.txt"
    policy.write_text(late.policy())
    folder = scene.directory / "tokens"
    folder.mkdir()
    text = late.checkpoint().rpartition(b"\n\n")[0] + b"\n"
    (folder / "2.tsr").write_bytes(scene.authority.stamp(text))
    roots = ["--tsa-roots", str(scene.directory / "roots.pem"), "--timestamps", str(folder), "--quiet"]
    verdict = run_verifier("replay", str(scene.directory / "other"), "--policy", str(policy), *roots)
    assert ("timestamp", "older-than-entry") in reasons(verdict)


def scene_envelope(ledger: LedgerBuilder) -> Envelope:
    """Return a registration that may be recorded in the year 2100."""
    who = person("late")
    return signed(Speech(ledger.id, 4_102_444_800_000, ledger.rules).party_registered(who), *who.all_keys)


def test_a_mirror_carries_time_stamps(scene: Scene) -> None:
    """Also of authorities that nobody here knows; a false one is reported and left out, and the log is copied."""
    scene.stamp(2, note=scene.ledger.checkpoint(2))
    scene.stamp(3, scene.authority.stamp(scene.text(4)))
    copy = scene.directory / "copy"
    arguments = [str(scene.directory / "log"), str(copy), "--policy", str(scene.directory / "policy.txt"), "--quiet"]
    verdict = run_verifier("mirror", *arguments)
    assert (verdict.exit_code, reasons(verdict)) == (1, [("timestamp", "other-bytes")])
    assert (copy / "checkpoint").read_bytes() == scene.ledger.checkpoint()
    scene.stamp(3)
    assert run_verifier("mirror", *arguments).exit_code == 0
    assert (copy / "timestamps/sizes").read_bytes() == b"2\n3\n"
    assert (copy / "timestamps/2.checkpoint").read_bytes() == scene.ledger.checkpoint(2)
    verdict = run_verifier("replay", str(copy), *scene.trust, "--quiet", "--processes", "1")
    assert (verdict.exit_code, dated(verdict)[-1][0]) == (0, 3)


def test_a_receipt(scene: Scene) -> None:
    """Only a token over its own checkpoint says anything."""
    tree = ReferenceTree([entry_leaf(raw) for raw in scene.ledger.entries])
    receipt = format_receipt(1, tree.inclusion(1, SIZE), scene.ledger.checkpoint())
    (scene.directory / "r").write_bytes(receipt)
    (scene.directory / "e").write_bytes(scene.ledger.entries[1])
    scene.stamp(2)
    scene.stamp(SIZE)
    files = [str(scene.directory / "r"), "--entry", str(scene.directory / "e")]
    code, words = scene.words("receipt", *files, "--timestamps", str(scene.directory / "log/timestamps"))
    assert (code, words.count("not after")) == (0, 1)
    code, words = scene.words("receipt", *files)
    assert (code, "nothing but the operator's word" in words) == (0, True)
    scene.stamp(SIZE, scene.authority.stamp(scene.text(2)))
    code, words = scene.words("receipt", *files, "--timestamps", str(scene.directory / "log/timestamps"))
    assert (code, "[timestamp] other-bytes" in words) == (1, True)


def test_bounds_by_their_definition() -> None:
    """Earliest from above for each; from below only where no quorum is without one who had cosigned less."""
    lines = "\n".join(witness.policy_line for witness in (W1, W2, W3))
    log = LedgerBuilder().policy().splitlines()[0]
    policy = parse_policy(f"{log}\n{lines}\ngroup g 2 w1.example w2.example w3.example\nquorum g\n".encode())
    dating = Dating(policy, policy.logs[0].name)
    dating.dated = [
        Dated(10, "w1.example", WITNESS, 4),
        Dated(20, "w2.example", WITNESS, 4),
        Dated(30, "w1.example", WITNESS, 8),
        Dated(5, "T", AUTHORITY, 6),
        Dated(40, "T", AUTHORITY, 6),
    ]
    assert [(item.time_ms, item.by) for item in dating.not_after(3)] == [
        (5, "T"), (10, "w1.example"), (20, "w2.example"),
    ]  # fmt: skip
    assert [item.time_ms for item in dating.not_after(5)] == [5, 30]
    assert dating.not_after(8) == []
    assert dating.not_before(4) is None
    assert dating.not_before(5) == (10, ("w1.example", "w2.example"))  # w3 and either would have been a quorum at 15
    assert dating.not_before(9) == (20, ("w1.example", "w2.example"))
    assert [(item.size, item.time_ms) for item in dating.bounds()] == [(4, 10), (4, 20), (6, 5), (8, 30)]
