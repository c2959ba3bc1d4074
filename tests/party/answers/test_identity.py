"""Who a party says it is: nothing, something sealed, or a certificate that signs its keys."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from ledger.core.encoding import b64decode
from ledger.party.acts import enrolment
from ledger.party.acts.enrolment import Claimed
from ledger.party.client.client import LedgerClient
from ledger.party.errors import NeedsRules, Unfit
from ledger.party.keys.certificates import Certified
from ledger.party.speaking.drafts import format_draft, parse_draft
from ledger.party.vault.vault import Vault
from ledger.statements.fields import Sealed
from ledger.statements.parse import NEWEST_RULES
from ledger.statements.party import PartyRegistered
from tests.harness.builder import LedgerBuilder
from tests.harness.people import person
from tests.party.answers.liar import Liar, serving
from tests.party.keys.test_certificates import ROOT, certificate

ALPHA = person("alpha")
SAID = {"legal_name": "Secret plc", "registration": {"authority": "Companies House", "number": "0815"}}
SEALED = Claimed(SAID, seal=["/identity/legal_name", "/identity/registration/number"])


@pytest.fixture(params=[{"rules": NEWEST_RULES}])
async def liar(request: pytest.FixtureRequest) -> AsyncIterator[Liar]:
    async with serving(LedgerBuilder(**request.param)) as server:
        yield server


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "home")


@pytest.fixture
async def client(liar: Liar, vault: Vault) -> AsyncIterator[LedgerClient]:
    async with LedgerClient(liar.url, liar.policy, vault) as client:
        yield client


async def test_an_identity_is_sealed_in_parts_and_either_key_opens_it(
    client: LedgerClient, liar: Liar, vault: Vault
) -> None:
    recorded = await enrolment.register(
        client, "alpha", ALPHA.key, ALPHA.recovery, lambda: liar.builder.now_ms, claimed=SEALED
    )
    statement = recorded.statement
    assert isinstance(statement, PartyRegistered)
    assert statement.identity is not None
    assert not isinstance(statement.identity, Sealed)
    assert isinstance(statement.identity.legal_name, Sealed)
    assert b"Secret plc" not in recorded.entry.raw
    for key in (ALPHA.recovery, ALPHA.key):
        found = {item.pointer: item.value for item in vault.locker(key).disclosures(recorded.statement_id)}
        assert found == {"/identity/legal_name": "Secret plc", "/identity/registration/number": "0815"}


async def test_why_a_key_ended_may_be_sealed_by_the_recovery_key(
    client: LedgerClient, liar: Liar, vault: Vault
) -> None:
    def now() -> int:
        return liar.builder.now_ms

    await enrolment.register(client, "alpha", ALPHA.key, ALPHA.recovery, now)
    keyid = ALPHA.key.public.keyid
    reason = {"reason": "secret theft", "seal": ["/reason"]}
    ended = await enrolment.revoke_key(client, "alpha", keyid, [ALPHA.recovery], now, **reason)  # type: ignore[arg-type]
    assert b"secret theft" not in ended.entry.raw
    (kept,) = vault.locker(ALPHA.recovery).disclosures(ended.statement_id)
    assert (kept.pointer, kept.value) == ("/reason", "secret theft")


async def test_who_says_nothing_is_pseudonymous(client: LedgerClient, liar: Liar) -> None:
    recorded = await enrolment.register(client, "alpha", ALPHA.key, ALPHA.recovery, lambda: liar.builder.now_ms)
    assert "identity" not in json.loads(recorded.entry.envelope.payload)


async def test_a_seal_that_nobody_could_open_is_not_made(liar: Liar) -> None:
    async with LedgerClient(liar.url, liar.policy) as client:
        with pytest.raises(Unfit, match="no vault"):
            await enrolment.register(
                client, "alpha", ALPHA.key, ALPHA.recovery, lambda: liar.builder.now_ms, claimed=SEALED
            )
    assert liar.builder.size == 1


@pytest.mark.parametrize("liar", [{"rules": 1}], indirect=True)
async def test_version_1_knows_no_identity(client: LedgerClient, liar: Liar) -> None:
    with pytest.raises(NeedsRules, match="/identity"):
        await enrolment.register(
            client, "alpha", ALPHA.key, ALPHA.recovery, lambda: liar.builder.now_ms, claimed=Claimed(SAID)
        )


@pytest.mark.parametrize("liar", [{"rules": NEWEST_RULES, "admission": "operator"}], indirect=True)
async def test_the_operator_sees_what_it_countersigns(client: LedgerClient, liar: Liar) -> None:
    def now() -> int:
        return liar.builder.now_ms

    drafted = await enrolment.draft(client, "alpha", ALPHA.key, ALPHA.recovery, now, claimed=SEALED)
    arrived = parse_draft(format_draft(drafted))
    operator = liar.builder.operator.key
    shown = await enrolment.review(client, arrived, [operator.public.keyid], now)
    assert isinstance(shown, PartyRegistered)
    assert "Secret plc" in str(shown.identity)
    recorded = await enrolment.admit(client, arrived, [operator], now)
    assert b"Secret plc" not in recorded.entry.raw


async def test_a_certificate_signs_the_name_and_the_signing_keys(client: LedgerClient, liar: Liar) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    certified = Certified([certificate("Alpha plc", key), certificate("Root", ROOT)], key)
    liar.builder.register(person("beta"))
    recorded = await enrolment.register(
        client, "alpha", ALPHA.key, ALPHA.recovery, lambda: liar.builder.now_ms, claimed=Claimed(certified=certified)
    )
    statement = json.loads(recorded.entry.envelope.payload)
    evidence = statement["identity"]["certificates"]
    message = f"provenance-ledger/identity/v1\n{liar.builder.id}\nalpha\n{ALPHA.key.public.keyid}\n"
    key.public_key().verify(b64decode(evidence["signature"]), message.encode())
    with pytest.raises(Unfit, match="and not now"):
        await enrolment.register(
            client, "gamma", ALPHA.key, ALPHA.recovery, lambda: 1000, claimed=Claimed(certified=certified)
        )
