"""The Dataspace Protocol's ids are read from its messages, and no token of a connector reaches the ledger."""

from __future__ import annotations

import json

import pytest

from ledger.core.encoding import Json
from ledger.party.interop.dsp import from_transfer
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.odrl import import_terms

CONTEXT_URL = "https://w3id.org/dspace/2025/1/context.jsonld"
LISTING = "sha256:" + "a" * 64
PIDS = {"providerPid": "urn:uuid:provider", "consumerPid": "urn:uuid:consumer"}
PERMISSION = [
    {
        "action": "use",
        "constraint": [{"leftOperand": "dateTime", "operator": "lteq", "rightOperand": "2026-12-31T06:00Z"}],
    }
]
AGREED: dict[str, Json] = {
    "@context": [CONTEXT_URL],
    "@type": "ContractAgreementMessage",
    **PIDS,
    "callbackAddress": "https://connector.example/callback",
    "agreement": {
        "@id": "urn:uuid:agreement",
        "@type": "Agreement",
        "assignee": "did:web:consumer.example",
        "assigner": "did:web:provider.example",
        "permission": PERMISSION,
        "target": "urn:uuid:dataset",
        "timestamp": "2026-01-01T01:00:00Z",
    },
}
REQUEST: dict[str, Json] = {
    "@context": [CONTEXT_URL],
    "@type": "TransferRequestMessage",
    "agreementId": "urn:uuid:agreement",
    "callbackAddress": "https://connector.example/callback",
    "consumerPid": "urn:uuid:consumer",
    "dataAddress": {"endpointProperties": [{"name": "authorization", "value": "TOKEN-ABC"}]},
    "format": "example:HTTP_PUSH",
}
DSP = {"agreement": "urn:uuid:agreement", "consumer_pid": "urn:uuid:consumer", "provider_pid": "urn:uuid:provider"}


def test_an_agreement_becomes_the_terms_of_a_license() -> None:
    policy = AGREED["agreement"] | {"@context": AGREED["@context"]}
    terms = import_terms(policy, listing=LISTING, licensor="alpha", licensee="beta").terms
    assert terms["uid"] == "urn:uuid:agreement"


def test_our_own_action_keeps_its_meaning_in_the_protocols_context() -> None:
    terms = AGREED["agreement"] | {"prohibition": [{"action": "urn:provenance-ledger:odrl-profile:1#train"}]}
    back = import_terms(terms, listing=LISTING, licensor="alpha", licensee="beta").terms
    assert back["prohibition"] == [{"action": "train"}]


def test_a_transfer_request_becomes_a_reference_without_its_token() -> None:
    requested = from_transfer(REQUEST)
    assert requested.dsp == {"agreement": "urn:uuid:agreement", "consumer_pid": "urn:uuid:consumer"}
    assert "TOKEN" not in json.dumps(requested.dsp)
    assert {item.name for item in requested.left} == {"callbackAddress", "dataAddress", "format"}


@pytest.mark.parametrize(
    "spelling",
    [
        {"dspace:providerPid": "urn:uuid:provider", "dspace:consumerPid": {"@id": "urn:uuid:consumer"}},
        {f"https://w3id.org/dspace/v0.8/{name}": {"@value": value} for name, value in PIDS.items()},
        PIDS | {"@type": "TransferProcess", "state": "STARTED"},
    ],
)
def test_older_spellings_and_other_messages_name_the_same(spelling: Json) -> None:
    assert from_transfer(spelling).dsp == {name: DSP[name] for name in ("consumer_pid", "provider_pid")}


@pytest.mark.parametrize("message", [[], {}, {"agreement": {}}, {"agreement": {"@id": "x"}}, {"agreement": "x"}])
def test_what_is_about_no_transfer_is_refused(message: Json) -> None:
    with pytest.raises(NotUnderstood):
        from_transfer(message)
