"""The command line as a stranger runs it: exit codes, words, JSON, and a package that needs no ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verifier.builder import Builder, b64, envelope, key_from, keyid, root_of, small_ledger, witness_line
from verifier.cli.main import main
from verifier.cli.manual import EXAMPLE_POLICY
from verifier.core.checks import Check
from verifier.core.policy import parse_policy

ROOT = Path(__file__).parents[3]
_BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("ledger", "pydantic", "aiohttp", "typer", "rich"):
            raise ImportError(name)
sys.meta_path.insert(0, Blocker())
from verifier.cli.main import main
sys.exit(main())
"""


def verifier(*arguments: object, code: int) -> str:
    """Run the verifier with everything but its own dependencies blocked, and return what it says."""
    command = [sys.executable, "-c", _BLOCKED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def log(tmp_path: Path) -> Path:
    builder = small_ledger()
    (tmp_path / "policy.txt").write_text(builder.policy())
    (tmp_path / "parties.txt").write_text(f"party acme {keyid(builder.keys('acme')[0])}\n")
    return builder.write(tmp_path / "log")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("watch", "x", "--stall", "abc"), "--stall: 'abc' is not a number of seconds above 0, up to a year"),
        (("watch", "x", "--stall", "0"), "--stall: '0' is not a number of seconds above 0, up to a year"),
        (("watch", "x", "--stall", "nan"), "--stall: 'nan' is not a number of seconds above 0, up to a year"),
        (("watch", "x", "--interval", "soon"), "--interval: 'soon' is not a number of seconds from 0.1 to 86,400"),
        (("watch", "x", "--processes", "257"), "--processes: '257' is not a number of processes from 1 to 256"),
        (("replay", "x", "--processes", "all"), "--processes: 'all' is not a number of processes from 1 to 256"),
        (("mirror", "x", "--port", "http"), "--port: 'http' is not a port from 0 to 65535"),
        (("mirror", "x", "--port", "-1"), "--port: '-1' is not a port from 0 to 65535"),
        (("mirror", "x", "--interval", "0"), "--interval: '0' is not a number of seconds from 0.1 to 86,400"),
        (("witness", "serve", "--port", "65536"), "--port: '65536' is not a port from 0 to 65535"),
    ],
)
def test_a_wrong_number_is_answered_by_what_is_expected(
    arguments: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error says what was given and what would do, and names no function of this program."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


def test_replay_says_what_it_established(log: Path, tmp_path: Path) -> None:
    """People and programs are told the same: counts, marks, transfers, completeness, and what is not excluded."""
    common = ("replay", log, "--policy", tmp_path / "policy.txt", "--parties", tmp_path / "parties.txt")
    text = verifier(*common, code=0)
    expected = [
        "acme: pinned",
        "cedar: name only",
        "a split view is not excluded",
        "complete: replayed to size 11",
        "entry 6: acme to birch.example, listing 4, license 5, acknowledged at entry 7",
        "VERIFIED",
    ]
    assert [words for words in expected if words not in text] == []
    report = json.loads(verifier(*common, "--json", code=0))
    assert report["verdict"] == "verified"
    assert report["statements"]["transfer.offered"] == 3
    assert [party["status"] for party in report["parties"]] == ["name only", "pinned", "name only", "name only"]
    assert [transfer["state"] for transfer in report["transfers"]] == ["acknowledged", "refused", "offered"]
    assert report["checkpoint"]["note"] == (log / "checkpoint").read_text()


def test_help_teaches_what_is_needed_to_begin() -> None:
    """What a policy is, by an example that is one; a first command; processes and pins."""
    text = verifier("--help", code=0)
    assert EXAMPLE_POLICY in text
    assert len(parse_policy(EXAMPLE_POLICY.encode()).witnesses) == len(EXAMPLE_POLICY.splitlines()) - 2 == 1
    assert "verifier replay https://ledger.example.com --policy policy.txt\n" in text
    text = verifier("replay", "--help", code=0)
    for words in ("how many processes share", "--parties pins", "evidenced", "--state seen", "exit codes: 0"):
        assert words in text


def test_exit_codes(log: Path, tmp_path: Path) -> None:
    """0, 1, 2, 3 and 4 mean what README.md says, the worse before the better."""
    policy = tmp_path / "policy.txt"
    verifier("replay", log, code=2)
    verifier("replay", log, "--policy", tmp_path / "none.txt", code=2)
    verifier("replay", log, "--policy", log / "checkpoint", code=2)
    verifier("replay", log, "--policy", policy, "--parties", policy, code=2)
    verifier("replay", log, "--policy", policy, "--origin", "other", code=2)
    verifier("replay", "ftp://example.com", "--policy", policy, code=2)
    verifier("replay", tmp_path / "nowhere", "--policy", policy, code=3)
    verifier("mirror", tmp_path / "nowhere", tmp_path / "mirror", "--policy", policy, code=3)
    two = tmp_path / "two.txt"
    two.write_text(Builder(origin="b", log_key=key_from("b")).policy().split("quorum")[0] + policy.read_text())
    verifier("replay", log, "--policy", two, code=2)
    verifier("replay", log, "--policy", two, "--origin", Builder().origin, code=0)
    state = tmp_path / "state.json"
    state.write_text("{}")
    verifier("replay", log, "--policy", policy, "--state", state, code=2)


def test_another_log_is_not_accused(log: Path, tmp_path: Path) -> None:
    """A policy of another log: exit 1 still, and words that say that it may simply be another log."""
    policy, other = tmp_path / "policy.txt", tmp_path / "other.txt"
    other.write_text(Builder(origin="other.example/log").policy())
    (tmp_path / "receipt").write_text(_receipt(small_ledger(), 6))
    (tmp_path / "entry").write_bytes(small_ledger().entries[6])
    verifier("mirror", log, tmp_path / "mirror", "--policy", policy, code=0)
    for command in (
        ("replay", log),
        ("mirror", log, tmp_path / "new"),
        ("receipt", tmp_path / "receipt", "--entry", tmp_path / "entry"),
    ):
        text = verifier(*command, "--policy", other, code=1)
        assert "the policy names the log other.example/log" in text
        assert f"is of the log {Builder().origin}. This may simply be another log" in text
        assert text.endswith("FALSE: this is not the log that the policy names (exit 1)\n")
    elsewhere = Builder(origin="other.example/log")
    elsewhere.create()
    elsewhere.write(tmp_path / "elsewhere")
    text = verifier("mirror", tmp_path / "elsewhere", tmp_path / "mirror", "--policy", other, code=1)
    assert f"and {tmp_path / 'mirror/checkpoint'} is of the log {Builder().origin}." in text


def test_findings_and_their_precedence(tmp_path: Path) -> None:
    """Findings are no failure unless asked for, and never hide one."""
    builder = small_ledger()
    listing = builder.list_dataset("cedar")
    builder.offer("cedar", "acme", listing)
    policy = tmp_path / "policy.txt"
    policy.write_text(builder.policy())
    log = builder.write(tmp_path / "log")
    assert "transfer-without-license" in verifier("replay", log, "--policy", policy, code=0)
    verifier("replay", log, "--policy", policy, "--fail-on-findings", "--state", tmp_path / "state", code=4)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600
    [partial] = log.glob("tile/entries/*")
    [bundle] = partial.iterdir()
    raw = bundle.read_bytes()
    bundle.unlink()
    verifier("replay", log, "--policy", policy, "--fail-on-findings", code=3)
    verifier("replay", log, "--policy", policy, "--state", tmp_path / "state", code=0)
    bundle.write_bytes(raw[:600] + bytes([raw[600] ^ 1]) + raw[601:])
    verifier("replay", log, "--policy", policy, "--fail-on-findings", code=1)


def test_mirror_then_replay(log: Path, tmp_path: Path) -> None:
    """The two commands of everyday use, one after the other."""
    target = tmp_path / "mirror"
    text = verifier("mirror", log, target, "--policy", tmp_path / "policy.txt", code=0)
    assert "had 0 entries; 3 files written" in text
    report = json.loads(verifier("mirror", log, target, "--policy", tmp_path / "policy.txt", "--json", code=0))
    assert (report["size_before"], report["files_written"]) == (11, 0)
    verifier("replay", target, "--policy", tmp_path / "policy.txt", code=0)


def _receipt(builder: Builder, index: int) -> str:
    """Return the receipt of an entry, written from §11.2."""
    path, hashes, at = [], builder.leaves, index
    while len(hashes) > 1:
        split = 1 << (len(hashes) - 1).bit_length() - 1
        path.append(root_of(hashes[split:] if at < split else hashes[:split]))
        hashes, at = (hashes[:split], at) if at < split else (hashes[split:], at - split)
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(b64(digest) for digest in reversed(path)), ""]
    return "\n".join(lines) + "\n" + builder.note().decode()


def test_receipts(tmp_path: Path) -> None:
    """Every entry's receipt holds for its exact bytes and for no others; what only a replay tells is left to it."""
    builder = small_ledger()
    payload = builder.statement("listing.registered", "acme", [key_from("x")], title="x", content={"sealed": "0" * 64})
    builder.record(envelope(payload, [key_from("y")]))
    policy, receipt, entry = tmp_path / "policy.txt", tmp_path / "r.tlog-proof", tmp_path / "entry.json"
    policy.write_text(builder.policy())
    common = ("receipt", receipt, "--entry", entry, "--policy", policy)
    for index, words in ((0, "by a key that the statement introduces"), (6, "needs a replay")):
        receipt.write_text(_receipt(builder, index))
        entry.write_bytes(builder.entries[index])
        assert words in verifier(*common, code=0)
    report = json.loads(verifier(*common, "--json", code=0))
    assert (report["index"], report["statement"]["type"]) == (6, "transfer.offered")
    text = verifier(*common, code=0)
    assert text.endswith("VERIFIED: the entry is in the log (exit 0)\n")
    [signer] = report["statement"]["signers"]
    assert [words for words in report["not_checked"] if f"Not checked {words}" not in text] == []
    assert [signer in words for words in report["not_checked"]] == [True, False, False, False]
    entry.write_bytes(builder.entries[6] + b"\n")
    assert "[inclusion] root-mismatch" in verifier(*common, code=1)
    entry.write_bytes(builder.entries[6])
    receipt.write_text(_receipt(builder, 6).replace("index 6", "index 7"))
    assert "[inclusion]" in verifier(*common, code=1)
    receipt.write_text(_receipt(builder, 6).replace("index 6", "index 06"))
    assert "[receipt-form]" in verifier(*common, code=1)
    receipt.write_bytes(b"\x89PNG, or whatever else")
    text = verifier(*common, code=1)
    assert text.endswith("FALSE: this file is not a receipt (exit 1)\n")
    assert "the log" not in text
    receipt.write_text(_receipt(builder, 11))
    entry.write_bytes(builder.entries[11])
    assert "[signature-set] missing-signature" in verifier(*common, code=1)
    strict = tmp_path / "strict.txt"
    strict.write_text(builder.policy(witness_line("w"), quorum="w"))
    receipt.write_text(_receipt(builder, 6))
    entry.write_bytes(builder.entries[6])
    verifier("receipt", receipt, "--entry", entry, "--policy", strict, code=3)


def test_a_receipt_beside_a_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By itself it does not tell whether its key was in force; in a tree that a replay judged, that matters no more."""

    def said(*arguments: object, code: int) -> str:
        """Run the verifier in this process: what it may import was shown above."""
        assert main([*map(str, arguments), "--policy", str(policy)]) == code
        return "".join(capsys.readouterr())

    builder = small_ledger()
    policy, receipt, entry, state = (tmp_path / name for name in ("policy.txt", "receipt", "entry", "seen"))
    policy.write_text(builder.policy())
    quiet = ("--quiet", "--processes", "1", "--state")
    said("replay", builder.write(tmp_path / "log"), *quiet, state, code=0)
    receipt.write_text(_receipt(builder, 6))
    entry.write_bytes(builder.entries[6])
    common, vkey = ("receipt", receipt, "--entry", entry), builder.policy().split()[1]
    assert f"Not checked whether {vkey} was in force at that size" in said(*common, code=0)
    assert json.loads(said(*common, "--json", code=0))["log_keys"] == [vkey]
    assert "no such file" in said(*common, "--state", tmp_path / "none", code=2)
    text = said(*common, "--state", state, code=0)
    assert "among the 11 entries that the replay in --state judged" in text
    assert (text.count("Not checked"), "in force" in text) == (1, False)
    builder.list_dataset("acme")
    receipt.write_text(_receipt(builder, 6))
    assert "[remembered] replay-ends-before" in said(*common, "--state", state, code=3)
    other = small_ledger()
    other.list_dataset("birch.example")
    said("replay", other.write(tmp_path / "other"), *quiet, tmp_path / "theirs", code=0)
    report = json.loads(said(*common, "--state", tmp_path / "theirs", "--json", code=1))
    assert [failure["reason"] for failure in report["failures"]] == ["fork"]
    [proof] = report["fraud_proofs"]
    text = " ".join(said("fraud", proof, code=0).split())
    assert f"Signed with the log key {vkey.rpartition('+')[0]}: whoever held that did it" in text


def test_slugs_are_stable_and_distinct() -> None:
    """Programs match on them."""
    slugs = [check.slug for check in Check]
    assert len(set(slugs)) == len(slugs) == len(Check.__members__)
