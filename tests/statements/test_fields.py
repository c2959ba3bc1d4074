"""Every field of every type: what fits, and what is refused for which reason at which place (§5, §6, §9.2–9.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.encoding import Json, b64encode, canonical, parse_json
from ledger.core.errors import FormatError, LedgerError
from ledger.core.note import COSIGNATURE_TYPE, ED25519_TYPE, NoteKey
from ledger.statements.parse import STATEMENTS, parse_statement
from tests.harness import edwards
from tests.harness.people import key, person
from tests.harness.speech import DAY_MS, START_MS, Speech, created, documents

OPERATOR, ALICE, BOB = person("operator"), person("alice"), person("bob.example")
SPEECH = Speech("sha256:" + "11" * 32)
ID = "sha256:" + "22" * 32
PREDECESSOR = {"ledger": ID, "root": "33" * 32, "size": 7}
SEEN = {"root": "44" * 32, "size": 3}
GOOD: dict[str, Json] = {
    "ledger.created": created(OPERATOR, "log.example", key("log"), key("service"), predecessor=PREDECESSOR),
    "ledger.rules_changed": SPEECH.rules_changed(OPERATOR, 2),
    "party.registered": SPEECH.party_registered(ALICE, OPERATOR),
    "party.key_added": SPEECH.key_added(ALICE, key("new")),
    "party.key_revoked": SPEECH.key_revoked(ALICE, ALICE.key, compromised_since_ms=0, reason="lost\nphone"),
    "listing.registered": SPEECH.listing_registered(ALICE, "Flughäfen 😀", description="a\nb", seen=SEEN),
    "listing.withdrawn": SPEECH.listing_withdrawn(ALICE, ID, reason="x" * 1000),
    "license.agreed": SPEECH.license_agreed(ALICE, BOB, ID),
    "license.ended": SPEECH.license_ended(BOB, ID, reason="😀" * 1000),
    "transfer.offered": SPEECH.transfer_offered(ALICE, BOB, ID, ID),
    "transfer.acknowledged": SPEECH.transfer_acknowledged(BOB, ID),
    "transfer.refused": SPEECH.transfer_refused(BOB, ID, content={"sealed": "55" * 32}),
}
"""One good statement of each type, with every optional field."""
OPTIONAL = {
    "/predecessor", "/compromised_since_ms", "/reason", "/description", "/seen", "/terms/text", "/license", "/content",
}  # fmt: skip


def copy(kind: str) -> Any:
    return parse_json(canonical(GOOD[kind]))


def place(statement: Any, pointer: str) -> tuple[Any, Any]:
    """Return the container and the name or position of what a pointer names."""
    *parents, last = pointer.removeprefix("/").split("/")
    for name in parents:
        statement = statement[int(name) if isinstance(statement, list) else name]
    return statement, int(last) if isinstance(statement, list) else last


def refusal(statement: Json) -> tuple[str, str]:
    with pytest.raises(FormatError) as caught:
        parse_statement(canonical(statement), 1)
    return caught.value.reason, caught.value.field


def pointers(value: Json, prefix: str = "") -> list[str]:
    """Return the pointer of everything in a statement."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for name, member in items:
        found += [f"{prefix}/{name}", *pointers(member, f"{prefix}/{name}")]
    return found


PLACES = [(kind, pointer) for kind, statement in GOOD.items() for pointer in pointers(statement)]
MEMBERS = [(kind, pointer) for kind, pointer in PLACES if not pointer.rpartition("/")[2].isdigit()]


def is_optional(kind: str, pointer: str) -> bool:
    if pointer == "/content":
        return kind == "transfer.refused"
    if pointer == "/reason":
        return kind != "transfer.refused"
    return pointer in OPTIONAL and (pointer, kind) != ("/license", "license.ended")


def test_every_type_has_a_good_statement() -> None:
    assert list(GOOD) == sorted(GOOD, key=list(GOOD).index)
    assert set(GOOD) == set(STATEMENTS[1])


@pytest.mark.parametrize("kind", GOOD)
def test_good(kind: str) -> None:
    assert parse_statement(canonical(GOOD[kind]), 1).type == kind


@pytest.mark.parametrize(("kind", "pointer"), MEMBERS)
def test_missing(kind: str, pointer: str) -> None:
    """Every member but the optional ones must be there."""
    statement = copy(kind)
    container, name = place(statement, pointer)
    del container[name]
    if is_optional(kind, pointer):
        assert parse_statement(canonical(statement), 1).type == kind
    else:
        assert refusal(statement) == ("missing-field", pointer)


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize(
    ("name", "escaped"), [("comment", "comment"), ("", ""), ("Type", "Type"), ("a/b~c", "a~1b~0c")]
)
def test_unknown(kind: str, name: str, escaped: str) -> None:
    statement = copy(kind)
    statement[name] = None
    assert refusal(statement) == ("unknown-field", f"/{escaped}")


@pytest.mark.parametrize(("kind", "pointer"), [item for item in PLACES if item[1] != "/type"])
def test_unknown_within(kind: str, pointer: str) -> None:
    """Objects at any depth are closed."""
    statement = copy(kind)
    container, name = place(statement, pointer)
    if not isinstance(container[name], dict):
        return
    container[name]["comment"] = 1
    assert refusal(statement) == ("unknown-field", f"{pointer}/comment")


@pytest.mark.parametrize("wrong", [None, True, 7, "text", [], {}], ids=repr)
@pytest.mark.parametrize(("kind", "pointer"), [item for item in PLACES if item[1] != "/type"])
def test_wrong_type(kind: str, pointer: str, wrong: Json) -> None:
    """Anything of another JSON type is refused where it stands; null is never a way to leave a field out."""
    statement = copy(kind)
    container, name = place(statement, pointer)
    if type(container[name]) is type(wrong):
        return
    container[name] = wrong
    assert refusal(statement) == ("wrong-type", pointer)


NAMES = ["", ".", "a.", ".a", "a..b", "-a", "a-", "A", "a_b", "a b", "é", "a\n", "a" * 64, "a." * 64 + "a", "xn--é"]
IDS = ["", "sha256:", "11" * 32, "sha256:" + "1" * 63, "sha256:" + "1" * 65, "sha256:" + "AB" * 32, "md5:" + "1" * 64]
HEX = ["", "1" * 63, "1" * 65, "AB" * 32, "1" * 63 + "\n", "g" * 64, "1" * 64 + "\n"]
TIMES = [-1, -(2**53) + 1]
LINES = ["", "a\nb", "\n"]
WORDS = [[], ["b", "a"], ["a", "a"], ["a\n"], [""], ["x" * 201], [f"{n:03}" for n in range(65)]]
WEAK = [b64encode(edwards.encode(point)) for point in edwards.torsion()]
VALUES: list[tuple[str, str, list[Json], str]] = [
    ("listing.registered", "/issuer", NAMES, "wrong-value"),
    ("listing.registered", "/ledger", IDS, "wrong-value"),
    ("listing.registered", "/issued_ms", TIMES, "wrong-value"),
    ("listing.registered", "/not_after_ms", TIMES, "wrong-value"),
    (
        "listing.registered",
        "/not_after_ms",
        [0, START_MS - 1, START_MS + 90 * DAY_MS + 1, 2**53 - 1],
        "lifetime-too-long",
    ),
    ("listing.registered", "/nonce", ["*", "AA=", "AAAAAAAAAAAAAAAAAAAAAB==", "A" * 22, "\n", "é"], "bad-base64"),
    ("listing.registered", "/nonce", ["", b64encode(bytes(15)), b64encode(bytes(17))], "wrong-value"),
    ("listing.registered", "/signers", [[], ["2" * 64, "1" * 64], ["1" * 64] * 2], "wrong-value"),
    ("listing.registered", "/signers", [[f"{n:064x}" for n in range(17)]], "wrong-value"),
    ("listing.registered", "/signers/0", HEX, "wrong-value"),
    ("listing.registered", "/seen/size", [0, -1], "wrong-value"),
    ("listing.registered", "/seen/root", HEX, "wrong-value"),
    ("listing.registered", "/title", [*LINES, "x" * 301], "wrong-value"),
    ("listing.registered", "/description", ["", "x" * 4001], "wrong-value"),
    ("listing.registered", "/content/sealed", HEX, "wrong-value"),
    ("listing.withdrawn", "/listing", IDS, "wrong-value"),
    ("listing.withdrawn", "/reason", ["", "x" * 1001], "wrong-value"),
    ("license.agreed", "/listing", IDS, "wrong-value"),
    ("license.agreed", "/licensee", NAMES, "wrong-value"),
    ("license.agreed", "/terms/purposes", [[], ["x"] * 21], "wrong-value"),
    ("license.agreed", "/terms/purposes/0", [*LINES, "x" * 201], "wrong-value"),
    ("license.agreed", "/terms/text/bytes", [0, -1], "wrong-value"),
    (
        "license.agreed",
        "/terms/text/media_type",
        ["", "a", "a/", "/a", "A/b", "a/b/c", "a/b;c=d", "a /b"],
        "wrong-value",
    ),
    ("license.agreed", "/terms/text/media_type", ["a/" + "b" * 126, "a/b\n", "é/a"], "wrong-value"),
    ("license.agreed", "/terms/text/sha256", HEX, "wrong-value"),
    ("license.agreed", "/terms/valid_until_ms", [0, START_MS - 1, START_MS], "wrong-value"),
    ("license.ended", "/license", IDS, "wrong-value"),
    ("transfer.offered", "/listing", IDS, "wrong-value"),
    ("transfer.offered", "/license", IDS, "wrong-value"),
    ("transfer.offered", "/recipient", NAMES, "wrong-value"),
    ("transfer.acknowledged", "/transfer", IDS, "wrong-value"),
    ("transfer.refused", "/transfer", IDS, "wrong-value"),
    ("transfer.refused", "/reason", ["", "x" * 1001], "wrong-value"),
    ("party.key_added", "/use", ["", "Signing", "log"], "wrong-value"),
    ("party.key_added", "/key/alg", ["", "Ed25519", "ml-dsa-44"], "wrong-value"),
    ("party.key_added", "/key/public_key", ["", b64encode(bytes(31)), b64encode(bytes(33))], "wrong-value"),
    ("party.key_added", "/key/public_key", ["*", "AAB=", b64encode(bytes(32))[:-1]], "bad-base64"),
    (
        "party.key_added",
        "/key/public_key",
        WEAK,
        "weak-key",
    ),
    ("party.key_added", "/key/public_key", [b64encode(b"\xff" * 32), b64encode(b"\x02" + bytes(31))], "weak-key"),
    ("party.key_revoked", "/keyid", HEX, "wrong-value"),
    ("party.key_revoked", "/compromised_since_ms", TIMES, "wrong-value"),
    ("party.registered", "/keys", [[]], "wrong-value"),
    ("party.registered", "/keys", [documents(key(str(n)) for n in range(9))], "wrong-value"),
    ("party.registered", "/recovery_keys", [[], documents(ALICE.keys), documents([key("x")] * 2)], "wrong-value"),
    ("ledger.created", "/origin", ["", "a b", "a+b", "é", "a" * 256, "a\n"], "wrong-value"),
    ("ledger.created", "/admission", ["", "closed"], "wrong-value"),
    ("ledger.created", "/relation", ["", "x" * 1001], "wrong-value"),
    ("ledger.created", "/rules", [0, -1], "wrong-value"),
    ("ledger.created", "/log_keys", [[], ["a"] * 9, ["nonsense"]], "wrong-value"),
    ("ledger.created", "/predecessor/size", [0], "wrong-value"),
    ("ledger.created", "/predecessor/ledger", IDS, "wrong-value"),
    ("ledger.created", "/predecessor/root", HEX, "wrong-value"),
    ("ledger.rules_changed", "/rules", [1, 0, -1], "wrong-value"),
    ("ledger.rules_changed", "/payload_types", WORDS[:3] + WORDS[6:], "wrong-value"),
    ("ledger.rules_changed", "/statement_types", WORDS[:3] + WORDS[6:], "wrong-value"),
    ("ledger.rules_changed", "/signature_forms", WORDS[:3] + WORDS[6:], "wrong-value"),
    ("ledger.rules_changed", "/signature_forms/0", [*LINES, "x" * 201], "wrong-value"),
]
CASES = [(kind, pointer, value, reason) for kind, pointer, values, reason in VALUES for value in values]


@pytest.mark.parametrize(("kind", "pointer", "value", "reason"), CASES)
def test_wrong_value(kind: str, pointer: str, value: Json, reason: str) -> None:
    statement = copy(kind)
    container, name = place(statement, pointer)
    container[name] = value
    assert refusal(statement) == (reason, pointer)


@pytest.mark.parametrize(
    ("kind", "pointer", "value"),
    [
        ("listing.registered", "/issuer", "a"),
        ("listing.registered", "/issuer", "a" * 63 + "." + "b" * 63),
        ("listing.registered", "/issuer", "0.a--b.c-d"),
        ("listing.registered", "/not_after_ms", START_MS),
        ("listing.registered", "/not_after_ms", START_MS + 90 * DAY_MS),
        ("listing.registered", "/signers", [f"{n:064x}" for n in range(16)]),
        ("listing.registered", "/title", "😀" * 300),
        ("listing.registered", "/title", " "),
        ("listing.registered", "/title", "a\u2028b"),
        ("listing.registered", "/description", "\n" * 4000),
        ("license.agreed", "/terms/valid_until_ms", START_MS + 1),
        ("license.agreed", "/terms/purposes", ["same", "same"]),
        ("license.agreed", "/terms/text/media_type", "a/" + "b" * 125),
        ("party.registered", "/keys", documents(key(str(n)) for n in range(8))),
        ("ledger.created", "/rules", 2**53 - 1),
        ("ledger.rules_changed", "/signature_forms", [f"{n:03}" for n in range(64)]),
    ],
)
def test_the_last_good_value(kind: str, pointer: str, value: Json) -> None:
    """Limits are where the format says, not one before."""
    statement = copy(kind)
    container, name = place(statement, pointer)
    container[name] = value
    assert parse_statement(canonical(statement), 1).type == kind


LOG, SERVICE = key("log"), key("service")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_key": LOG.public.document()}, "/recovery_keys"),
        ({"service_key": OPERATOR.key.public.document()}, "/recovery_keys"),
        ({"keys": documents([LOG])}, "/recovery_keys"),
        ({"log_keys": [NoteKey("log.example", ED25519_TYPE, LOG.public.raw).vkey()] * 2}, "/recovery_keys"),
        ({"log_keys": [NoteKey("another.example", ED25519_TYPE, LOG.public.raw).vkey()]}, "/log_keys"),
        ({"log_keys": [NoteKey("log.example", COSIGNATURE_TYPE, LOG.public.raw).vkey()]}, "/log_keys"),
        ({"origin": "another.example"}, "/log_keys"),
    ],
)
def test_keys_of_the_ledger_have_one_role(changes: Json, field: str) -> None:
    assert refusal(GOOD["ledger.created"] | changes) == ("wrong-value", field)


def test_the_longest_origin() -> None:
    statement = created(OPERATOR, "!" * 255, LOG, SERVICE)
    assert parse_statement(canonical(statement), 1).type == "ledger.created"


def test_a_weak_log_key() -> None:
    vkey = NoteKey("log.example", ED25519_TYPE, edwards.encode(edwards.IDENTITY)).vkey()
    assert refusal(GOOD["ledger.created"] | {"log_keys": [vkey]}) == ("weak-key", "/log_keys")


@pytest.mark.parametrize("name", ["ledger", "seen"])
def test_the_first_statement_has_no_ledger_yet(name: str) -> None:
    value = {"ledger": ID, "seen": SEEN}[name]
    assert refusal(GOOD["ledger.created"] | {name: value}) == ("unknown-field", f"/{name}")


GOOD_BYTES = canonical(GOOD["listing.registered"])


@pytest.mark.parametrize(
    ("payload", "reason", "field"),
    [
        (b"", "not-json", ""),
        (b"[]", "not-an-object", ""),
        (b"null", "not-an-object", ""),
        (b'"listing.registered"', "not-an-object", ""),
        (b"{}", "missing-field", "/type"),
        (b'{"type":7}', "wrong-type", "/type"),
        (b'{"type":null}', "wrong-type", "/type"),
        (b'{"type":"listing.praised"}', "unknown-type", "/type"),
        (b'{"type":"Listing.registered"}', "unknown-type", "/type"),
        (GOOD_BYTES + b"\n", "non-canonical", ""),
        (GOOD_BYTES[:-1] + b',"title":"Gold"}', "duplicate-key", ""),
        (GOOD_BYTES[:-1] + b',"x":1.0}', "float", ""),
        (GOOD_BYTES[:-1] + b',"x":"\\ud800"}', "lone-surrogate", ""),
        (GOOD_BYTES[:-1] + b',"x":"\\u0000"}', "control-character", ""),
        (GOOD_BYTES[:-1] + b',"x":9007199254740992}', "integer-out-of-range", ""),
        (GOOD_BYTES[:-1] + b',"x":' + b"[" * 16 + b"]" * 16 + b"}", "too-deep", ""),
        (b" " * 32_769, "too-large", ""),
        (b" " * 32_768, "not-json", ""),
    ],
)
def test_payloads(payload: bytes, reason: str, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_statement(payload, 1)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_the_largest_payload() -> None:
    """32,768 bytes pass, one more does not."""
    statement = SPEECH.rules_changed(OPERATOR, 2)
    statement["statement_types"] = [f"{n:02}" + "😀" * 126 for n in range(63)]
    room = 32_768 - len(canonical(statement))
    statement["payload_types"] = [f"{n:02}" + "x" * 150 for n in range(64)]
    while len(canonical(statement)) > 32_768:
        statement["payload_types"].pop()
    missing = 32_768 - len(canonical(statement))
    assert 0 <= missing < room
    statement["signature_forms"] = ["x" * (7 + missing)]
    assert len(canonical(statement)) == 32_768
    assert parse_statement(canonical(statement), 1).type == "ledger.rules_changed"
    statement["signature_forms"] = ["x" * (8 + missing)]
    assert refusal(statement) == ("too-large", "")


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(GOOD_BYTES)), st.integers(0, 40))
def test_arbitrary_bytes(raw: bytes, start: int, length: int) -> None:
    for payload in (raw, GOOD_BYTES[:start] + raw + GOOD_BYTES[start + length :]):
        try:
            parse_statement(payload, 1)
        except LedgerError:
            continue
