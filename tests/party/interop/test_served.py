"""Against a real ledger: a connector registers a hand-off, and the story of it is exported by the commands."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prov.model import ProvDocument

from ledger.cli.demo.story import EXAMPLES
from tests.cli.running import environment, good, ledger, serving, verifier
from tests.cli.world import World
from tests.harness.needs import need

DESCRIPTIONS = Path(__file__).parents[3] / "examples"
REQUEST = {
    "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
    "@type": "TransferRequestMessage",
    "agreementId": "urn:uuid:agreement",
    "callbackAddress": "https://connector.example/callback",
    "consumerPid": "urn:uuid:consumer",
    "dataAddress": {"endpointProperties": [{"name": "authorization", "value": "TOKEN-ABC"}]},
    "format": "example:HTTP_PUSH",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("interop")
    with serving(directory / "operator") as url:
        world = World(directory, url)
        for name in ("alpha", "beta"):
            world.register(name)
        yield world


@pytest.fixture(scope="module")
def listing(world: World) -> str:
    """Return a listing whose fields come from the example of Croissant."""
    form = world.directory / "form.json"
    told = good("provenance", "import-listing", DESCRIPTIONS / "croissant.json", "--out", form, "--json").document()
    assert {item["name"] for item in told["left_out"]} == {"url", "conformsTo", "recordSet"}
    files = [EXAMPLES / name for name in ("airports.csv", "planes.csv")]
    done = good("listing", "register", *files, "--from", form, "--home", world.home("alpha"), "--json")
    return str(done.document()["statement_id"])


@pytest.fixture(scope="module")
def license_id(world: World, listing: str) -> str:
    """Return a license whose terms come from the example of an ODRL offer."""
    terms = world.directory / "terms.json"
    good("provenance", "import-terms", DESCRIPTIONS / "offer.jsonld", "--out", terms)
    return world.agree(listing, "alpha", "beta", "--from", "2026-01-01", "--until", "2036-01-01", "--terms", str(terms))


@pytest.fixture(scope="module")
def transfer(world: World, listing: str, license_id: str) -> str:
    """Return a hand-off that the example of a connector registered, and beta acknowledged."""
    directory = world.directory / "connector"
    directory.mkdir()
    request = directory / "request.json"
    request.write_text(json.dumps(REQUEST))
    arguments = [world.home("alpha"), request, listing, license_id, "beta", EXAMPLES / "airports.csv"]
    done = subprocess.run(
        [sys.executable, DESCRIPTIONS / "connector.py", *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    manifest = directory / "transfer-manifest.json"
    good("transfer", "acknowledge", EXAMPLES / "airports.csv", "--manifest", manifest, "--home", world.home("beta"))
    return done.stdout.split()[0]


def exported(world: World, statement_id: str, form: str, *more: object) -> bytes:
    """Return what `ledger provenance export` writes."""
    out = world.directory / f"{form}-{len(list(world.directory.iterdir()))}"
    good("provenance", "export", statement_id, "--format", form, "--out", out, "--home", world.home("beta"), *more)
    return out.read_bytes()


def test_a_connector_needs_ten_statements() -> None:
    tree = ast.parse((DESCRIPTIONS / "connector.py").read_text())
    (function,) = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
    assert len(statements) - 2 <= 10  # without the function itself and its docstring


def test_the_connectors_ids_are_on_the_ledger_and_its_token_is_not(world: World, transfer: str) -> None:
    shown = good("transfer", "show", transfer, "--home", world.home("beta"), "--json").document()
    assert shown["statement"]["dsp"] == {"agreement": "urn:uuid:agreement", "consumer_pid": "urn:uuid:consumer"}
    assert "TOKEN" not in json.dumps(shown)


def test_the_story_goes_out_in_every_language(world: World, listing: str, license_id: str, transfer: str) -> None:
    need("graphviz")
    document = ProvDocument.deserialize(content=exported(world, transfer, "prov-json").decode(), format="json")
    text = document.get_provn()
    for statement_id in (listing, license_id, transfer):
        assert f'pl:statement="{statement_id}"' in text
    assert exported(world, transfer, "prov-n").startswith(b"document\n")
    assert b">copy for beta</text>" in exported(world, transfer, "svg")
    assert exported(world, transfer, "dot").startswith(b"digraph provenance {\n")
    dcat = json.loads(exported(world, listing, "dcat"))
    assert (dcat["@id"], dcat["dct:publisher"]["foaf:name"]) == (f"urn:provenance-ledger:{listing}", "nycflights13")
    terms = json.loads(exported(world, license_id, "odrl"))
    assert terms["uid"] == "https://data.example/policies/research"
    assert terms["permission"][0]["duty"] == [{"action": "attribute"}]


def test_a_mirror_tells_the_same_without_the_ledger(world: World, transfer: str) -> None:
    mirror = world.directory / "mirror"
    assert verifier("mirror", world.url, mirror, "--policy", world.policy).code == 0
    there = exported(world, transfer, "prov-json", "--mirror", mirror, "--policy", world.policy)
    assert there == exported(world, transfer, "prov-json")
    nowhere = ["--home", world.directory / "nobody", "--mirror", mirror, "--policy", world.policy]
    out = world.directory / "nothing"
    lost = ledger("provenance", "export", f"sha256:{'0' * 64}", "--format", "svg", "--out", out, *nowhere)
    assert (lost.code, out.exists()) == (2, False)
    (mirror / "checkpoint").write_text("nothing\n")
    broken = ledger("provenance", "export", transfer, "--format", "svg", "--out", out, *nowhere)
    assert (broken.code, out.exists()) == (1, False)
    assert "replay it with the verifier" in broken.err


def test_nothing_is_overwritten_and_what_cannot_be_read_is_said(world: World, transfer: str, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    there.write_text("[]")
    home = ["--home", world.home("beta")]
    for command in (
        ["export", transfer, "--format", "svg", *home],
        ["import-listing", DESCRIPTIONS / "dcat.jsonld"],
        ["import-terms", DESCRIPTIONS / "offer.jsonld"],
    ):
        ended = ledger("provenance", *command, "--out", there)
        assert (ended.code, "never overwritten" in ended.err) == (2, True)
    assert there.read_text() == "[]"
    for name in ("import-listing", "import-terms"):
        ended = ledger("provenance", name, there, "--out", tmp_path / "new")
        assert (ended.code, ended.out) == (2, "")
    without = environment(PATH="/nowhere")
    command = ["provenance", "export", transfer, "--format", "svg", "--out", tmp_path / "story.svg", *home]
    drawn = ledger(*command, env=without)
    assert (drawn.code, drawn.err.count("apt-get install graphviz")) == (0, 1)
    assert (tmp_path / "story.dot").read_bytes() == exported(world, transfer, "dot")
    assert not (tmp_path / "story.svg").exists()
    again = ledger(*command, env=without)
    assert (again.code, "never overwritten" in again.err) == (2, True)
