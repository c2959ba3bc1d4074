"""An entry that speaks for a party is traced to signatures that only the party could make."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.core.entry import Entry, parse_entry
from ledger.core.hashing import leaf_hash
from ledger.core.keys import Signer
from ledger.party.client.client import LedgerClient
from ledger.party.errors import ReceiptInvalid
from tests.harness.builder import LedgerBuilder
from tests.harness.people import Person, key, person
from tests.harness.speech import keyids, signed
from tests.party.answers.liar import Liar, serving

EVIL, EVIL_RECOVERY = key("the operator's own"), key("another of the operator's own")


class Stage:
    """Alpha and beta on a ledger whose operator writes what it likes, and says that it is theirs."""

    def __init__(self, liar: Liar, client: LedgerClient) -> None:
        self.liar = liar
        self.builder = liar.builder
        self.client = client
        self.alpha, self.beta = (self.builder.register(person(name)) for name in ("alpha", "beta"))
        self.listing = self.builder.say(self.builder.speech.listing_registered(self.alpha), self.alpha.key)

    def force(self, envelope: Envelope) -> int:
        """Record without any check; return the index."""
        builder = self.builder
        index = builder.size
        raw = Entry(index, leaf_hash(builder.entries[-1]).hex(), envelope, builder.now_ms).raw
        builder.chain(raw, builder.now_ms)
        return index

    def claim(self, *claims: tuple[Signer, str, int], **fields: Json) -> None:
        """Say of these keys, too, that they are alpha's: (key, use, index of the entry that registers it)."""
        more = [
            {"use": use, "index": index, "keyid": item.public.keyid, **item.public.document(), **fields}
            for item, use, index in claims
        ]
        self.liar.lie = lambda path, answer: (
            answer | {"keys": [*answer["keys"], *more]} if path == "/v1/parties/alpha" else answer
        )

    def added(self, new: Signer, by: list[Signer], use: str = "signing") -> Json:
        fields = {"key": new.public.document(), "use": use}
        return self.builder.speech.say("party.key_added", self.alpha, [new, *by], **fields)

    def offer(self, *by: Signer) -> Json:
        offered = self.builder.speech.transfer_offered(self.alpha, self.beta, self.listing)
        return offered | {"signers": keyids(by)}

    async def check(self, index: int) -> None:
        await self.client.check_speaker(await self.client.entry(index))


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with serving(LedgerBuilder()) as liar, LedgerClient(liar.url, liar.policy) as client:
        yield Stage(liar, client)


def offered(stage: Stage, *by: Signer) -> int:
    return stage.force(signed(stage.offer(*by), *by))


async def test_a_key_that_the_recovery_key_added_speaks_for_its_party(stage: Stage) -> None:
    speech, builder, alpha = stage.builder.speech, stage.builder, stage.alpha
    await stage.check(offered(stage, alpha.key))
    second, third, rescue = key("second"), key("third"), key("rescue")
    builder.say(speech.key_added(alpha, second), second, alpha.recovery)
    builder.say(speech.key_added(alpha, rescue, "recovery"), rescue, alpha.recovery)
    rescued = Person("alpha", [alpha.key], [rescue])
    builder.say(speech.key_added(rescued, third), third, rescue)
    for item in (second, third):
        await stage.check(offered(stage, item))


async def test_an_entry_before_its_keys_revocation_stands_and_one_after_it_does_not(stage: Stage) -> None:
    before = offered(stage, stage.alpha.key)
    stage.builder.say(stage.builder.speech.key_revoked(stage.alpha, stage.alpha.key), stage.alpha.recovery)
    await stage.check(before)
    with pytest.raises(ReceiptInvalid, match="revoked"):
        await stage.check(offered(stage, stage.alpha.key))


async def test_a_recovery_key_speaks_of_keys_only(stage: Stage) -> None:
    with pytest.raises(ReceiptInvalid, match="no registered key"):
        await stage.check(offered(stage, stage.alpha.recovery))


async def test_a_key_that_the_operator_added_itself_does_not_speak(stage: Stage) -> None:
    alpha, beta = stage.alpha, stage.beta
    by_nobody = stage.force(signed(stage.added(EVIL, []), EVIL))
    stage.claim((EVIL, "signing", by_nobody))
    with pytest.raises(ReceiptInvalid, match="no recovery key vouches"):
        await stage.check(offered(stage, EVIL))

    for recovery in (alpha.key, beta.recovery, EVIL_RECOVERY):
        index = stage.force(signed(stage.added(EVIL, [recovery]), EVIL, recovery))
        stage.claim((EVIL, "signing", index))
        with pytest.raises(
            ReceiptInvalid, match=r"not a registered key|no registered key|no recovery key|not a recovery key"
        ):
            await stage.check(offered(stage, EVIL))


@pytest.mark.parametrize("drop", [False, True])
async def test_a_recovery_keys_signature_cannot_be_made_up(stage: Stage, drop: bool) -> None:
    statement = stage.added(EVIL, [stage.alpha.recovery])
    good = signed(statement, EVIL)
    forged = good if drop else good.with_signatures([(stage.alpha.recovery.public.keyid, good.signatures[0][1])])
    stage.claim((EVIL, "signing", stage.force(forged)))
    with pytest.raises(ReceiptInvalid, match="lacks a signature"):
        await stage.check(offered(stage, EVIL))


async def test_a_recovery_key_that_the_operator_added_itself_vouches_for_nothing(stage: Stage) -> None:
    rescue = stage.force(signed(stage.added(EVIL_RECOVERY, [], "recovery"), EVIL_RECOVERY))
    index = stage.force(signed(stage.added(EVIL, [EVIL_RECOVERY]), EVIL, EVIL_RECOVERY))
    stage.claim((EVIL_RECOVERY, "recovery", rescue), (EVIL, "signing", index))
    with pytest.raises(ReceiptInvalid, match="no recovery key vouches"):
        await stage.check(offered(stage, EVIL))


async def test_a_second_registration_of_the_name_and_one_without_its_keys_signatures_are_none(stage: Stage) -> None:
    evil = Person("alpha", [EVIL], [EVIL_RECOVERY])
    statement = stage.builder.speech.party_registered(evil)
    second = stage.force(signed(statement, EVIL, EVIL_RECOVERY))
    stage.claim((EVIL, "signing", second))
    with pytest.raises(ReceiptInvalid, match="not the registration"):
        await stage.check(offered(stage, EVIL))

    unsigned = stage.force(signed(statement | {"nonce": "A" * 22 + "=="}, EVIL))
    stage.claim((EVIL, "signing", unsigned))
    honest = stage.liar.lie
    stage.liar.lie = lambda path, answer: (
        honest(path, answer) | {"index": unsigned} if path == "/v1/parties/alpha" else answer
    )
    with pytest.raises(ReceiptInvalid, match="lacks a signature"):
        await stage.check(offered(stage, EVIL))


async def test_a_statement_from_another_ledger_is_not_said_here(stage: Stage) -> None:
    statement = stage.offer(stage.alpha.key) | {"ledger": "sha256:" + "0" * 64}
    with pytest.raises(ReceiptInvalid, match="another ledger"):
        await stage.check(stage.force(signed(statement, stage.alpha.key)))


async def test_the_operator_speaks_by_the_keys_of_entry_0(stage: Stage) -> None:
    operator = stage.builder.operator
    listing = stage.builder.say(stage.builder.speech.listing_registered(operator), operator.key)
    await stage.client.check_speaker(await stage.client.statement(listing))
    assert parse_entry(stage.builder.entries[-1]).envelope.id == listing
