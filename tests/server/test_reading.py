"""Every call that reads: what it says is checked against the entries themselves, over the SQLite store."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from ledger.core.dsse import HISTORY_TYPE, parse_envelope
from ledger.core.encoding import Json, b64decode, parse_canonical
from ledger.core.entry import Entry, parse_entry
from ledger.core.keys import verify_ed25519
from ledger.core.merkle import verify_consistency
from ledger.core.tiles import format_bundle
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.service.routes import ROUTES
from ledger.server.store.sqlite import SQLiteStore
from tests.harness.people import person
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.running import Clock, House, running, serving, submit_all
from tests.harness.speech import START_MS, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALPHA, BETA, GAMMA = person("alpha"), person("beta"), person("gamma")
NOBODY = "sha256:" + "0" * 64
IMMUTABLE = "public, max-age=31536000, immutable"
MINUTE_MS = 60_000


class Scene:
    """A served log of 600-odd entries, and what is in it."""

    def __init__(self, house: House, log: Log, session: aiohttp.ClientSession, entries: list[Entry]) -> None:
        self.house, self.log, self.session, self.entries = house, log, session, entries
        self.size = len(entries)
        self.tree = ReferenceTree([entry_leaf(entry.raw) for entry in entries])
        self.statements = [parse_canonical(entry.envelope.payload) for entry in entries]

    async def get(self, path: str, **headers: str) -> tuple[int, aiohttp.ClientResponse, bytes]:
        async with self.session.get(path, headers=headers) as response:
            return response.status, response, await response.read()

    async def json(self, path: str, status: int = 200) -> Json:
        got, response, body = await self.get(path)
        assert got == status, (path, body)
        assert response.content_type == ("application/json" if status == 200 else "application/problem+json")
        return json.loads(body)

    async def problem(self, path: str, status: int, kind: str, field: str | None = None) -> None:
        document = await self.json(path, status)
        assert (document["status"], document["type"], document.get("field")) == (status, kind, field), path

    def ids(self, kind: str) -> list[str]:
        pairs = zip(self.entries, self.statements, strict=True)
        return [entry.envelope.id for entry, statement in pairs if statement["type"] == kind]

    def root(self, size: int) -> bytes:
        return self.tree.root(size)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(workers: Workers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    house, clock = House("read"), Clock()
    store = await SQLiteStore.open(Path(tmp_path_factory.mktemp("reading")) / "ledger.db")
    async with running(store, house, workers, clock) as log:
        await submit_all(log, [house.created])
        story = house.story(ALPHA, BETA)
        for envelope in [*story, *house.story(BETA, GAMMA)[1:]]:
            clock.now_ms += MINUTE_MS // 4
            await submit_all(log, [envelope])
        await submit_all(log, house.listings(ALPHA, 590))
        clock.now_ms += MINUTE_MS
        last = [
            signed(house.speech.listing_withdrawn(ALPHA, story[2].id), ALPHA.key),
            signed(house.speech.license_ended(BETA, story[3].id), BETA.key),
            signed(house.speech.key_revoked(GAMMA, GAMMA.key), GAMMA.recovery),
        ]
        await submit_all(log, last)
        entries = [parse_entry(raw) for raw in await store.entries(0, 10_000)]
        async with serving(log) as served, aiohttp.ClientSession(served.url, auto_decompress=False) as session:
            yield Scene(house, log, session, entries)
    await store.close()


async def test_checkpoint(scene: Scene) -> None:
    status, response, note = await scene.get("/checkpoint")
    assert status == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=1"
    head = scene.house.policy.open_checkpoint(note).head
    assert (head.size, head.root) == (scene.size, scene.root(scene.size))


async def test_head_says_what_get_would(scene: Scene) -> None:
    for path in ("/checkpoint", "/tile/0/000", "/tile/entries/000", "/v1/entries/0", "/v1/receipts/0"):
        _, got, body = await scene.get(path)
        async with scene.session.head(path) as response:
            assert response.status == 200
            assert response.headers["Content-Length"] == str(len(body))
            assert response.headers["Content-Type"] == got.headers["Content-Type"]
            assert await response.read() == b""


async def test_hash_tiles_of_every_width_published(scene: Scene) -> None:
    assert 2 * 256 < scene.size < 3 * 256
    leaves = scene.tree.leaves
    level_1 = [scene.tree._mth(at * 256, at * 256 + 256) for at in range(2)]
    hashes = {(0, 0): leaves[:256], (0, 1): leaves[256:512], (0, 2): leaves[512:], (1, 0): level_1}
    for (level, position), wanted in hashes.items():
        for width in range(1, len(wanted) + 1):
            path = f"/tile/{level}/{position:03d}" + ("" if width == 256 else f".p/{width}")
            status, response, body = await scene.get(path)
            assert (status, body) == (200, b"".join(wanted[:width])), path
            assert response.headers["Content-Type"] == "application/octet-stream"
            assert response.headers["Cache-Control"] == IMMUTABLE


async def test_entry_bundles(scene: Scene) -> None:
    for position, width in ((0, 256), (1, 256), (0, 1), (1, 17), (2, scene.size - 512)):
        path = f"/tile/entries/{position:03d}" + ("" if width == 256 else f".p/{width}")
        wanted = format_bundle(entry.raw for entry in scene.entries[position * 256 : position * 256 + width])
        for accepted, encoding in (
            ("gzip", "gzip"),
            ("br, gzip;q=0.5", "gzip"),
            ("identity", None),
            ("br", None),
            ("gzip;q=0", None),
        ):
            status, response, body = await scene.get(path, **{"Accept-Encoding": accepted})
            assert status == 200
            assert response.headers.get("Content-Encoding") == encoding, accepted
            assert (gzip.decompress(body) if encoding else body) == wanted
            assert response.headers["Vary"] == "Accept-Encoding"
            assert response.headers["Cache-Control"] == IMMUTABLE
            assert response.headers["Content-Type"] == "application/octet-stream"


async def test_tiles_that_are_not_there(scene: Scene) -> None:
    rest = scene.size - 512
    beyond = [
        f"0/002.p/{rest + 1}",
        "0/002",
        "0/003.p/1",
        "0/x001/000",
        "1/000.p/3",
        "1/000",
        "2/000.p/1",
        "63/000.p/1",
    ]
    beyond += [
        f"entries/002.p/{rest + 1}",
        "entries/002",
        "entries/003.p/1",
        "entries/x999/x999/x999/x999/x999/x999/999",
    ]
    malformed = ["0", "0/", "0/0", "0/00", "0/0000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/", "0/000/"]
    malformed += [
        "00/000",
        "64/000",
        "-1/000",
        "0/x000/000",
        "0/001/000",
        "0/x001",
        "0/x001/x002",
        "0/000.p/1/2",
        "a/000",
    ]
    malformed += [
        "entries/000.p/0",
        "Entries/000",
        "0/%30%30%30%20",
        "0/٠٠٠",
        "0/+00",
        "data/000",
        "0/000.P/1",
        "//000",
    ]
    for path in beyond + malformed:
        await scene.problem(f"/tile/{path}", 404, "not-found")


async def test_an_entry_by_index_and_by_statement(scene: Scene) -> None:
    for index in (0, 1, 4, 255, 256, 511, scene.size - 1):
        entry = scene.entries[index]
        document = await scene.json(f"/v1/entries/{index}")
        assert document == await scene.json(f"/v1/statements/{entry.envelope.id}")
        opened, checkpoint = scene.house.open(document.pop("receipt").encode(), b64decode(document["entry"]))
        assert opened == entry
        assert checkpoint.head.size == scene.size
        assert document == {
            "statement_id": entry.envelope.id,
            "index": index,
            "time": entry.time_ms,
            "previous": entry.previous,
            "statement": scene.statements[index],
            "signatures": entry.envelope.document()["signatures"],
            "entry": document["entry"],
        }
    await scene.problem(f"/v1/entries/{scene.size}", 404, "not-found", "index")
    await scene.problem(f"/v1/entries/{2**53 - 1}", 404, "not-found", "index")
    for wrong in ("-1", "01", "1.0", "one", "%31x", "٣", str(2**53), "9" * 40):
        await scene.problem(f"/v1/entries/{wrong}", 400, "wrong-value", "index")
    await scene.problem(f"/v1/statements/{NOBODY}", 404, "not-found")
    for wrong in ("sha256:", "1", NOBODY.upper(), NOBODY + "0", "alpha"):
        await scene.problem(f"/v1/statements/{wrong}", 400, "wrong-value", "statement_id")


async def test_receipts_against_the_newest_and_older_checkpoints(scene: Scene) -> None:
    for index in (0, 3, 300, scene.size - 1):
        status, response, body = await scene.get(f"/v1/receipts/{index}")
        assert status == 200
        assert response.content_type == "text/plain"
        assert scene.house.open(body, scene.entries[index].raw)[0].index == index
    kept = []
    for size in range(1, scene.size + 1):
        status, _, body = await scene.get(f"/v1/receipts/0?size={size}")
        if status == 200:
            kept.append(size)
            _, checkpoint = scene.house.open(body, scene.entries[0].raw)
            assert (checkpoint.head.size, checkpoint.head.root) == (size, scene.root(size))
        else:
            assert status == 404
    minutes = [(scene.entries[size - 1].time_ms - START_MS) // MINUTE_MS for size in kept]
    assert sorted(set(minutes)) == [0, 1, 2, 3], "at least one a minute"
    assert kept[-1] == scene.size
    older = kept[1]
    status, _, _ = await scene.get(f"/v1/receipts/{older - 1}?size={older}")
    assert status == 200
    await scene.problem(f"/v1/receipts/{older}?size={older}", 404, "not-found", "index")
    await scene.problem(f"/v1/receipts/0?size={scene.size + 1}", 404, "not-found", "size")
    await scene.problem("/v1/receipts/0?size=0", 404, "not-found", "size")
    await scene.problem("/v1/receipts/0?size=x", 400, "wrong-value", "size")
    await scene.problem(f"/v1/receipts/{scene.size}", 404, "not-found", "index")


async def test_consistency(scene: Scene) -> None:
    for old, new in ((1, 1), (1, 2), (3, 7), (255, 256), (256, 600), (511, 513), (7, scene.size), (scene.size,) * 2):
        document = await scene.json(f"/v1/consistency?from={old}&to={new}")
        path = [b64decode(value) for value in document["path"]]
        assert (document["from"], document["to"]) == (old, new)
        assert path == scene.tree.consistency(old, new)
        verify_consistency(old, scene.root(old), new, scene.root(new), path)
    for query in ("from=0&to=1", "from=3&to=2", f"from=1&to={scene.size + 1}"):
        await scene.problem(f"/v1/consistency?{query}", 400, "wrong-value")
    await scene.problem("/v1/consistency?from=-1&to=1", 400, "wrong-value", "from")
    await scene.problem("/v1/consistency?from=1", 400, "missing-field", "to")
    await scene.problem("/v1/consistency?to=1", 400, "missing-field", "from")


async def test_history_is_signed_and_complete(scene: Scene) -> None:
    (first, *_), (license_id, _), (offer, other_offer) = map(
        scene.ids, ("listing.registered", "license.agreed", "transfer.offered")
    )
    # Written down from docs/format.md §12.3: the story of alpha and beta, that of beta and gamma, what ended them.
    end = scene.size - 3
    wanted = {
        ("beta",): [2, 4, 5, 6, 8, 9, 10, 11, end + 1],
        ("gamma",): [7, 9, 10, 11, end + 2],
        (first,): [3, 4, 5, 6, end, end + 1],
        (license_id,): [4, 5, 6, end + 1],
        (offer,): [5, 6],
        (offer, other_offer): [5, 6, 10, 11],
        ("operator",): [0],
        (scene.entries[20].envelope.id,): [20],
        (NOBODY,): [],
        ("nobody",): [],
    }
    service = scene.house.identity.service_key.public
    for subjects, indexes in wanted.items():
        document = await scene.json("/v1/history?" + "&".join(f"subject={name}" for name in reversed(subjects)))
        envelope = parse_envelope(json.dumps(document).encode(), HISTORY_TYPE)
        ((keyid, signature),) = envelope.signatures
        assert keyid == service.keyid
        assert verify_ed25519(service.raw, envelope.signed_bytes, signature)
        assert parse_canonical(envelope.payload) == {
            "indexes": indexes,
            "ledger": scene.entries[0].envelope.id,
            "root": scene.root(scene.size).hex(),
            "size": scene.size,
            "subjects": sorted(subjects),
            "type": "provenance-ledger.history/v1",
        }
    many = "&".join(f"subject=s{at}" for at in range(33))
    for query in ("", "?subject=", "?subject=" + "a" * 129, f"?{many}", "?subject=%00", "?subject=a&subject=sha256:1"):
        await scene.problem(f"/v1/history{query}", 400, "wrong-value", "subject")


async def test_pages_lead_to_the_end_of_a_list(scene: Scene) -> None:
    kinds = {"listings": "listing.registered", "licenses": "license.agreed", "transfers": "transfer.offered"}
    for kind, statement_type in kinds.items():
        for query in ("", "&limit=7", "&limit=500"):
            items = await _all_pages(scene, f"/v1/{kind}?{query}")
            assert [item["id"] for item in items] == scene.ids(statement_type)
            assert [scene.entries[item["index"]].envelope.id for item in items] == scene.ids(statement_type)
            assert not any("subjects" in item for item in items)
    assert [item["name"] for item in await _all_pages(scene, "/v1/parties?limit=1")] == [
        "operator",
        "alpha",
        "beta",
        "gamma",
    ]
    of_gamma = await _all_pages(scene, "/v1/transfers?party=gamma&limit=1")
    assert [item["id"] for item in of_gamma] == scene.ids("transfer.offered")[1:]
    assert await _all_pages(scene, "/v1/listings?party=nobody&limit=1") == []
    for limit in ("0", "501"):
        await scene.problem(f"/v1/listings?limit={limit}", 400, "wrong-value", "limit")
    await scene.problem("/v1/listings?cursor=-1", 400, "wrong-value", "cursor")
    document = await scene.json(f"/v1/listings?cursor={scene.size}")
    assert document == {"items": [], "next": None, "size": scene.size}


async def _all_pages(scene: Scene, path: str) -> list[Json]:
    items: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await scene.json(path + (f"&cursor={cursor}" if cursor else ""))
        assert page["size"] == scene.size
        assert page["items"] or not cursor, "a cursor leads to something"
        items += page["items"]
        cursor = page["next"]
    return items


async def test_things_as_they_stand_now(scene: Scene) -> None:
    end = scene.size - 3
    listing, agreed, offer = (
        scene.ids(kind)[0] for kind in ("listing.registered", "license.agreed", "transfer.offered")
    )
    common = {"size": scene.size}
    assert await scene.json(f"/v1/listings/{listing}") == common | {
        "index": 3,
        "id": listing,
        "issuer": "alpha",
        "title": "Airports",
        "withdrawn_index": end,
    }
    assert await scene.json(f"/v1/licenses/{agreed}") == common | {
        "index": 4,
        "id": agreed,
        "listing": listing,
        "licensor": "alpha",
        "licensee": "beta",
        "terms": scene.statements[4]["terms"],
        "ended_index": end + 1,
    }
    assert await scene.json(f"/v1/transfers/{offer}") == common | {
        "index": 5,
        "id": offer,
        "listing": listing,
        "license": agreed,
        "sender": "alpha",
        "recipient": "beta",
        "state": "acknowledged",
        "decided_index": 6,
    }
    gamma = await scene.json("/v1/parties/gamma")
    keys = {key["keyid"]: key for key in gamma["keys"]}
    assert (gamma["name"], gamma["index"], gamma["size"]) == ("gamma", 7, scene.size)
    assert {keyid: key["use"] for keyid, key in keys.items()} == {
        GAMMA.key.public.keyid: "signing",
        GAMMA.recovery.public.keyid: "recovery",
    }
    assert keys[GAMMA.key.public.keyid]["revoked_index"] == end + 2
    assert keys[GAMMA.recovery.public.keyid]["revoked_index"] is None
    for path in (f"listings/{agreed}", f"licenses/{NOBODY}", "transfers/party:alpha", "parties/nobody", "parties/%FF"):
        await scene.problem(f"/v1/{path}", 404, "not-found")


async def test_addresses_and_methods_that_are_not_there(scene: Scene) -> None:
    for path in ("/", "/v1", "/v1/", "/v2/entries/0", "/v1/entries", "/v1/entries/0/", "/tile/", "/v1/usages"):
        await scene.problem(path, 404, "not-found")
    for route in ROUTES:
        path = route.path.replace("{path:.+}", "0/000").partition("{")[0] + ("0" if "{" in route.path else "")
        async with scene.session.request("PUT", path) as response:
            assert response.status in {404, 405}, path
            assert response.content_type == "application/problem+json"
            if response.status == 405:
                assert response.headers["Allow"] == ("POST" if route.method == "POST" else "GET, HEAD")
