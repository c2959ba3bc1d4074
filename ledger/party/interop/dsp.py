"""The Dataspace Protocol's messages (2025-1) about a transfer to its `dsp` field.

The ids map one to one. Where data are fetched, and with which token, is between the connectors and goes on no ledger.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.core.encoding import Json
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.foreign import Left

_PIDS = {"consumer_pid": "consumerPid", "provider_pid": "providerPid"}
_BETWEEN_CONNECTORS = frozenset({"callbackAddress", "dataAddress"})


class Requested(NamedTuple):
    """A transfer request: the `dsp` field of a transfer, and what of the message is not told to the ledger."""

    dsp: dict[str, Json]
    left: list[Left]


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


def _pids(document: dict[str, Json]) -> dict[str, Json]:
    found = {name: _text(_member(document, spelt)) for name, spelt in _PIDS.items()}
    return {name: text for name, text in found.items() if text}


def _left(document: dict[str, Json], used: set[str]) -> list[Left]:
    names = [name for name in document if not name.startswith("@") and _local(name) not in used]
    return [
        Left(f"/{name}", name, "it may hold a token" if _local(name) in _BETWEEN_CONNECTORS else "no field has it")
        for name in names
    ]
