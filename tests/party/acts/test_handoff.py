"""Hand-offs: the recipient signs what it computed, or nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.core.commitment import commit
from ledger.core.encoding import canonical
from ledger.party.acts import handoff
from ledger.party.acts.handoff import MANIFEST_NAME
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.dataset.committing.copies import Copies
from ledger.party.dataset.committing.manifests import read_manifest
from ledger.party.dataset.committing.opener import open_records
from ledger.party.digests import describe, measure
from ledger.party.errors import AlreadyThere, ContentMismatch, Problem, ReceiptInvalid, Unfit
from ledger.party.speaking.speaker import Speaker
from ledger.party.vault.vault import Vault
from ledger.statements import version_1
from ledger.statements.parse import NEWEST_RULES
from ledger.statements.transfer import TransferOffered, TransferRefused
from ledger.statements.version_5 import TransferAcknowledged
from tests.harness.builder import LedgerBuilder
from tests.harness.people import Person, person
from tests.party.answers.liar import Liar, serving
from tests.party.dataset.tables import opened_cells

CONTENT = {"airports.csv": b"iata,name\nAAA,Anaa\n" * 1000, "planes.bin": bytes(range(256)), "empty.txt": b""}


class Market:
    """Alpha hands three files to beta over a ledger that a test may bend."""

    def __init__(self, liar: Liar, tmp_path: Path) -> None:
        self.liar = liar
        self.builder = liar.builder
        self.alpha, self.beta, self.gamma = (self.builder.register(person(name)) for name in ("alpha", "beta", "gamma"))
        self.listing = self.builder.say(self.builder.speech.listing_registered(self.alpha), self.alpha.key)
        self.tmp_path = tmp_path
        self.sent, self.got = tmp_path / "sent", tmp_path / "got"
        for directory in (self.sent, self.got):
            directory.mkdir()
            for name, content in CONTENT.items():
                (directory / name).write_bytes(content)

    def speaker(self, who: Person) -> Speaker:
        vault = Vault(self.tmp_path / f"{who.name}-home")
        client = LedgerClient(self.liar.url, self.liar.policy, vault, backoff_s=0.01)
        return Speaker(client, vault, who.name, who.key, lambda: self.builder.now_ms)

    async def offer(self, to: str = "beta") -> tuple[Recorded, Path]:
        speaker = self.speaker(self.alpha)
        path = self.sent / MANIFEST_NAME
        async with speaker.client:
            recorded = await handoff.offer(
                speaker, self.files(self.sent), listing=self.listing, license_id=None, recipient=to, manifest_path=path
            )
        return recorded, path

    def files(self, directory: Path) -> list[Path]:
        return [directory / name for name in CONTENT]


def changed(manifest: Path, **changes: str) -> Path:
    """Return a manifest with another first line; `name_of_0` swaps two names."""
    head, rest = manifest.read_bytes().split(b"\n", 1)
    document = json.loads(head)
    if name := changes.pop("name_of_0", None):
        other = next(file for file in document["files"] if file["name"] == name)
        other["name"], document["files"][0]["name"] = document["files"][0]["name"], name
    path = manifest.with_name("changed.json")
    path.write_bytes(canonical(document | changes) + b"\n" + rest)
    return path


@pytest.fixture(params=[1, NEWEST_RULES])
async def market(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Market]:
    async with serving(LedgerBuilder(rules=request.param)) as liar:
        yield Market(liar, tmp_path)


async def test_what_was_received_is_acknowledged_under_a_salt_of_its_own(market: Market) -> None:
    offered, manifest = await market.offer()
    assert [file.media_type for file in read_manifest(manifest).files] == [
        "text/csv",
        "application/octet-stream",
        "text/plain",
    ]
    beta = market.speaker(market.beta)
    async with beta.client:
        received = await handoff.receive(beta, manifest, market.files(market.got))
        acknowledged = await handoff.acknowledge(beta, received)
    statement, answer = offered.statement, acknowledged.statement
    assert isinstance(statement, TransferOffered)
    assert isinstance(answer, TransferAcknowledged)
    assert (answer.transfer, answer.issuer) == (offered.statement_id, "beta")
    assert answer.content != statement.content
    (ours,) = beta.locker.disclosures(acknowledged.statement_id)
    (theirs,) = market.speaker(market.alpha).locker.disclosures(offered.statement_id)
    assert ours.value == theirs.value
    assert commit(ours.place, ours.salt, ours.value) == answer.content.sealed
    assert commit(theirs.place, theirs.salt, theirs.value) == statement.content.sealed
    assert [file["bytes"] for file in ours.value["files"]] == [len(content) for content in CONTENT.values()]
    public = b"".join(market.builder.entries)
    for file in ours.value["files"]:
        assert file["sha256"].encode() not in public


async def test_a_manifest_tells_neither_digests_nor_sizes(market: Market) -> None:
    await market.offer()
    head, *salts = [json.loads(line) for line in (market.sent / MANIFEST_NAME).read_bytes().splitlines()]
    assert head["type"] == "provenance-ledger.manifest/v2"
    assert head["files"][0].keys() == {"media_type", "name", "records"}
    assert [(line["file"], line["first"]) for line in salts] == [(0, 0), (1, 0)]
    assert (market.sent / MANIFEST_NAME).stat().st_mode & 0o777 == 0o600


async def test_on_a_difference_nothing_is_signed_and_a_refusal_may_seal_what_came(market: Market) -> None:
    offered, manifest = await market.offer()
    size = market.builder.size
    beta = market.speaker(market.beta)
    async with beta.client:
        (market.got / "planes.bin").write_bytes(bytes(256))
        with pytest.raises(ContentMismatch) as content:
            await handoff.receive(beta, manifest, market.files(market.got))
        with pytest.raises(ContentMismatch) as missing:
            await handoff.receive(beta, manifest, market.files(market.got)[:2])
        (market.got / "more.csv").write_bytes(b"")
        with pytest.raises(ContentMismatch) as surplus:
            await handoff.receive(beta, manifest, [*market.files(market.got), market.got / "more.csv"])
        with pytest.raises(ContentMismatch):
            await handoff.receive(beta, changed(manifest, name_of_0="planes.bin"), market.files(market.sent))
        assert market.builder.size == size
        assert (missing.value.missing, surplus.value.surplus) == (["empty.txt"], ["more.csv"])
        assert missing.value.content is None
        refused = await handoff.refuse(beta, offered.statement_id, "Other planes.", content.value.content)
    statement = refused.statement
    assert isinstance(statement, TransferRefused if market.builder.rules > 1 else version_1.TransferRefused)
    assert statement.content is not None
    assert (statement.transfer, statement.reason) == (offered.statement_id, "Other planes.")
    assert getattr(statement, "code", "other") == "other"
    assert (handoff.refusal_code(content.value), handoff.refusal_code(missing.value)) == (
        "digest-mismatch",
        "not-received",
    )
    assert handoff.refusal_code(surplus.value) == "other"


async def test_a_decided_hand_off_is_not_answered_again(market: Market) -> None:
    _, manifest = await market.offer()
    beta = market.speaker(market.beta)
    async with beta.client:
        received = await handoff.receive(beta, manifest, market.files(market.got))
        acknowledged = await handoff.acknowledge(beta, received)
        kept = beta.locker.places()
        with pytest.raises(Unfit, match=f"acknowledged before, by entry {acknowledged.index}"):
            await handoff.receive(beta, manifest, market.files(market.got))
        with pytest.raises(Unfit, match="acknowledged before"):
            await handoff.refuse(beta, received.offered.statement_id, "Late.", received.content)
        assert not (beta.vault.directory / "refusals").exists()

        with pytest.raises(Problem) as refused:
            await handoff.acknowledge(beta, received)
        assert refused.value.refusal is not None
        assert beta.locker.places() == kept

        market.liar.fail = {"/v1/statements": 500}
        with pytest.raises(Problem):
            await handoff.acknowledge(beta, received)
        assert len(beta.locker.places()) == len(kept) + 1


async def test_a_decision_that_no_entry_proves_is_none(market: Market) -> None:
    offered, manifest = await market.offer()
    beta = market.speaker(market.beta)
    market.liar.lie = lambda path, answer: (
        answer | {"decided_index": offered.index} if path.startswith("/v1/transfers/") else answer
    )
    async with beta.client:
        with pytest.raises(ReceiptInvalid, match="does not decide"):
            await handoff.receive(beta, manifest, market.files(market.got))


async def test_only_the_named_recipient_with_the_right_manifest_gets_to_sign(market: Market) -> None:
    _, manifest = await market.offer()
    gamma, beta = market.speaker(market.gamma), market.speaker(market.beta)
    files = market.files(market.got)
    async with gamma.client, beta.client:
        with pytest.raises(Unfit, match="for beta"):
            await handoff.receive(gamma, manifest, files)
        for change in ({"nonce": "A" * 22 + "=="}, {"issuer": "gamma"}, {"transfer": market.listing}):
            with pytest.raises(Unfit):
                await handoff.receive(beta, changed(manifest, **change), files)


async def test_an_offer_that_the_operator_wrote_itself_is_not_acknowledged(market: Market) -> None:
    offered, manifest = await market.offer()
    stranger = market.speaker(market.gamma).key.public
    beta = market.speaker(market.beta)

    def swap_keys(path: str, answer: dict[str, object]) -> dict[str, object]:
        if path == "/v1/parties/alpha":
            return answer | {"keys": [{"use": "signing", "index": 3, "keyid": stranger.keyid, **stranger.document()}]}
        return answer

    market.liar.lie = swap_keys
    async with beta.client:
        with pytest.raises(ReceiptInvalid, match="no registered key"):
            await handoff.receive(beta, manifest, market.files(market.got))
    assert offered.statement.issuer == "alpha"


async def test_a_refused_offer_leaves_no_manifest_and_an_old_one_is_never_replaced(market: Market) -> None:
    path = market.sent / MANIFEST_NAME
    with pytest.raises(Problem):
        await market.offer(to="nobody")
    assert not path.exists()
    await market.offer()
    before = path.read_bytes()
    size = market.builder.size
    with pytest.raises(AlreadyThere):
        await market.offer()
    assert (path.read_bytes(), market.builder.size) == (before, size)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "a/b"])
async def test_a_manifest_cannot_point_outside_its_directory(market: Market, name: str) -> None:
    await market.offer()
    path = market.sent / MANIFEST_NAME
    document = json.loads(path.read_bytes().split(b"\n")[0])
    document["files"][0]["name"] = name
    path.write_bytes(canonical(document) + b"\n")
    with pytest.raises(Unfit, match="outside"):
        read_manifest(path)


async def test_who_cannot_read_it_as_it_was_sent_is_told_what_differs(market: Market) -> None:
    _, manifest = await market.offer()
    beta = market.speaker(market.beta)
    async with beta.client:
        (market.got / "airports.csv").write_bytes(CONTENT["airports.csv"][:-9])
        with pytest.raises(ContentMismatch, match=r"airports.csv: it has 1998 records, and .* 1999") as fewer:
            await handoff.receive(beta, manifest, market.files(market.got))
        (market.got / "airports.csv").write_bytes(CONTENT["airports.csv"] + b"BBB\n")
        with pytest.raises(ContentMismatch, match="line 2001"):
            await handoff.receive(beta, manifest, market.files(market.got))
    assert handoff.refusal_code(fewer.value) == "digest-mismatch"
    assert not beta.locker.places()


async def test_both_keep_the_manifest_and_the_sender_a_copy_that_opens_records(market: Market) -> None:
    offered, manifest = await market.offer()
    alpha, beta = market.speaker(market.alpha), market.speaker(market.beta)
    async with beta.client:
        await handoff.acknowledge(beta, await handoff.receive(beta, manifest, market.files(market.got)))
    for speaker in (alpha, beta):
        assert speaker.vault.manifest_path(offered.statement_id).read_bytes() == manifest.read_bytes()
    copy = Copies(alpha.vault.directory).open(offered.statement_id)
    assert copy is not None
    (disclosure,) = alpha.locker.disclosures(offered.statement_id)
    assert [file.digest.model_dump(exclude_none=True) for file in copy.files] == disclosure.value["files"]
    (opened,) = open_records(copy.files[0], alpha.vault.manifest_path(offered.statement_id), [1998])
    assert opened_cells(opened) == {0: "AAA", 1: "Anaa"}
    assert not (beta.vault.directory / "copies").exists()


async def test_what_was_refused_leaves_no_copy(market: Market) -> None:
    with pytest.raises(Problem):
        await market.offer(to="nobody")
    home = market.speaker(market.alpha).vault.directory
    assert not list((home / "copies").iterdir())
    assert not list((home / "manifests").iterdir())


async def test_a_manifest_of_version_1_is_still_acknowledged(market: Market) -> None:
    alpha, beta = market.speaker(market.alpha), market.speaker(market.beta)
    content = measure(market.files(market.sent), describe(market.files(market.sent)))
    path = market.sent / "old.json"

    async with alpha.client, beta.client:
        frame = await alpha.frame()

        def keep(transfer: str, salt: str) -> None:
            files = [file.model_dump(exclude_none=True) for file in describe(market.files(market.sent))]
            document = {"files": files, "issuer": "alpha", "kind": "content", "ledger": frame.ledger}
            document |= {"nonce": frame.nonce, "pointer": "/content", "salt": salt, "transfer": transfer}
            path.write_bytes(canonical(document | {"type": "provenance-ledger.manifest/v1"}) + b"\n")

        await alpha.say_sealed(frame, "transfer.offered", content, keep, listing=market.listing, recipient="beta")
        received = await handoff.receive(beta, path, market.files(market.got))
        acknowledged = await handoff.acknowledge(beta, received)
        assert beta.vault.manifest_path(received.offered.statement_id).read_bytes() == path.read_bytes()
    assert isinstance(acknowledged.statement, TransferAcknowledged)
