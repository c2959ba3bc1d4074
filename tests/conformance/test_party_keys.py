"""Keys of parties, good and malformed, under every version of the rules: both readings say the same of each."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from ledger.core.encoding import canonical
from ledger.core.errors import FormatError
from ledger.core.keys import LastingKey, SigningKey
from ledger.statements.parse import STATEMENTS
from ledger.statements.parse import parse_statement as parse_here
from verifier.core.errors import CheckFailed
from verifier.schema.entries import parse_statement as parse_there

SHORT, OTHER_SHORT = (SigningKey(bytes([n]) * 32).public.document() for n in (1, 2))
LONG, OTHER_LONG = (LastingKey(bytes([n]) * 32).public.document() for n in (1, 2))
COMMON = {
    "issuer": "alpha.test",
    "issued_ms": 1,
    "ledger": "sha256:" + "0" * 64,
    "nonce": b64encode(bytes(16)).decode(),
    "not_after_ms": 2,
    "signers": ["0" * 64],
}
KEYS: dict[str, Any] = {
    "Ed25519": SHORT,
    "ML-DSA-44": LONG,
    "one member more": LONG | {"x": 1},
    "a member too few": {"alg": "ml-dsa-44"},
    "no algorithm": {"public_key": LONG["public_key"]},
    "the name of the other": LONG | {"alg": "ed25519"},
    "the key of the other": SHORT | {"alg": "ml-dsa-44"},
    "an unknown algorithm": LONG | {"alg": "ML-DSA-44"},
    "a number for an algorithm": SHORT | {"alg": 5},
    "a list for an algorithm": LONG | {"alg": ["ml-dsa-44"]},
    "a number for a key": LONG | {"public_key": 3},
    "one byte short": LONG | {"public_key": b64encode(bytes(1311)).decode()},
    "all zero": LONG | {"public_key": b64encode(bytes(1312)).decode()},
    "weak": SHORT | {"public_key": b64encode(bytes(32)).decode()},
    "no base64": LONG | {"public_key": "!!"},
    "two faults": LONG | {"public_key": "!!", "x": 1},
    "null": None,
    "a list": [],
}


def reasons(statement: dict[str, Any], rules: int) -> tuple[str, str]:
    """Return what each reading says of a statement's form: a reason, or nothing."""
    payload, here, there = canonical(statement), "", ""
    try:
        parse_here(payload, rules)
    except FormatError as error:
        here = error.reason
    try:
        parse_there(payload, rules)
    except CheckFailed as error:
        there = error.failure.reason
    return here, there


@pytest.mark.parametrize("rules", STATEMENTS)
@pytest.mark.parametrize("name", KEYS)
def test_both_read_a_key_alike(name: str, rules: int) -> None:
    key = KEYS[name]
    added = COMMON | {"type": "party.key_added", "key": key, "use": "recovery"}
    good = {"Ed25519"} | ({"ML-DSA-44", "all zero"} if rules >= 5 else set())
    here, there = reasons(added, rules)
    assert (here == there, not here) == (True, name in good), (here, there)
    for other in (OTHER_SHORT, OTHER_LONG, LONG):
        for keys, recovery in (([key], [other]), ([other, key], [OTHER_SHORT]), ([OTHER_SHORT], [key, key])):
            here, there = reasons(COMMON | {"type": "party.registered", "keys": keys, "recovery_keys": recovery}, rules)
            assert here == there
