"""The tables of fields of version 4 of the rules (docs/statements.md §11): the log's keys may change."""

from __future__ import annotations

from verifier.core.errors import MalformedInput
from verifier.core.jcs import Json
from verifier.core.notes import TYPE_ED25519, TYPE_MLDSA44, parse_vkey
from verifier.schema.checks import Fault
from verifier.schema.v3 import OWN_FIELDS as VERSION_3


def _log_key(value: Json) -> None:
    if type(value) is not str:
        raise Fault("wrong-type")
    try:
        if parse_vkey(value).kind not in (TYPE_ED25519, TYPE_MLDSA44):
            raise Fault("wrong-value")
    except MalformedInput as error:
        raise Fault("weak-key" if error.reason == "weak-key" else "wrong-value") from None


OWN_FIELDS = VERSION_3 | {
    "ledger.log_key_added": {"log_key": _log_key},
    "ledger.log_key_retired": {"log_key": _log_key},
}
"""The fields that each type has beside the common ones."""
