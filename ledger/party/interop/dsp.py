"""The Dataspace Protocol's messages (2025-1) to the `dsp` fields of licenses and transfers, and back.

The ids map one to one. Where data are fetched, and with which token, is between the connectors and goes on no ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ledger.core.encoding import Json
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.foreign import Left
from ledger.party.interop.words import format_ms
from ledger.statements.vocabulary import PROFILE

CONTEXT_URL = "https://w3id.org/dspace/2025/1/context.jsonld"

_PIDS = {"consumer_pid": "consumerPid", "provider_pid": "providerPid"}
_RULES = ("permission", "prohibition", "obligation")
_BETWEEN_CONNECTORS = frozenset({"callbackAddress", "dataAddress"})


class Agreed(NamedTuple):
    """A contract agreement: the `dsp` field of a license, and its policy, for `odrl.import_terms`."""

    dsp: dict[str, Json]
    policy: dict[str, Json]
    left: list[Left]


class Requested(NamedTuple):
    """A transfer request: the `dsp` field of a transfer, and what of the message is not told to the ledger."""

    dsp: dict[str, Json]
    left: list[Left]


def from_agreement(message: Json) -> Agreed:
    """Read a ContractAgreementMessage, or the Agreement alone; raise NotUnderstood."""
    document = _object(message, "a ContractAgreementMessage")
    inner = _member(document, "agreement")
    agreement = _object(inner, "an Agreement") if inner is not None else document
    agreement_id = _id(agreement)
    if not agreement_id or not any(_member(agreement, name) is not None for name in _RULES):
        raise NotUnderstood("an Agreement has an @id and rules")
    dsp = {"agreement": agreement_id} | _pids(document)
    policy = agreement | ({"@context": document["@context"]} if "@context" in document else {})
    left = [] if inner is None else _left(document, {"agreement", *_PIDS.values()})
    return Agreed(dsp, policy, left)


def from_transfer(message: Json) -> Requested:
    """Read a TransferRequestMessage, or a TransferProcess, which names both sides; raise NotUnderstood."""
    document = _object(message, "a TransferRequestMessage")
    dsp = _pids(document)
    agreement = _text(_member(document, "agreementId"))
    if agreement:
        dsp["agreement"] = agreement
    if not dsp:
        raise NotUnderstood("a message about a transfer names an agreement or a process")
    return Requested(dsp, _left(document, {"agreementId", *_PIDS.values()}))


def to_agreement(license_fields: Mapping[str, Json], time_ms: int) -> dict[str, Json]:
    """Return the ContractAgreementMessage of a license under version 2; `time_ms` is its entry's time.

    Raises NotUnderstood where its `dsp` field is absent, sealed, or names no agreement.
    """
    dsp, terms = _dsp(license_fields), license_fields["terms"]
    if "agreement" not in dsp:
        raise NotUnderstood("the license names no agreement of the Dataspace Protocol", "/dsp/agreement")
    agreement = {
        "@id": dsp["agreement"],
        "@type": "Agreement",
        "assignee": terms["assignee"],
        "assigner": terms["assigner"],
        "profile": PROFILE,
        "target": terms["target"],
        "timestamp": format_ms(time_ms),
        **{name: _spelt_out(terms[name]) for name in _RULES if name in terms},
    }
    pids = {spelt: dsp[name] for name, spelt in _PIDS.items() if name in dsp}
    return {"@context": [CONTEXT_URL], "@type": "ContractAgreementMessage", **pids, "agreement": agreement}


def to_transfer_request(transfer_fields: Mapping[str, Json], *, form: str, callback: str) -> dict[str, Json]:
    """Return the TransferRequestMessage that a transfer answered; `form` and `callback` are the connector's own.

    Raises NotUnderstood where its `dsp` field is absent, sealed, or lacks the agreement or the consumer's process.
    """
    dsp = _dsp(transfer_fields)
    missing = [name for name in ("agreement", "consumer_pid") if name not in dsp]
    if missing:
        raise NotUnderstood(f"the transfer names no {missing[0]}", f"/dsp/{missing[0]}")
    return {
        "@context": [CONTEXT_URL],
        "@type": "TransferRequestMessage",
        "agreementId": dsp["agreement"],
        "callbackAddress": callback,
        "consumerPid": dsp["consumer_pid"],
        "format": form,
    }


def _dsp(fields: Mapping[str, Json]) -> dict[str, Json]:
    dsp = fields.get("dsp")
    if not isinstance(dsp, dict) or "sealed" in dsp:
        raise NotUnderstood("it has no open dsp field", "/dsp")
    for name, value in dsp.items():
        if not isinstance(value, str):
            raise NotUnderstood("it is sealed", f"/dsp/{name}")
    return dsp


def _spelt_out(value: Json) -> Json:
    """Return rules with the profile's own action as an IRI, which the protocol's context does not know."""
    if isinstance(value, list):
        return [_spelt_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: f"{PROFILE}#train" if (name, item) == ("action", "train") else _spelt_out(item)
        for name, item in value.items()
    }


def _object(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise NotUnderstood(f"{what} was expected")
    return value


def _local(name: str) -> str:
    """Return a member's name without a prefix or the address of its vocabulary, as older versions write it."""
    return name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _member(document: dict[str, Json], name: str) -> Json:
    return next((value for spelt, value in document.items() if _local(spelt) == name), None)


def _text(value: Json) -> str:
    found = value.get("@id", value.get("@value", "")) if isinstance(value, dict) else value
    return found if isinstance(found, str) else ""


def _id(document: dict[str, Json]) -> str:
    return _text(document.get("@id", document.get("uid", "")))


def _pids(document: dict[str, Json]) -> dict[str, Json]:
    found = {name: _text(_member(document, spelt)) for name, spelt in _PIDS.items()}
    return {name: text for name, text in found.items() if text}


def _left(document: dict[str, Json], used: set[str]) -> list[Left]:
    names = [name for name in document if not name.startswith("@") and _local(name) not in used]
    return [
        Left(f"/{name}", name, "it may hold a token" if _local(name) in _BETWEEN_CONNECTORS else "no field has it")
        for name in names
    ]
