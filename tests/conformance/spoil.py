"""Ways to spoil a statement, its bytes, its envelope, or the envelope's bytes: one at a time, each with its name."""

from __future__ import annotations

from random import Random
from typing import Any

from ledger.core.dsse import STATEMENT_TYPE, Envelope
from ledger.core.encoding import Json, b64encode, canonical, parse_json
from ledger.core.keys import Signer
from tests.harness import edwards
from tests.harness.speech import DAY_MS

WEAK_KEYS = [b64encode(edwards.encode(point)) for point in edwards.torsion()]
NO_KEYS = [b64encode(raw) for raw in (b"\xff" * 32, bytes(31), bytes(33))]
ODD_VALUES: list[Json] = [
    None, True, False, 0, 1, 2, -1, 2**53 - 1, 17, "", "a", "A", "a.b", "a..b", "-a", "a-", "a" * 64, "\n", "a\n", "é",
    "\U0001d538", "open", "operator", "signing", "recovery", "x/y", "application/pdf", "X/Y", "0" * 64, "AB" * 32,
    "sha256:" + "0" * 64, "sha256:" + "G" * 64, "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAB==",
    "AAAAAAAAAAAAAAAAAAAAAA", "=", "ed25519", "ml-dsa-44", [], {}, [[]], ["a"], ["a", "a"], [1], {"sealed": "0" * 64},
    {"a": 1}, ["0" * 64], ["0" * 64] * 2, [f"{n:064x}" for n in range(16)], [f"{n:064x}" for n in range(17)], "x" * 128,
    "x" * 129, "x" * 201, "x" * 301, "x" * 1001, "x" * 4001, "ledger.created", "listing.registered", "transfer.offered",
    "0.5", "0.0", "canary",
]  # fmt: skip
TYPES = [
    "ledger.created",
    "listing.registered",
    "transfer.offered",
    "license.ended",
    "party.key_added",
    "listing.praised",
]
WAYS = [
    "seal",
    "remove",
    "remove",
    "add",
    "odd",
    "odd",
    "bend",
    "bend",
    "bend",
    "bend",
    "clock",
    "ledger",
    "type",
    "weak",
    "seen",
]


def odd_value(pick: Random) -> Json:
    """Return a value that fits somewhere, and nowhere else; a copy, so that it can be spoiled in turn."""
    return parse_json(canonical(pick.choice(ODD_VALUES)))


def places(value: Json) -> list[tuple[Any, Any]]:
    """Return every (container, name or position) within a value."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in items:
        found.append((value, name))
        found.extend(places(member))
    return found


def spoil_statement(pick: Random, statement: Json, now_ms: int) -> str:
    """Change a statement before it is signed; return what was done."""
    container, name = pick.choice(places(statement))
    how = pick.choice(WAYS)
    match how:
        case "remove":
            del container[name]
        case "add" if isinstance(container, dict):
            container[pick.choice(["", "a", "zz", "comment", "Type", "~/"])] = odd_value(pick)
        case "odd":
            container[name] = odd_value(pick)
        case "clock":
            issued_ms = now_ms + pick.choice([299_999, 300_000, 300_001, -DAY_MS, 0])
            life_ms = pick.choice([0, -1, 90 * DAY_MS, 90 * DAY_MS + 1, DAY_MS - 1, DAY_MS])
            statement["issued_ms"], statement["not_after_ms"] = issued_ms, issued_ms + life_ms
        case "ledger":
            statement["ledger"] = "sha256:" + pick.randbytes(32).hex()
        case "type":
            statement["type"] = pick.choice([*TYPES, 7])
        case "seal":
            container[name] = {"sealed": pick.choice(["ab" * 32, "ab" * 32, "AB" * 32, "ab", 7])}
        case "seen":
            statement["seen"] = {"root": pick.randbytes(32).hex(), "size": pick.choice([1, 2, 10**9, 0])}
        case "weak" if keys := [place for place in places(statement) if place[1] == "public_key"]:
            pick.choice(keys)[0]["public_key"] = pick.choice([*WEAK_KEYS, *NO_KEYS])
        case _:
            container[name] = bend(pick, container[name])
    return f"{how} {name}"


def bend(pick: Random, old: Json) -> Json:
    """Return something close to a value, of the same kind."""
    match old:
        case bool() | None:
            return not old
        case int():
            return pick.choice([old + 1, old - 1, -old, 0, 2**53 - 1, 2**53, 10**30, old * 1.0, old + 0.5])
        case str():
            at = pick.randrange(len(old) + 1)
            inserted = pick.choice(["é", "\x7f", "0", "\u2028", "\0", "\ud800", "\n", " ", "=", "-", "."])
            return pick.choice(
                [old[:-1], old.upper(), old.lower(), old[::-1], old + inserted, old[:at] + inserted + old[at:]]
            )
        case list():
            return pick.choice([old[::-1], old + old, old[:-1], old * 17, [old], [*old, None]])
        case _:
            return pick.choice([list(old), [old], {**old, "more": 1}, {}])


def spoil_payload(pick: Random, payload: bytes) -> tuple[bytes, str]:
    """Return payload bytes that are another spelling, another value, or no JSON; and what was done."""
    deep = pick.choice([15, 16, 17, 2000])
    added: dict[str, bytes] = {
        "two equal names": b'"x":{"a":1,"a":1}', "float": b'"x":1.5', "exponent": b'"x":1e5', "as float": b'"x":1.0',
        "minus zero": b'"z":-0', "large": b'"x":9007199254740992', "huge": b'"x":' + b"9" * 5000,
        "small": b'"x":-9007199254740992', "surrogate": b'"x":"\\ud800"', "surrogate name": b'"x\\udfff":0',
        "control": b'"x":"\\u0007"', "bare control": b'"x":"\x07"', "tab": b'"x":"\\t"', "delete": b'"x":"\x7f"',
        "C1 control": '"x":"\x85"'.encode(), "bare line feed": b'"x":"\n"', "not UTF-8": b'"x":"\xff"',
        "NaN": b'"x":NaN', "infinity": b'"x":-Infinity', "trailing comma": b"",
        "too large": b'"z":"' + b"x" * 32_768 + b'"', "deep": b'"zzz":' + b"[" * deep + b"]" * deep,
    }  # fmt: skip
    changed: dict[str, bytes] = {
        "blank": payload.replace(b":", b": ", 1),
        "line feed at the end": payload + b"\n",
        "two types": payload.replace(b'"type":', b'"type":"listing.registered","type":', 1),
        "needless escape": payload.replace(b'"type"', b'"\\u0074ype"', 1),
        "escaped solidus": payload.replace(b'"signers"', b'"a":"\\/","signers"', 1),
        "unsorted": b'{"zzz":1,' + payload[1:],
        "array": b"[" + payload + b"]",
        "byte-order mark": b"\xef\xbb\xbf" + payload,
        "cut": payload[: pick.randrange(len(payload))],
        "twice": payload * 2,
        "type missing": b'{"issuer":"alice"}',
        "type null": b'{"type":null}',
        "type unknown": b'{"type":"listing.praised"}',
    }
    changed |= {f"only {text!r}": text for text in (b"1", b'"statement"', b"null", b"", b"{}", b"[]")}
    changed |= {name: payload[:-1] + b"," + member + b"}" for name, member in added.items()}
    how = pick.choice(list(changed))
    return changed[how], f"payload: {how}"


def spoil_envelope(pick: Random, envelope: Envelope, owners: list[Signer]) -> tuple[Json, str]:
    """Return an envelope's JSON value with something wrong or something else; and what was done."""
    document: dict[str, Json] = envelope.document()
    how = pick.choice(
        ["signatures", "signature", "signature", "payloadType", "payload", "odd", "remove", "add", "wrap"]
    )
    match how:
        case "signatures":
            document["signatures"] = _other_signatures(pick, envelope, pick.choice(owners))
        case "signature":
            document["signatures"][0] |= _other_signature(pick, envelope, pick.choice(owners))
        case "payloadType":
            document["payloadType"] = pick.choice(
                ["application/json", "", STATEMENT_TYPE + " ", STATEMENT_TYPE.upper()]
            )
        case "payload":
            text = document["payload"]
            document["payload"] = pick.choice([text + "=", "*" + text, text + "\n", "AAB=", "-_==", "é", text[:-2]])
        case "odd":
            container, name = pick.choice(places(document))
            container[name] = odd_value(pick)
        case "remove":
            container, name = pick.choice([place for place in places(document) if isinstance(place[0], dict)])
            del container[name]
        case "add":
            pick.choice([document, document["signatures"][0]])["comment"] = odd_value(pick)
        case _:
            document = {"envelope": document}
    _sort_signatures(document)
    return document, f"envelope: {how}"


def _sort_signatures(document: dict[str, Json]) -> None:
    """Sort them, as a ledger does before it records what was posted in another order (§4.4)."""
    try:
        document["signatures"].sort(key=lambda item: item["keyid"])
    except (AttributeError, KeyError, TypeError):
        return


def _other_signatures(pick: Random, envelope: Envelope, stranger: Signer) -> list[Json]:
    listed: list[Json] = envelope.document()["signatures"]
    extra = {"keyid": stranger.public.keyid, "sig": b64encode(stranger.sign(envelope.signed_bytes))}
    rest = [item for item in listed if item["keyid"] != extra["keyid"]]
    count = pick.choice([16, 17])
    many = [{"keyid": f"{n:064x}", "sig": extra["sig"]} for n in range(count)]
    return pick.choice([[*rest, extra], listed[1:] or [extra], [*listed, dict(listed[0])], [], many])


def _other_signature(pick: Random, envelope: Envelope, stranger: Signer) -> dict[str, Json]:
    keyid, signature = envelope.signatures[0]
    flipped = bytearray(signature)
    flipped[pick.randrange(64)] ^= 1 << pick.randrange(8)
    text = b64encode(signature)
    texts = [
        b64encode(bytes(flipped)), b64encode(stranger.sign(envelope.signed_bytes + b"!")), text[:-1], text.rstrip("="),
        b64encode(bytes(63)), b64encode(bytes(65)), b64encode(bytes(64)), "", "*", text[:-3] + "B==", text + "\n", "é",
    ]  # fmt: skip
    if pick.random() < 0.3:
        return {"keyid": pick.choice([keyid.upper() + "A", keyid[:-1], "", "g" * 64, "é" * 64, keyid + "\n"])}
    return {"sig": pick.choice([*texts, *texts[:2]])}


def spoil_envelope_bytes(pick: Random, raw: bytes) -> tuple[bytes, str]:
    """Return the bytes of an envelope that §1.3 refuses; and what was done."""
    added = {
        "two payloads": b'"payload":"AAAA"', "float": b'"x":0.5', "large": b'"x":9007199254740992', "NaN": b'"x":NaN',
        "surrogate": b'"x":"\\udc00"', "control": b'"x":"\\u001f"', "not UTF-8": b'"x":"\xff"',
        "deep": b'"x":' + b"[" * 17 + b"]" * 17,
    }  # fmt: skip
    changed = {name: raw[:-1] + b"," + member + b"}" for name, member in added.items()}
    changed["cut"] = raw[: pick.randrange(1, len(raw))]
    how = pick.choice(list(changed))
    return changed[how], f"envelope bytes: {how}"
