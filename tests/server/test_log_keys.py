"""The keys of the log change while it runs: who signs when, what a restart needs, what verifiers say of policies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ledger.core.dsse import Envelope
from ledger.core.keys import LastingKey, Signer
from ledger.core.note import open_note, parse_note, parse_vkey, sign_note
from ledger.core.policy import parse_policy
from ledger.party.client.client import LedgerClient
from ledger.party.errors import ReceiptInvalid
from ledger.registry.refusal import Refused
from ledger.server.copies.restoring import restore
from ledger.server.copies.source import open_files
from ledger.server.log.intake.workers import Workers
from ledger.server.log.log import Log
from ledger.server.log.recovery.published import PublishedFile
from ledger.server.log.state.errors import SignedRefusalError, UnavailableError
from ledger.server.log.state.identity import Identity
from ledger.server.store.contract import IntegrityError
from ledger.server.store.sqlite import SQLiteStore
from ledger.statements.parse import NEWEST_RULES
from tests.harness.people import key, person
from tests.harness.running import ORIGIN, Clock, House, serving, submit_all
from tests.harness.speech import signed
from tests.harness.verify import run_verifier
from verifier.core.policy import parse_policy as their_policy
from verifier.mirror.mirror import mirror

NEW, LASTING = key("second log"), LastingKey(bytes(range(32)))
ALPHA = person("alpha")


class Place:
    """A ledger on disk, run again and again with the keys at hand; mirrored by the verifier as it grows."""

    def __init__(self, directory: Path, workers: Workers) -> None:
        self.house = House(rules=NEWEST_RULES)
        self.old: Signer = self.house.identity.log_key
        self.directory = directory
        self.workers = workers
        self.published = PublishedFile(directory / "published")

    def vkey(self, signer: Signer) -> str:
        return next(iter(Identity(ORIGIN, signer, self.old).signers))

    def told(self, kind: str, signer: Signer) -> Envelope:
        operator = self.house.operator
        return signed(self.house.speech.say(kind, operator, [operator.key], log_key=self.vkey(signer)), operator.key)

    def policy(self, *signers: Signer, quorum: str = "none", more: str = "") -> str:
        return "".join(f"log {self.vkey(signer)}\n" for signer in signers) + more + f"quorum {quorum}\n"

    async def run(self, envelopes: list[Envelope], *signers: Signer) -> set[str]:
        """Start the log with these keys, record, and stop it; return the vkeys that signed the newest checkpoint."""
        first, *further = signers or (self.old,)
        identity = Identity(ORIGIN, first, self.house.identity.service_key, tuple(further))
        store = await SQLiteStore.open(self.directory / "ledger.db")
        try:
            log = Log(store, identity, self.workers, Clock(), self.published)
            await log.start()
            try:
                await submit_all(log, envelopes)
                assert log.published is not None
                await self._copy(log)
                note = parse_note(log.published.checkpoint)
            finally:
                await log.stop()
        finally:
            await store.close()
        known = [parse_vkey(self.vkey(signer)) for signer in (self.old, NEW, LASTING)]
        signed_by = open_note(note, known)
        assert len(signed_by) == len(note.signatures)
        return {item.vkey() for item in signed_by}

    async def _copy(self, log: Log) -> None:
        policy = their_policy(self.policy(self.old, NEW).encode())
        (self.directory / "copy").mkdir(exist_ok=True)
        async with serving(log) as served:
            result = await asyncio.to_thread(
                mirror, served.url, self.directory / "copy", policy, policy.logs[0], lambda *_: None
            )
        assert (result.failures, result.doubts) == ([], [])

    def replay(self, policy: str) -> tuple[int, list[tuple[int | None, str, str]], list[str]]:
        path = self.directory / "policy.txt"
        path.write_text(policy)
        verdict = run_verifier("replay", str(self.directory / "copy"), "--policy", str(path), "--quiet")
        return verdict.exit_code, verdict.failures, [doubt["reason"] for doubt in verdict.report["doubts"]]


@pytest.fixture
def place(tmp_path: Path, workers: Workers) -> Place:
    return Place(tmp_path, workers)


async def test_a_rotation_and_what_each_policy_says_of_it(place: Place) -> None:
    """Overlap, retirement, restarts, a mirror that goes on through all of it, a verifier with either line or both."""
    house, old = place.house, place.old
    begin = [house.created, house.registration(ALPHA), *house.listings(ALPHA, 2)]
    assert await place.run(begin) == {place.vkey(old)}
    assert await place.run([place.told("ledger.log_key_added", NEW)], old, NEW) == {place.vkey(old), place.vkey(NEW)}
    for policy in (place.policy(old), place.policy(NEW), place.policy(old, NEW), place.policy(NEW, old)):
        assert place.replay(policy) == (0, [], [])
    with pytest.raises(IntegrityError, match="not at hand"):
        await place.run([], old)
    assert await place.run([place.told("ledger.log_key_retired", old)], old, NEW) == {place.vkey(NEW)}
    assert place.replay(place.policy(NEW)) == (0, [], [])
    assert place.replay(place.policy(old, NEW)) == (0, [], [])
    code, failures, _ = place.replay(place.policy(old))
    assert (code, failures) == (1, [(None, "checkpoint-signature", "no-log-signature")])
    assert await place.run([], NEW) == {place.vkey(NEW)}, "the old key is not needed any more"


async def test_a_retired_key_signs_for_nobody(place: Place) -> None:
    """Whoever kept or stole it can sign a checkpoint; a replay tells that the key was not in force there."""
    old = place.old
    await place.run([place.house.created])
    await place.run([place.told("ledger.log_key_added", NEW)], old, NEW)
    await place.run([place.told("ledger.log_key_retired", old)], old, NEW)
    path = place.directory / "copy" / "checkpoint"
    text = parse_note(path.read_bytes()).text
    thief = Identity(ORIGIN, old, place.house.identity.service_key)
    lines = text.decode().split("\n")
    path.write_bytes(sign_note(text, lines[0], thief.log_key))
    code, failures, doubts = place.replay(place.policy(old, NEW))
    assert (code, failures) == (1, [(0, "identity", "wrong-log-key")])
    assert doubts == ["log-signature-missing"]


async def test_a_line_that_was_left_out_accuses_nobody(place: Place) -> None:
    """A checkpoint without the signature of a key in force is as good as its other lines, and said to lack one."""
    await place.run([place.house.created])
    await place.run([place.told("ledger.log_key_added", NEW)], place.old, NEW)
    path = place.directory / "copy" / "checkpoint"
    note = parse_note(path.read_bytes())
    path.write_bytes(note.text + b"\n" + note.signatures[0].line.encode())
    policy = place.policy(place.old, NEW)
    assert place.replay(policy) == (3, [], ["log-signature-missing"])


async def test_ml_dsa_44_beside_ed25519(place: Place) -> None:
    """It signs every checkpoint from its entry on; a policy can require it, and is told that this is no witness."""
    old = place.old
    await place.run([place.house.created])
    both = await place.run([place.told("ledger.log_key_added", LASTING)], old, LASTING)
    assert both == {place.vkey(old), place.vkey(LASTING)}
    own = f"witness own {place.vkey(LASTING)}\n"
    assert place.replay(place.policy(old)) == (0, [], [])
    assert place.replay(place.policy(old, quorum="own", more=own)) == (0, [], [])
    path = place.directory / "copy" / "checkpoint"
    note = parse_note(path.read_bytes())
    path.write_bytes(note.text + b"\n" + note.signatures[0].line.encode())
    code, _, doubts = place.replay(place.policy(old, quorum="own", more=own))
    assert (code, sorted(doubts)) == (3, ["log-signature-missing", "quorum-not-reached"])
    with pytest.raises(SignedRefusalError, match="type 0x01"):
        await place.run([place.told("ledger.log_key_retired", old)], old, LASTING)


async def test_a_key_that_the_server_does_not_hold_is_not_taken_up(place: Place) -> None:
    """No checkpoint could follow such an entry; the operator hears what to do, and the log goes on."""
    await place.run([place.house.created])
    with pytest.raises(UnavailableError, match=r"does not hold the log key .* run 'ledger log-key add DIR FILE'"):
        await place.run([place.told("ledger.log_key_added", NEW)])
    assert await place.run([place.house.registration(ALPHA)]) == {place.vkey(place.old)}


async def test_whoever_may_not_add_a_key_is_refused_by_the_rules(place: Place) -> None:
    """Which keys the server holds concerns nobody else: what the rules say first is told, signed if it can be."""
    house = place.house
    await place.run([house.created, house.registration(ALPHA)])
    say, vkey, stranger = house.speech.say, place.vkey(NEW), person("stranger")
    kind = "ledger.log_key_added"
    with pytest.raises(SignedRefusalError, match="wrong-signers"):
        await place.run([signed(say(kind, ALPHA, [ALPHA.key], log_key=vkey), ALPHA.key)])
    with pytest.raises(Refused, match="unknown-key"):
        await place.run([signed(say(kind, stranger, [stranger.key], log_key=vkey), stranger.key)])
    taken = say(kind, house.operator, [house.operator.key], log_key=place.vkey(house.identity.service_key))
    with pytest.raises(SignedRefusalError, match="key-taken"):
        await place.run([signed(taken, house.operator.key)])


async def test_two_changes_in_one_batch_are_each_under_the_keys_of_their_size(place: Place) -> None:
    """A batch ends at every change: the checkpoint over it is signed by the keys that are in force there."""
    envelopes = [
        place.house.created,
        place.told("ledger.log_key_added", NEW),
        place.house.registration(ALPHA),
        place.told("ledger.log_key_retired", place.old),
        place.told("ledger.log_key_added", LASTING),
    ]
    assert await place.run(envelopes, place.old, NEW, LASTING) == {place.vkey(NEW), place.vkey(LASTING)}
    assert place.replay(place.policy(NEW)) == (0, [], [])


async def test_restoring_from_a_mirror_knows_every_key(place: Place) -> None:
    """What was published before the rotation, by the old key, is still compared with the copy."""
    await place.run([place.house.created, place.house.registration(ALPHA)])
    before = place.published.read()
    await place.run([place.told("ledger.log_key_added", NEW)], place.old, NEW)
    await place.run([place.told("ledger.log_key_retired", place.old)], place.old, NEW)
    assert before is not None
    (place.directory / "published" / "checkpoint").write_bytes(before)
    async with open_files(str(place.directory / "copy")) as files:
        keys = [place.old.public, NEW.public]
        restored = await restore(place.directory / "ledger.db", files, keys, place.published, lambda *_: None)
    assert restored.head.size == 4
    assert await place.run(place.house.listings(ALPHA, 1), NEW) == {place.vkey(NEW)}


async def test_a_client_needs_the_line_of_a_key_that_entry_0_names(place: Place) -> None:
    """It goes on through a rotation with both lines; with the new line alone it cannot tell whose ledger that is."""
    await place.run([place.house.created])
    await place.run([place.told("ledger.log_key_added", NEW)], place.old, NEW)
    await place.run([place.told("ledger.log_key_retired", place.old)], place.old, NEW)
    store = await SQLiteStore.open(place.directory / "ledger.db")
    log = Log(store, Identity(ORIGIN, NEW, place.house.identity.service_key), place.workers, Clock())
    await log.start()
    async with serving(log) as served:
        async with LedgerClient(served.url, parse_policy(place.policy(place.old, NEW))) as client:
            recorded = await client.submit(place.house.registration(ALPHA))
            assert recorded.index == 3
            assert await client.rules() == NEWEST_RULES
        async with LedgerClient(served.url, parse_policy(place.policy(NEW))) as client:
            with pytest.raises(ReceiptInvalid, match="first key's line"):
                await client.identity()
    await log.stop()
    await store.close()
