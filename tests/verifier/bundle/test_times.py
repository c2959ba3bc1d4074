"""Time-stamps and older checkpoints in a bundle, with and without roots (docs/bundle.md §2.3, §6)."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from ledger.core.checkpoint import TreeHead, sign_checkpoint
from ledger.core.encoding import Json, b64encode
from ledger.core.keys import Signer
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story
from tests.harness.bundles import Files, Maker, document, with_manifest, zipped
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.tsa import Authority
from tests.harness.verify import Verdict, run_verifier
from tests.harness.witness import Witness
from verifier.cli.main import main

W1 = Witness("w1.example")
BEGIN = 1_700_000_000
SEEN = 7


class Seeing(Story):
    """Bob had seen seven entries when he acknowledged."""

    def tell(self, label: str, statement: Json, *keys: Signer, seals: dict[str, str] | None = None) -> None:
        if label == "acknowledged bob.example":
            statement["seen"] = {"root": self.root_at(SEEN).hex(), "size": SEEN}
        super().tell(label, statement, *keys, seals=seals)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "ec", kind="ec")


@pytest.fixture(scope="module")
def maker() -> Maker:
    story = Seeing()
    return Maker(story, leak([story.copies["bob.example"]]))


class Scene:
    def __init__(self, directory: Path, maker: Maker, authority: Authority) -> None:
        self.directory, self.maker, self.authority, self.story = directory, maker, authority, maker.story
        self.tree = ReferenceTree([entry_leaf(raw) for raw in self.story.entries])
        self.policy = f"{self.story.policy().splitlines()[0]}\n{W1.policy_line}\nquorum w1.example\n"
        maker.cosigned = W1.cosign(self.story.checkpoint(), BEGIN + 9_000)
        self.files: Files = maker.files()
        (directory / "roots.pem").write_bytes(authority.root)

    def text(self, size: int) -> bytes:
        return self.story.checkpoint(size).rpartition(b"\n\n")[0] + b"\n"

    def older(self, size: int, note: bytes = b"", path: list[bytes] | None = None) -> bytes:
        hashes = self.tree.consistency(size, self.story.size) if path is None else path
        text = (note or W1.cosign(self.story.checkpoint(size), BEGIN + 100)).decode()
        return document({"checkpoint": text, "path": [b64encode(one) for one in hashes]})

    def run(self, *, with_roots: bool = True) -> Verdict:
        return run_verifier(*self.arguments(with_roots=with_roots))

    def words(self) -> str:
        words = io.StringIO()
        with redirect_stdout(words):
            main(self.arguments())
        return words.getvalue()

    def arguments(self, *, with_roots: bool = True) -> list[str]:
        (self.directory / "b.zip").write_bytes(zipped(with_manifest(self.files)))
        (self.directory / "policy.txt").write_text(self.policy)
        arguments = ["bundle", str(self.directory / "b.zip"), "--policy", str(self.directory / "policy.txt")]
        return [*arguments, *(["--tsa-roots", str(self.directory / "roots.pem")] if with_roots else [])]


@pytest.fixture
def scene(tmp_path: Path, maker: Maker, authority: Authority) -> Scene:
    return Scene(tmp_path, maker, authority)


def faults(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(item["check"], item["reason"], item["where"].partition(" ")[0]) for item in verdict.report["failures"]]


def bound(verdict: Verdict, index: int) -> Any:
    return next(item for item in verdict.report["times"]["bounds"] if item["index"] == index)


def test_a_token_over_the_bundles_own_checkpoint(scene: Scene) -> None:
    """Over its text, or over the very note that is in the bundle."""
    for stamped in (scene.text(scene.story.size), scene.maker.cosigned):
        scene.files["timestamps/0.tsr"] = scene.authority.stamp(stamped)
        verdict = scene.run()
        assert (verdict.exit_code, verdict.report["failures"]) == (0, [])
        offered = scene.story.said["transfer bob.example"].index
        assert {item["by"] for item in bound(verdict, offered)["not_after"]} == {"w1.example", "CN=Clock,O=Test"}
    words = scene.words()
    assert "according to the authority CN=Clock,O=Test" in words
    assert "were not checked" not in words


def test_an_older_checkpoint_bounds_more_closely(scene: Scene) -> None:
    """What a witness and an authority said then, of a tree that the bundle's own continues."""
    story = scene.story
    acknowledged = story.said["acknowledged bob.example"].index
    size = acknowledged + 1
    scene.files["timestamps/3.json"] = scene.older(size)
    scene.files["timestamps/3.tsr"] = scene.authority.stamp(scene.text(size))
    scene.files["timestamps/4.json"] = scene.older(SEEN - 1, W1.cosign(story.checkpoint(SEEN - 1), BEGIN + 50))
    verdict = scene.run()
    assert (verdict.exit_code, verdict.report["failures"]) == (0, [])
    about = bound(verdict, acknowledged)
    earliest = about["not_after"][0]
    assert (earliest["time_ms"], earliest["size"]) == ((BEGIN + 100) * 1000, size)
    assert about["seen_size"] == SEEN
    assert about["not_before"] == {"time_ms": story.times[SEEN - 2], "entry": SEEN - 2, "by": "operator"}
    assert about["not_before_witnesses"] == {"time_ms": (BEGIN + 50) * 1000, "witnesses": ["w1.example"]}
    claim = bound(verdict, story.said["claim"].index)
    assert claim["not_before"] is None
    assert claim["not_after"][0]["time_ms"] == (BEGIN + 9_000) * 1000
    words = scene.words()
    assert "not before 2023-11-14T22:14:10.000Z, according to w1.example" in words
    assert "according to the operator (entry 5)" in words


def test_without_roots_nothing_of_it_is_read(scene: Scene) -> None:
    scene.files |= {"timestamps/0.tsr": b"any bytes", "timestamps/1.json": b"{}"}
    verdict = scene.run(with_roots=False)
    assert verdict.exit_code == 0
    assert "1 time-stamp tokens are in the bundle, and were not checked." in verdict.report["open"]
    assert "bounds" not in verdict.report["times"]


def test_an_unknown_authority_leaves_the_verdict_as_it_is(scene: Scene, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", kind="ec")
    scene.files["timestamps/0.tsr"] = other.stamp(scene.text(scene.story.size))
    verdict = scene.run()
    assert (verdict.exit_code, verdict.report["times"]["untold"][0]["reason"]) == (0, "unknown-authority")
    assert "The token timestamps/0.tsr, of CN=Clock,O=Test, tells no time: unknown-authority." in scene.words()


Spoil = Callable[[Scene], Files]


def _json(raw: Callable[[Scene], bytes]) -> Spoil:
    return lambda scene: {"timestamps/1.json": raw(scene)}


def _forked(scene: Scene) -> bytes:
    return sign_checkpoint(scene.story.origin, TreeHead(4, bytes(32)), scene.story.log_key)


@pytest.mark.parametrize(
    ("reason", "where", "spoil"),
    [
        ("malformed", "timestamps/0.tsr", lambda _: {"timestamps/0.tsr": b"any bytes"}),
        (
            "other-bytes",
            "timestamps/0.tsr",
            lambda scene: {"timestamps/0.tsr": scene.authority.stamp(scene.text(scene.story.size - 1))},
        ),
        (
            "other-bytes",
            "timestamps/1.tsr",
            lambda scene: {
                "timestamps/1.json": scene.older(4),
                "timestamps/1.tsr": scene.authority.stamp(scene.text(5)),
            },
        ),
        ("malformed", "timestamps/1.json", _json(lambda _: b"{}")),
        ("missing-field", "timestamps/1.json", _json(lambda _: b"{}\n")),
        ("malformed", "timestamps/1.json", _json(lambda scene: scene.older(4, b"no note"))),
        ("wrong-signature", "timestamps/1.json", _json(lambda scene: scene.older(4, _damaged(scene)))),
        ("root-mismatch", "timestamps/1.json", _json(lambda scene: scene.older(4, _forked(scene)))),
        ("path-length", "timestamps/1.json", _json(lambda scene: scene.older(5, path=[]))),
        ("out-of-range", "timestamps/1.json", _json(lambda scene: scene.older(4, _larger(scene)))),
        (
            "older-than-entry",
            "w1.example",
            _json(lambda scene: scene.older(9, W1.cosign(scene.story.checkpoint(9), 1_000_000_000))),
        ),
    ],
)
def test_what_is_false(scene: Scene, reason: str, where: str, spoil: Spoil) -> None:
    """Exit code 1 with roots, and 0 without, as the page says that reads none of it."""
    scene.files |= spoil(scene)
    verdict = scene.run()
    assert (verdict.exit_code, faults(verdict)) == (1, [("time", reason, where)])
    assert scene.run(with_roots=False).exit_code == 0


def _damaged(scene: Scene) -> bytes:
    note = scene.story.checkpoint(4)
    return note.replace(note.splitlines()[2], b64encode(bytes(32)).encode())


def _larger(scene: Scene) -> bytes:
    return sign_checkpoint(scene.story.origin, TreeHead(scene.story.size + 1, bytes(32)), scene.story.log_key)


def test_a_thousand_files_and_one(scene: Scene) -> None:
    scene.files |= {f"timestamps/{number}.tsr": b"" for number in range(1_001)}
    verdict = scene.run()
    assert (verdict.exit_code, faults(verdict)) == (1, [("time", "too-large", "timestamps/")])
