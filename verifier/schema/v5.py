"""The tables of fields of version 5 of the rules (docs/format.md §3.1): parties may have keys of ML-DSA-44."""

from __future__ import annotations

from verifier.schema.checks import MAX_KEYS, list_of, party_key
from verifier.schema.v4 import OWN_FIELDS as VERSION_4

_KEYS = {"keys": list_of(party_key, MAX_KEYS), "recovery_keys": list_of(party_key, MAX_KEYS)}

OWN_FIELDS = VERSION_4 | {
    "ledger.created": VERSION_4["ledger.created"] | _KEYS,
    "party.registered": VERSION_4["party.registered"] | _KEYS,
    "party.key_added": VERSION_4["party.key_added"] | {"key": party_key},
}
"""The fields that each type has beside the common ones."""
