"""A log's time-stamps for a bundle (docs/bundle.md §2.3): the closest ones, checked, and no error whatever is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ledger.core.checkpoint import TreeHead
from ledger.core.encoding import b64decode, parse_json
from ledger.core.merkle import verify_consistency
from ledger.core.note import parse_note
from ledger.core.policy import parse_policy
from ledger.party.errors import Problem, Unreachable
from ledger.party.evidence.parts.stamps import Stamps, take_stamps
from ledger.party.evidence.parts.tiles import Tree
from tests.harness.tsa import Authority
from tests.harness.witness import Witness
from tests.verifier.replay.test_replay import MANY

SIZE = len(MANY.entries)
STAMPED = (3, 256, 300, SIZE)
CASE = (1, 2, 256, 299, SIZE - 1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "ec", kind="ec")


@pytest.fixture
def files(authority: Authority) -> dict[str, bytes]:
    """Return a log with time-stamps, as a mirror has it."""
    found = MANY.files() | {"timestamps/sizes": "".join(f"{size}\n" for size in STAMPED).encode()}
    for size in STAMPED:
        note = MANY.note(size)
        found[f"timestamps/{size}.tsr"] = authority.stamp(parse_note(note).text)
        found[f"timestamps/{size}.checkpoint"] = note
    return found


def take(files: dict[str, bytes], error: Exception | None = None, policy: str = "") -> Stamps:
    """Take what a log with these files gives; it answers with `error` for what it has not."""

    async def read(path: str) -> bytes:
        if path not in files:
            raise error or FileNotFoundError(path)
        return files[path]

    tree = Tree(MANY.note(), TreeHead(SIZE, MANY.root()), read)
    return asyncio.run(take_stamps(tree, parse_policy(policy or MANY.policy()), CASE, 5))


def test_the_smallest_size_above_each_entry_is_taken(files: dict[str, bytes]) -> None:
    """Size 256 holds entry 255 last: it bounds no entry of the case. The last is over the bundle's own checkpoint."""
    taken = take(files)
    assert taken.left_out == []
    assert sorted(taken.members) == [
        "timestamps/5.json",
        "timestamps/5.tsr",
        "timestamps/6.json",
        "timestamps/6.tsr",
        "timestamps/7.tsr",
    ]
    for number, size in ((5, 3), (6, 300), (7, SIZE)):
        assert taken.members[f"timestamps/{number}.tsr"] == files[f"timestamps/{size}.tsr"]
    for number, size in ((5, 3), (6, 300)):
        older = parse_json(taken.members[f"timestamps/{number}.json"])
        assert older["checkpoint"].encode() == MANY.note(size)
        verify_consistency(size, MANY.root(size), SIZE, MANY.root(), [b64decode(one) for one in older["path"]])


def test_witnesses_that_are_missing_on_an_older_checkpoint_do_not_matter(files: dict[str, bytes]) -> None:
    policy = MANY.policy(Witness("w").policy_line, quorum="w")
    assert take(files, policy=policy) == take(files)


Spoil = Callable[[dict[str, bytes]], object]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda files: files.pop("timestamps/300.tsr"), "300.tsr"),
        (lambda files: files.pop("timestamps/300.checkpoint"), "300.checkpoint"),
        (lambda files: files.update({"timestamps/300.tsr": files["timestamps/3.tsr"]}), "something other"),
        (lambda files: files.update({"timestamps/300.tsr": b""}), "not an RFC 3161 token"),
        (lambda files: files.update({"timestamps/300.tsr": b"0" * (1 << 20) + b"0"}), "not an RFC 3161 token"),
        (lambda files: files.update({"timestamps/300.checkpoint": MANY.note(299)}), "299 entries"),
        (lambda files: files.update({"timestamps/300.checkpoint": MANY.note(300, root=bytes(32))}), "does not extend"),
        (lambda files: files.update({"timestamps/300.checkpoint": MANY.note(300)[:-9] + b"AAAAAAA=\n"}), "signature"),
        (lambda files: files.update({"timestamps/300.checkpoint": b"\xff" * 70_000}), "note"),
        (
            lambda files: files.update({"timestamps/300.checkpoint": MANY.note(300) + b"\xe2\x80\x94 \xff AAAA\n"}),
            "UTF-8",
        ),
        (lambda files: files.update({"tile/1/000.p/2": b""}), ""),
    ],
)
def test_what_cannot_be_had_is_left_out_and_said(files: dict[str, bytes], spoil: Spoil, words: str) -> None:
    spoil(files)
    taken = take(files)
    assert any(said.startswith("the time-stamp of 300 entries: ") and words in said for said in taken.left_out)
    assert sum(path.endswith(".json") for path in taken.members) <= 1
    assert files[f"timestamps/{SIZE}.tsr"] in taken.members.values()


def test_a_log_without_time_stamps_says_nothing_and_one_that_fails_does(files: dict[str, bytes]) -> None:
    none = {path: raw for path, raw in files.items() if not path.startswith("timestamps/")}
    assert take(none) == Stamps({}, [])
    assert take(none, Problem(404, "not-found", "")) == Stamps({}, [])
    for error in (Problem(500, "internal", ""), Unreachable("http://x", "gone"), PermissionError()):
        assert take(none, error).members == {}
        assert len(take(none, error).left_out) == 1
    for raw in (b"\x00", b"3", b"03\n", b"-1\n", b"9" * 5_000 + b"\n"):
        assert take(files | {"timestamps/sizes": raw}) == Stamps(
            {}, ["time-stamps, for timestamps/sizes cannot be had: it is not a list of sizes"]
        )
    assert take(files | {"timestamps/sizes": b"%d\n" % (SIZE + 1)}) == Stamps({}, [])
