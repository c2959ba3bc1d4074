"""Page and `verifier bundle` agree on every bundle, good and forged: exit code, first failed check, completeness."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ledger.core.encoding import canonical
from ledger.party.evidence.report.story import tell
from tests.harness.bundle_set import all_cases
from tests.harness.bundles import GOOD, NOT_NEEDED, Case, finished, good, with_manifest, zipped
from tests.harness.receipts import RECEIPTS
from tests.harness.verify import Verdict, run_verifier
from tests.harness.witness import LastingWitness
from tests.page.browser import Opened, opened
from tests.party.evidence.cases import documents_of

CASES = all_cases()
BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(autouse=True)
def nothing_leaves(page: Opened) -> Iterator[None]:
    """One page for all bundles: what one leaves behind must not change what is said of the next."""
    yield
    assert page.requests == []
    assert page.complaints == []


def first(report: dict[str, list[dict[str, str]]]) -> str | None:
    """Return the check that is the first to fail, or to be in doubt."""
    return next((item["check"] for item in report["failures"] + report["doubts"]), None)


def by_command(directory: Path, bundle: bytes, policy: str, **more: bytes) -> Verdict:
    """Return what `verifier bundle` says."""
    (directory / "bundle.zip").write_bytes(bundle)
    (directory / "policy.txt").write_text(policy)
    arguments = [str(directory / "bundle.zip"), "--policy", str(directory / "policy.txt")]
    for name, content in more.items():
        (directory / name).write_bytes(content)
        arguments += [f"--{name}", str(directory / name)]
    return run_verifier("bundle", *arguments)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_page_says_what_the_command_says(page: Opened, case: Case, tmp_path: Path) -> None:
    bundle, policy = case.make()
    result = page.call(
        "const bytes = text => new TextEncoder().encode(text), bundle = parts.decode64(argument[0]);"
        "return parts.describe(await parts.verifyBundle({bundle, policy: bytes(argument[1])}));",
        [b64encode(bundle).decode(), policy],
    )
    assert (result["exit_code"], first(result)) == (case.exit_code, case.check)
    verdict = by_command(tmp_path, bundle, policy)
    assert (verdict.exit_code, first(verdict.report)) == (case.exit_code, case.check)
    assert (result["verdict"], result["is_enough"]) == (verdict.report["verdict"], verdict.report["is_enough"])
    assert result["weight"] == verdict.report["weight"]
    if case.exit_code != 1:
        assert result["completeness"] == verdict.report["completeness"]["status"]
        assert result["if_ed25519_falls"] == verdict.report["if_ed25519_falls"]


def test_a_bundle_of_the_first_packaging(page: Opened) -> None:
    """As the software of that time wrote it."""
    directory = Path(__file__).parents[1] / "vectors" / "bundle-v1"
    policy = (directory / "policy.txt").read_bytes()
    result = page.check(bundle=(directory / "case.zip").read_bytes(), policy=policy)
    assert (result["exit_code"], result["is_enough"]) == (0, True)
    assert result["completeness"] == "complete according to the operator"


@pytest.mark.parametrize("name", [GOOD[0].name, "doubt-quorum", "good-tardos", "good-stored"])
def test_by_hand(page: Opened, name: str) -> None:
    """As a person does it: two files chosen, the button pressed."""
    bundle, policy = BY_NAME[name].make()
    result = page.check(bundle=bundle, policy=policy.encode())
    assert (result["exit_code"], first(result)) == (BY_NAME[name].exit_code, BY_NAME[name].check)
    assert page.page.locator("#verdict").is_visible()


def test_what_is_told(page: Opened) -> None:
    bundle, policy = finished(good(second_seal=True, withheld=frozenset({"transfer bob.example again"})))
    result = page.check(bundle=bundle, policy=policy.encode())
    assert result["is_enough"] is True
    told = page.page.locator("#report").inner_text()
    assert "never more than this follows" in told.lower()
    assert "were not opened" in told, "the withheld seal is not said"
    for name in ("alice.example", "bob.example"):
        assert name in told


def test_what_is_told_of_a_copy_that_nobody_acknowledged(page: Opened) -> None:
    bundle, policy = finished(good(left_out=NOT_NEEDED | {"acknowledged bob.example"}))
    result = page.check(bundle=bundle, policy=policy.encode())
    assert (result["exit_code"], result["is_enough"]) == (0, True)
    told = page.page.locator("#report").inner_text()
    assert "That bob.example ever had it is not shown" in told
    assert "Both bob.example and alice.example held" not in told


@pytest.mark.parametrize("kind", RECEIPTS)
def test_page_and_report_say_the_same_of_the_receipt(page: Opened, kind: str, tmp_path: Path) -> None:
    """Three programs, each in both halves of what it says: who had the copy follows from what was signed for."""
    maker = RECEIPTS[kind]()
    bundle, policy = finished(maker)
    result = page.check(bundle=bundle, policy=policy.encode())
    assert (result["exit_code"], result["receipt"]) == (0, kind)
    told = page.page.locator("#report").inner_text()
    report = by_command(tmp_path, bundle, policy).report
    story = tell(documents_of(maker))
    own = " ".join([story["verdict"].reason, story["handoff"]["state"], *story["limits"]])
    for words in (told, " ".join([*report["proved"], *report["open"]]), own):
        held = "by their own signatures" in words
        unshown = [part for part in ("ever had it is not shown", "it is this content is not shown") if part in words]
        assert (held, bool(unshown)) == (kind == "same", kind != "same"), words
        assert ("other content" in words) == (kind == "other")


def test_what_is_told_of_a_file_that_nobody_read(page: Opened) -> None:
    """The same verdict as the command's; what would follow names neither file nor digest."""
    maker = good(includes_found=False)
    result = page.check(bundle=finished(maker)[0], policy=maker.story.policy().encode())
    assert (result["exit_code"], result["verdict"], result["is_enough"]) == (3, "conditional", None)
    assert page.page.locator(".verdict.conditional").is_visible()
    would_follow = page.page.locator("section[aria-labelledby='h-wouldFollow']").inner_text()
    assert "a file that holds the rows shown derives from the copy made for bob.example" in would_follow
    assert "leak, as downloaded" not in would_follow + page.page.locator(".verdict").inner_text()
    proved = page.page.locator("section[aria-labelledby='h-proved']").inner_text()
    assert "derives from" not in proved


def test_the_found_file_and_parties_that_the_user_has(page: Opened, tmp_path: Path) -> None:
    maker = good(includes_found=False)
    bundle, policy = finished(maker)
    raw, keyid = maker.leaked.raw, maker.story.alice.key.public.keyid
    other = maker.story.operator.key.public.keyid
    for found, party, expected in (
        (raw, f"party alice.example {keyid}\n", (0, None)),
        (raw + b"\n", f"party alice.example {keyid}\n", (1, "found")),
        (raw, f"party alice.example {other}\n", (1, "party")),
        (raw, f"party alice.example {'ab' * 32}\n", (3, "party")),
        (raw, f"party nobody.example {'ab' * 32}\n", (0, None)),
    ):
        result = page.check(bundle=bundle, policy=policy.encode(), found=found, parties=party.encode())
        assert (result["exit_code"], first(result)) == expected, party
        verdict = by_command(tmp_path, bundle, policy, found=found, parties=party.encode())
        assert (verdict.exit_code, first(verdict.report)) == expected, party
    page.page.reload()
    page.requests.clear()


def test_what_is_no_policy_checks_nothing(page: Opened) -> None:
    bundle, _ = BY_NAME[GOOD[0].name].make()
    assert page.check(bundle=bundle, policy=b"trust everybody\n") == {"exit_code": 2}
    assert "policy.txt" in page.page.locator("#status").inner_text()
    page.complaints.clear()  # the page notes the reason on the console


def test_names_cannot_write_on_the_page(page: Opened) -> None:
    """What stands in a bundle is shown as text, whatever it looks like."""
    maker = good()
    files = maker.files()
    document = maker.case() | {"question": "<img src=x onerror=alert(1)> \u202edrawkcab"}
    files["case.json"] = canonical(document) + b"\n"
    files.pop("manifest.json")
    result = page.check(bundle=zipped(with_manifest(files)), policy=maker.story.policy().encode())
    assert result["exit_code"] == 0
    assert page.page.locator("#report img").count() == 0
    question = page.page.locator("#report q").inner_text()
    assert "<img src=x" in question
    assert "\\u202e" in question, "a character that turns the words around it is hidden"


@pytest.mark.parametrize(
    "broken",
    [
        "crypto.subtle.digest = () => Promise.reject(Error('none'))",
        "window.DecompressionStream = undefined",
        "verify.Judge.prototype.close = () => { throw Error('broken'); }",
    ],
)
def test_what_the_page_cannot_do_is_never_verified(browser: Browser, broken: str) -> None:
    """A browser without what the page needs, or a fault of the page itself: it could not tell."""
    bundle, policy = BY_NAME[GOOD[0].name].make()
    with opened(browser) as page:
        page.page.evaluate(f"() => {{ {broken}; }}")
        result = page.check(bundle=bundle, policy=policy.encode())
        assert (result["exit_code"], result["failures"]) == (3, [])
        assert result["doubts"][0]["reason"] == "this-page-failed"
        assert page.page.locator(".verdict.unknown").is_visible()


def test_cosignatures_that_outlive_ed25519(page: Opened, tmp_path: Path) -> None:
    """ML-DSA-44, type 0x06: it counts; a wrong one is false; the log's own second key is no independent witness."""
    maker = good()
    note, policy = maker.story.checkpoint(), maker.story.policy()
    witness = LastingWitness("witness.example")
    own = LastingWitness("second", key_name="ledger.example/log")
    good_note = witness.cosign(note, 1_700_000_100)
    lines = good_note.splitlines()
    signature = bytearray(b64decode(lines[-1].split()[-1]))
    signature[-1] ^= 1
    broken = b"\n".join([*lines[:-1], b" ".join([*lines[-1].split()[:-1], b64encode(bytes(signature))])]) + b"\n"
    for signer, cosigned, expected in (
        (witness, good_note, (0, None)),
        (witness, note, (3, "checkpoint")),
        (witness, broken, (1, "checkpoint")),
        (own, own.cosign(note, 1_700_000_100), (0, None)),
    ):
        maker.cosigned = cosigned
        asks = policy.replace("quorum none", f"{signer.policy_line}\nquorum {signer.name}")
        bundle, _ = finished(maker)
        result = page.check(bundle=bundle, policy=asks.encode())
        assert (result["exit_code"], first(result)) == expected
        verdict = by_command(tmp_path, bundle, asks)
        assert (verdict.exit_code, first(verdict.report)) == expected
        if expected[0] == 0:
            assert result["if_ed25519_falls"]["checkpoint"] == [signer.name]
            assert result["if_ed25519_falls"] == verdict.report["if_ed25519_falls"]
            told = page.page.locator("#report").inner_text()
            who = "the log itself" if signer is own else "a witness"
            assert f"ML-DSA-44 signed it, by {signer.name} ({who})" in told
            assert ("a witness says" in told, "no independent witness" in told) == (signer is witness, signer is own)
