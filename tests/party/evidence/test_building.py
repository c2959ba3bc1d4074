"""From a real hand-off and a real leak to a bundle that the verifier believes, and nobody has to."""

from __future__ import annotations

import asyncio
import io
import json
import stat
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.core.encoding import Json, parse_json
from ledger.core.keys import SigningKey
from ledger.party.evidence.finishing import Built
from ledger.party.evidence.parts.choices import Choice, read_choice
from ledger.party.evidence.parts.errors import EvidenceError, LedgerGone, Missing, NotOfThisCase, TooLarge
from ledger.party.evidence.parts.gathering import Scope
from ledger.party.evidence.parts.traced import read_trace
from ledger.party.evidence.single import WARNING
from ledger.party.keys.files import write_key
from tests.cli.running import PASSPHRASE, ledger, serving, verifier
from tests.harness.tsa import Authority, serving_tsa
from tests.harness.waiting import PATIENCE_S
from tests.page.browser import launched, opened
from tests.party.evidence.leaked import SECRET, Leak

SALE = "distribute,purpose=Advertising"


class Scene(NamedTuple):
    """What is left when the ledger is gone: the leak's files, a mirror, and bundles that were built before."""

    leak: Leak
    mirror: Path
    bundles: dict[str, Built]
    clock_ms: int


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Tell the story, have it stamped, build while the ledger answers, copy it, and take it away."""
    directory = tmp_path_factory.mktemp("evidence")
    authority = Authority(directory / "tsa", kind="ec")
    (directory / "roots.pem").write_bytes(authority.root)
    with serving(directory / "operator") as url:
        leak = Leak(directory, url, (directory / "operator" / "policy.txt").read_text())
        asyncio.run(leak.tell())
    with serving_tsa(authority) as tsa, stamped(directory, tsa.url) as leak.url:
        asyncio.run(leak.register("epsilon"))
        now_ms = parse_json(read_trace(leak.traced).raw)["custody"][0]["at_ms"] + 60_000
        acts = [(SALE, now_ms), ("read,purpose=AcademicResearch", now_ms)]
        bundles = {
            name: asyncio.run(leak.build(lambda: now_ms, **more))
            for name, more in (
                ("claim", {"acts": acts}),
                ("again", {"acts": acts}),
                (
                    "few",
                    {
                        "claim": None,
                        "open_count": 3,
                        "withheld": frozenset({leak.ids["transfer gamma"]}),
                        "chosen": [Choice(leak.ids["listing"], "/description")],
                    },
                ),
                ("whole", {"scope": Scope.LOG}),
                ("without", {"found": None, "is_found_included": False}),
            )
        }
        mirror = directory / "mirror"
        assert verifier("mirror", leak.url, mirror, "--policy", directory / "operator" / "policy.txt").code == 0
    return Scene(leak, mirror, bundles, now_ms)


@contextmanager
def stamped(directory: Path, tsa_url: str) -> Iterator[str]:
    """Serve a ledger again, whose newest checkpoint an authority has stamped."""
    arguments = ["--tsa", tsa_url, "--tsa-roots", str(directory / "roots.pem")]
    with serving(directory / "operator", fresh=False, arguments=arguments) as url:
        deadline = time.monotonic() + PATIENCE_S
        while not (sizes := urllib.request.urlopen(f"{url}/timestamps/sizes").read()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sizes
        yield url


def checked(scene: Scene, built: Built, tmp_path: Path, *options: object) -> str:
    """Return what the verifier, a program that shares no line with ours, says of a bundle that it believes."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(built.archive)
    ended = verifier("bundle", path, "--policy", scene.leak.directory / "operator" / "policy.txt", *options)
    assert ended.code == 0, ended
    return ended.out


def members(built: Built) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(built.archive)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_verifier_believes_every_bundle(scene: Scene, tmp_path: Path) -> None:
    said = {name: checked(scene, built, tmp_path) for name, built in scene.bundles.items() if name != "without"}
    assert "derives from the copy that alpha made for beta" in said["claim"]
    assert "complete according to the operator" in said["claim"]
    assert "prohibited, by entries" in said["claim"]
    assert "the same test of gamma" in said["claim"].lower()
    assert "gamma" not in said["few"].partition("The numbers")[2].partition("What remains")[0]
    assert "complete: all " in said["whole"]


def test_without_the_found_file_everything_is_conditional(scene: Scene, tmp_path: Path) -> None:
    """Until somebody gives the file: then the same bundle is verified."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(scene.bundles["without"].archive)
    command = ["bundle", path, "--policy", scene.leak.directory / "operator" / "policy.txt"]
    ended = verifier(*command)
    assert (ended.code, "CONDITIONAL" in ended.out) == (3, True)
    assert verifier(*command, "--found", scene.leak.found).code == 0


def test_the_log_s_own_time_stamps_date_the_case(scene: Scene, tmp_path: Path) -> None:
    """The authority stamped an older checkpoint: above every entry of the case, below what came after."""
    built = scene.bundles["claim"]
    assert {name for name in members(built) if name.startswith("timestamps/")} == {
        "timestamps/0.json",
        "timestamps/0.tsr",
    }
    assert built.left_out == ()
    said = checked(scene, built, tmp_path, "--tsa-roots", scene.leak.directory / "roots.pem")
    for kind in ("listing.registered", "license.agreed", "transfer.offered", "transfer.acknowledged", "claim.opened"):
        line = next(line for line in said.splitlines() if f", {kind}: " in line)
        assert "not after 20" in line, line
        assert "according to the authority CN=Clock,O=Test" in line


def test_the_same_case_gives_the_same_bytes(scene: Scene) -> None:
    one, two = scene.bundles["claim"], scene.bundles["again"]
    assert (one.archive, one.report, one.page) == (two.archive, two.report, two.page)


def test_nothing_is_inside_that_was_not_chosen(scene: Scene) -> None:
    leak = scene.leak
    files = members(scene.bundles["claim"])
    everything = b"".join(files.values()) + scene.bundles["claim"].report + scene.bundles["claim"].page
    alpha = leak.speaker("alpha")
    assert isinstance(alpha.key, SigningKey)
    listing_salt = alpha.locker.disclosures(leak.ids["listing"])
    manifest = (leak.directory / "for beta" / "manifest.json").read_bytes().splitlines()
    salts = json.loads(manifest[1])["salts"]
    hidden = [
        SECRET,
        *(item.salt for item in listing_salt),
        salts[:64],
        str(leak.directory),
        "secret-home",
        alpha.key.seed.hex(),
        "Something else entirely",
    ]
    for item in hidden:
        assert item.encode() not in everything, item
    shown = members(scene.bundles["few"])
    assert SECRET.encode() in shown["disclosures.json"]
    assert SECRET.encode() in shown["report.html"]
    few = parse_json(members(scene.bundles["few"])["disclosures.json"])["disclosures"]
    assert leak.ids["transfer gamma"] not in {item["statement_id"] for item in few}
    evidence = parse_json(members(scene.bundles["few"])["evidence.json"])
    assert len(evidence["matches"]) - evidence["counts"]["marks"] == 3


def test_what_the_recipient_signed_for_is_inside_once_it_handed_that_back(scene: Scene, tmp_path: Path) -> None:
    ids = scene.leak.ids
    shown = parse_json(members(scene.bundles["claim"])["disclosures.json"])["disclosures"]
    contents = {item["statement_id"]: item["value"] for item in shown if item["kind"] == "content"}
    assert contents[ids["acknowledged beta"]] == contents[ids["transfer beta"]]
    assert ids["acknowledged gamma"] not in contents
    assert "Both of them held it, by their own signatures" in checked(scene, scene.bundles["claim"], tmp_path)


def test_a_claim_puts_the_trace_in_and_nothing_else_does(scene: Scene) -> None:
    assert members(scene.bundles["claim"])["trace.json"] == scene.leak.traced.read_bytes()
    assert "trace.json" not in members(scene.bundles["few"])
    assert members(scene.bundles["claim"])["found/leak.csv"] == scene.leak.found.read_bytes()
    assert not [name for name in members(scene.bundles["without"]) if name.startswith("found/")]


async def test_a_mirror_will_do_when_the_ledger_is_gone(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(LedgerGone) as gone:
        await scene.leak.build()
    assert "--mirror" in gone.value.advice
    digest = sha256((scene.mirror / "checkpoint").read_bytes()).digest()
    token = tmp_path / "token.tsr"
    token.write_bytes(b"\x30\x22\x04\x20" + digest)
    built = await scene.leak.build(lambda: scene.clock_ms, mirror=scene.mirror, tokens=[token])
    # The history that the first build asked for is in the vault, and fits the mirror's checkpoint.
    assert "complete according to the operator" in checked(scene, built, tmp_path)
    assert members(built)["timestamps/0.tsr"] == token.read_bytes()
    told = members(scene.bundles["claim"])
    for kind in ("tsr", "json"):
        assert members(built)[f"timestamps/1.{kind}"] == told[f"timestamps/0.{kind}"]
    before = members(scene.bundles["claim"])
    assert members(built)["entries.bin"] == before["entries.bin"]


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        ({"trace": "leak.csv"}, NotOfThisCase, "not a trace"),
        ({"trace": "changed.json"}, NotOfThisCase, "another file than this trace"),
        ({"trace": "elsewhere.json"}, NotOfThisCase, "another ledger"),
        ({"claim": "sha256:" + "0" * 64}, Missing, "no claim"),
        ({"transfer": "sha256:" + "0" * 64}, NotOfThisCase, "did not look at"),
        ({"found": "trace.json"}, NotOfThisCase, "not the file that was traced"),
        ({"found": None}, EvidenceError, "where is the file"),
        ({"acts": [("enjoy", 2)]}, EvidenceError, "cannot be judged"),
        ({"acts": [("read,mood=good", 2)]}, EvidenceError, "purpose=…"),
        ({"acts": [("read", 2)]}, Missing, "no license"),
        ({"withheld": "transfer beta"}, EvidenceError, "they are the evidence"),
        ({"chosen": "license beta"}, Missing, "opens /terms"),
        ({"tokens": "leak.csv"}, NotOfThisCase, "not an RFC 3161 token"),
    ],
)
async def test_what_does_not_fit_says_what_to_do(
    scene: Scene, spoil: dict[str, Json], error: type[EvidenceError], words: str
) -> None:
    leak, more = scene.leak, dict(spoil)
    document = parse_json(leak.traced.read_bytes())
    (leak.directory / "changed.json").write_text(json.dumps(document | {"notes": ["changed"]}))
    moved = [item | {"ledger": "sha256:" + "1" * 64} for item in document["transfers"]]
    (leak.directory / "elsewhere.json").write_text(json.dumps(document | {"transfers": moved}))
    for name in ("trace", "found"):
        if more.get(name) is not None:
            more[name] = leak.directory / more[name]
    if "withheld" in more:
        more["withheld"] = frozenset({leak.ids[more["withheld"]]})
    if "chosen" in more:
        more["chosen"] = [read_choice(f"{leak.ids[more['chosen']]}:/terms")]
    if "tokens" in more:
        more["tokens"] = [leak.directory / more["tokens"]]
    with pytest.raises(error, match=words):
        await leak.build(mirror=scene.mirror, **more)


def _raise_score(item: dict[str, Json]) -> None:
    item["marks"]["score_millibits"] += 4  # two programs may differ by 2, and what is paid is rounded once before
    item["conclusion"]["score_millibits"] += 4


@pytest.mark.parametrize(
    "edit",
    [
        _raise_score,
        lambda item: item["matches"][0].update(row=10**6),
        lambda item: item["matches"][0].update(file=7),
        lambda item: item["matches"][0].update(record=10**6),
        lambda item: item["mapping"][-1].update(column=99),
        lambda item: item["conclusion"].update(is_enough=False),
        lambda item: item["conclusion"].update(seals=2),
        lambda item: item["controls"].update(others=[]),
        lambda item: item["hypotheses"][0].update(surprise_millibits=9),
        lambda item: item["counts"].update(marks=0),
        lambda item: item["matches"][0].update(row=item["matches"][1]["row"]),
        lambda item: item["mapping"].pop(0),
    ],
)
async def test_a_trace_that_was_edited_is_never_written_into_a_report(
    scene: Scene, edit: Callable[..., object]
) -> None:
    """No report says more than a verifier recomputes, whoever wrote its numbers."""
    leak, document = scene.leak, parse_json(scene.leak.traced.read_bytes())
    edit(next(item for item in document["transfers"] if item["transfer"] == leak.ids["transfer beta"]))
    (leak.directory / "edited.json").write_text(json.dumps(document))
    more: dict[str, Json] = {
        "claim": None,
        "trace": leak.directory / "edited.json",
        "transfer": leak.ids["transfer beta"],
    }
    with pytest.raises(NotOfThisCase, match="says other than what follows"):
        await leak.build(mirror=scene.mirror, **more)


def test_marks_of_another_table_of_the_listing_are_told_as_verifiers_try_them(tmp_path: Path) -> None:
    """One mapping is in a bundle: the same columns by number, in whatever table (docs/bundle.md §4)."""
    with serving(tmp_path / "operator") as url:
        policy = tmp_path / "operator" / "policy.txt"
        leak = Leak(tmp_path, url, policy.read_text(), also=("beta", "gamma"))
        asyncio.run(leak.tell())
        built = asyncio.run(leak.build())
    path = tmp_path / "bundle.zip"
    path.write_bytes(built.archive)
    assert verifier("bundle", path, "--policy", policy).code == 0
    with launched() as browser, opened(browser) as page:
        result = page.check(bundle=built.archive, policy=policy.read_bytes())
        assert (result["exit_code"], result["is_enough"]) == (0, True)


def test_the_command_writes_for_its_owner_alone_and_overwrites_nothing(scene: Scene, tmp_path: Path) -> None:
    leak = scene.leak
    alpha = leak.speaker("alpha")
    key = Path(alpha.vault.config().key)
    assert isinstance(alpha.key, SigningKey)
    write_key(key, alpha.key, PASSPHRASE.encode())
    options = ["--trace", leak.traced, "--claim", leak.ids["claim"], "--act", f"{SALE}@2100-01-01", "--single-file"]
    options += ["--without-found-file"]
    out = tmp_path / "bundle.zip"
    command = ["evidence", "build", *options, "--mirror", scene.mirror, "--home", alpha.vault.directory, "--out", out]
    done = ledger(*command)
    assert done.code == 0, done
    assert "Conditional, for the file that was found is not in the bundle" in done.out
    assert "derives from the copy that alpha made for beta" in done.out
    assert "1: 'verifier bundle --tsa-roots FILE' says not after when" in done.out
    page = out.with_suffix(".html").read_text()
    assert f'<div id="sceptic" role="note"><div class="wide"><p data-t="sceptic">{WARNING}</p>' in page
    for suffix in (".zip", ".pdf", ".html"):
        assert stat.S_IMODE(out.with_suffix(suffix).stat().st_mode) == 0o600
    again = ledger(*command)
    assert again.code == 2
    assert "never overwritten" in again.err


def test_a_bundle_has_a_bound(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.party.evidence.parts.gathering.MAX_ENTRIES", 5)
    with pytest.raises(TooLarge):
        asyncio.run(scene.leak.build(mirror=scene.mirror))


def test_the_page_says_what_the_command_says(scene: Scene) -> None:
    policy = (scene.leak.directory / "operator" / "policy.txt").read_bytes()
    with launched() as browser, opened(browser) as page:
        result = page.check(bundle=scene.bundles["claim"].archive, policy=policy)
        assert (result["exit_code"], result["is_enough"]) == (0, True)
        assert result["completeness"] == "complete according to the operator"
        assert page.complaints == []
