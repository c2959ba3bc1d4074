"""What version 6 of the rules adds to the tables of fields (docs/statements.md §4, §5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verifier.builder import b64, canonical
from tests.verifier.schema.examples_v2 import HEX, ID, SEALED, example
from verifier.core.errors import CheckFailed, MalformedInput
from verifier.schema.entries import parse_statement
from verifier.schema.templates import read_template
from verifier.schema.versions import verify_fields

MARKING = {"bound": "0.001", "method": "omission", "recipients": 3}
COIN = {"salt": b64(bytes(16)), "value": b64(bytes(32))}
DRAWN = {"prepared": ID, "coin": COIN, "file": 0}


def refusal(statement: dict[str, Any], rules: int = 6) -> tuple[str, str] | None:
    """Return why a statement's fields are refused, and where."""
    try:
        verify_fields(statement["type"], statement, rules)
    except MalformedInput as error:
        return error.reason, error.detail
    assert parse_statement(canonical(statement), rules) == statement
    return None


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, None),
        ({"marks": DRAWN}, None),
        ({"marks": DRAWN | {"retired": [0]}}, None),
        ({"marks": DRAWN | {"retired": list(range(1000))}}, None),
        ({"marks": DRAWN | {"retired": list(range(1001))}}, ("wrong-value", "/marks/retired")),
        ({"marks": DRAWN | {"retired": []}}, ("wrong-value", "/marks/retired")),
        ({"marks": DRAWN | {"retired": [1, 1]}}, ("wrong-value", "/marks/retired")),
        ({"marks": DRAWN | {"retired": [10, 9]}}, ("wrong-value", "/marks/retired")),
        ({"marks": DRAWN | {"retired": [-1]}}, ("wrong-value", "/marks/retired/0")),
        ({"marks": DRAWN | {"retired": ["1"]}}, ("wrong-type", "/marks/retired/0")),
        ({"marks": DRAWN | {"file": -1}}, ("wrong-value", "/marks/file")),
        ({"marks": DRAWN | {"file": True}}, ("wrong-type", "/marks/file")),
        ({"marks": DRAWN | {"prepared": HEX}}, ("wrong-value", "/marks/prepared")),
        ({"marks": DRAWN | {"bound": "0.1"}}, ("unknown-field", "/marks/bound")),
        ({"marks": DRAWN | {"coin": SEALED}}, ("missing-field", "/marks/coin/salt")),
        ({"marks": DRAWN | {"coin": COIN | {"salt": b64(bytes(15))}}}, ("wrong-value", "/marks/coin/salt")),
        ({"marks": DRAWN | {"coin": COIN | {"value": b64(bytes(33))}}}, ("wrong-value", "/marks/coin/value")),
        ({"marks": DRAWN | {"coin": COIN | {"value": "AA"}}}, ("bad-base64", "/marks/coin/value")),
        ({"marks": {"prepared": ID, "coin": COIN}}, ("missing-field", "/marks/file")),
        ({"marks": SEALED}, ("missing-field", "/marks/coin")),
    ],
)
def test_marks_of_an_offer(change: dict[str, Any], refused: tuple[str, str] | None) -> None:
    assert refusal(example("transfer.offered") | change) == refused


@pytest.mark.parametrize(
    ("kind", "change", "refused"),
    [
        ("transfer.prepared", {"method": "omission"}, None),
        ("transfer.prepared", {"method": "tardos"}, None),
        ("transfer.prepared", {"method": "paint"}, ("wrong-value", "/method")),
        ("transfer.prepared", {"recipients": 0}, ("wrong-value", "/recipients")),
        ("transfer.prepared", {"seal": HEX}, ("wrong-type", "/seal")),
        ("transfer.prepared", {"coin": b64(bytes(32))}, ("wrong-type", "/coin")),
        ("transfer.prepared", {"threshold_millibits": 1}, ("unknown-field", "/threshold_millibits")),
        ("transfer.requested", {"coin": SEALED}, ("wrong-type", "/coin")),
        ("transfer.requested", {"coin": b64(bytes(31))}, ("wrong-value", "/coin")),
        ("transfer.requested", {"prepared": None}, ("wrong-type", "/prepared")),
        ("transfer.acknowledged", {"opens": SEALED}, ("wrong-type", "/opens")),
        ("transfer.acknowledged", {"opens": HEX[1:]}, ("wrong-value", "/opens")),
    ],
)
def test_what_goes_before_and_after(kind: str, change: dict[str, Any], refused: tuple[str, str] | None) -> None:
    assert refusal(example(kind) | change) == refused


@pytest.mark.parametrize("kind", ["license.agreed", "license.amended"])
def test_marking_is_agreed_with_consent_or_not_at_all(kind: str) -> None:
    """It stands beside the consent of the same statement; its places cannot be sealed."""
    whole = example(kind) | {"marking_consent": True, "marking": MARKING}
    assert refusal(whole) is None
    assert refusal(whole | {"marking_consent": False}) == ("wrong-value", "/marking")
    alone = {name: value for name, value in whole.items() if name != "marking_consent"}
    assert refusal(alone) == ("wrong-value", "/marking")
    for name in MARKING:
        assert refusal(whole | {"marking": MARKING | {name: SEALED}}) == ("wrong-type", f"/marking/{name}")
        less = {member: value for member, value in MARKING.items() if member != name}
        assert refusal(whole | {"marking": less}) == ("missing-field", f"/marking/{name}")
    assert refusal(whole | {"marking": SEALED}) == ("missing-field", "/marking/bound")
    assert refusal(whole, 5) == ("unknown-field", "/marking")


def test_an_amendment_may_say_marking_and_consent_alone() -> None:
    whole = example("license.amended")
    common = {name: value for name, value in whole.items() if name in {"type", "issuer", "signers", "nonce", "ledger"}}
    common |= {"issued_ms": whole["issued_ms"], "not_after_ms": whole["not_after_ms"], "license": ID}
    assert refusal(common | {"marking_consent": True, "marking": MARKING}) is None
    assert refusal(common | {"marking": MARKING}) == ("wrong-value", "/marking")
    assert refusal(common) == ("missing-field", "")


@pytest.mark.parametrize("rules", range(1, 6))
def test_earlier_versions_know_none_of_it(rules: int) -> None:
    assert refusal(example("transfer.acknowledged"), rules) == ("unknown-field", "/opens")
    for kind in ("transfer.prepared", "transfer.requested"):
        with pytest.raises(CheckFailed) as caught:
            parse_statement(canonical(example(kind)), rules)
        assert caught.value.failure.reason == "unknown-type"


@pytest.mark.parametrize("left_out", [(), ("seen",)])
def test_an_acknowledgement_says_what_it_opens(left_out: tuple[str, ...]) -> None:
    """Since version 6 and always; the template reads what the tables read, byte by byte, or nothing."""
    whole = {name: value for name, value in example("transfer.acknowledged").items() if name not in left_out}
    plain = {name: value for name, value in whole.items() if name != "opens"}
    assert (refusal(plain), refusal(whole)) == (("missing-field", "/opens"), None)
    assert [read_template(canonical(whole), rules) for rules in range(1, 7)] == [None] * 5 + [whole]
    assert [read_template(canonical(plain), rules) for rules in range(1, 7)] == [plain] * 5 + [None]
    payload = canonical(whole)
    for at in range(len(payload)):
        for byte in b'"\\0Ag{ ':
            changed = payload[:at] + bytes([byte]) + payload[at + 1 :]
            template = read_template(changed, 6)
            assert template is None or (canonical(template) == changed and refusal(template) is None)
