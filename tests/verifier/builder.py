"""A small ledger, written from docs/format.md alone: what the verifier's tests replay, bend and break."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from verifier.schema.versions import NEWEST_RULES

PAYLOAD_TYPE = "application/vnd.provenance-ledger.statement.v1+json"
ORIGIN = "log.example/test"
START_MS = 1_800_000_000_000


TYPES = [
    *("claim.answered", "claim.determined", "claim.opened", "classification.changed", "disclosure.compelled"),
    *("erasure.attested", "erasure.requested", "ledger.created", "ledger.rules_changed", "license.agreed"),
    *("license.amended", "license.ended", "listing.amended", "listing.registered", "listing.withdrawn"),
    *("party.key_added", "party.key_revoked", "party.registered", "transfer.acknowledged", "transfer.forwarded"),
    *("transfer.offered", "transfer.refused", "usage.reported", "venue.status"),
]
"""Every type of version 2 (docs/statements.md)."""


def canonical(value: Any) -> bytes:
    """Canonical JSON of values whose names are ASCII (§1.2)."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def sha(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def key_from(seed: str) -> SigningKey:
    return SigningKey(sha(seed.encode()))


def public(key: SigningKey) -> dict[str, str]:
    return {"alg": "ed25519", "public_key": b64(bytes(key.verify_key))}


def keyid(key: SigningKey) -> str:
    return sha(b"ed25519\n" + bytes(key.verify_key)).hex()


def vkey(name: str, kind: int, key: SigningKey) -> str:
    blob = bytes([kind]) + bytes(key.verify_key)
    return f"{name}+{note_id(name, kind, key).hex()}+{b64(blob)}"


def note_id(name: str, kind: int, key: SigningKey) -> bytes:
    return sha(name.encode() + b"\n" + bytes([kind]) + bytes(key.verify_key))[:4]


def pae(payload: bytes) -> bytes:
    return f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload


def statement_name(payload: bytes) -> str:
    return "sha256:" + sha(pae(payload)).hex()


def envelope(payload: bytes, keys: list[SigningKey]) -> dict[str, Any]:
    signatures = [{"keyid": keyid(key), "sig": b64(key.sign(pae(payload)).signature)} for key in keys]
    return {
        "payload": b64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": sorted(signatures, key=lambda signature: signature["keyid"]),
    }


def root_of(hashes: list[bytes]) -> bytes:
    """Return the root by the recursive definition of §2."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha(b"")
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\x01" + root_of(hashes[:split]) + root_of(hashes[split:]))


def tile_name(number: int) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def forms_of(rules: int) -> list[str]:
    """Return the signature forms that a version allows (docs/statements.md §1.3)."""
    return ["ed25519"] if rules < 4 else ["ed25519", "ml-dsa-44"]


@dataclass
class Builder:
    """A log in memory; `append` records what it is given, right or wrong."""

    origin: str = ORIGIN
    admission: str = "open"
    rules: int = 1
    """The version of the rules that it begins with, or that `change_rules` brought: what the helpers below speak by."""
    entries: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    time_ms: int = START_MS
    nonces: int = 0
    ledger: str = ""
    log_key: SigningKey = field(default_factory=lambda: key_from("log"))

    def keys(self, name: str) -> tuple[SigningKey, SigningKey]:
        """Return a party's signing and recovery key."""
        return key_from(f"{name}/signing"), key_from(f"{name}/recovery")

    def statement(self, kind: str, issuer: str, signing: list[SigningKey], /, **fields: Any) -> bytes:
        """Canonical bytes of a statement; a field given as None is left out."""
        self.nonces += 1
        common: dict[str, Any] = {
            "type": kind,
            "ledger": self.ledger,
            "issuer": issuer,
            "signers": sorted({keyid(key) for key in signing}),
            "nonce": b64(sha(b"nonce%d" % self.nonces)[:16]),
            "issued_ms": self.time_ms,
            "not_after_ms": self.time_ms + 86_400_000,
        }
        return canonical({name: value for name, value in (common | fields).items() if value is not None})

    def record(self, statement: dict[str, Any], **members: Any) -> int:
        """Record an envelope as the next entry; `members` override the entry's own."""
        index = len(self.entries)
        previous = self.leaves[-1].hex() if self.leaves else "0" * 64
        entry = {"index": index, "previous": previous, "statement": statement, "time": self.time_ms} | members
        return self.record_raw(canonical(entry))

    def record_raw(self, raw: bytes) -> int:
        self.entries.append(raw)
        self.leaves.append(sha(b"\x00" + raw))
        return len(self.entries) - 1

    def append(self, kind: str, issuer: str, signing: list[SigningKey], /, **fields: Any) -> str:
        """Record a statement and return its id."""
        payload = self.statement(kind, issuer, signing, **fields)
        self.record(envelope(payload, signing))
        return statement_name(payload)

    def create(self, **fields: Any) -> None:
        signing, recovery = self.keys("operator")
        payload_fields: dict[str, Any] = {
            "ledger": None,
            "origin": self.origin,
            "keys": [public(signing)],
            "recovery_keys": [public(recovery)],
            "log_keys": [vkey(self.origin, 1, self.log_key)],
            "service_key": public(key_from("service")),
            "rules": self.rules,
            "relation": "operates the exchange",
            "admission": self.admission,
        }
        self.ledger = self.append("ledger.created", "operator", [signing, recovery], **(payload_fields | fields))

    def register(self, name: str) -> None:
        signing, recovery = self.keys(name)
        keys = [signing, recovery] + ([self.keys("operator")[0]] if self.admission == "operator" else [])
        self.append("party.registered", name, keys, keys=[public(signing)], recovery_keys=[public(recovery)])

    def list_dataset(self, issuer: str, **fields: Any) -> str:
        fields = {"title": "Airports of the world", "content": {"sealed": "ab" * 32}} | fields
        return self.append("listing.registered", issuer, [self.keys(issuer)[0]], **fields)

    def license(self, issuer: str, licensee: str, listing: str, **fields: Any) -> str:
        own: dict[str, Any] = {"listing": listing, "licensee": licensee}
        term = {"valid_from_ms": START_MS, "valid_until_ms": START_MS + 10**10}
        if self.rules == 1:
            own["terms"] = {"purposes": ["analysis"]} | term
        else:
            own |= {"terms": agreement(listing, issuer, licensee)} | term
        keys = [self.keys(name)[0] for name in sorted({issuer, licensee})]
        return self.append("license.agreed", issuer, keys, **(own | fields))

    def say(self, kind: str, issuer: str, /, *also: str, **fields: Any) -> str:
        """Record a statement signed by the issuer's signing key, and by those of `also`, and return its id."""
        return self.append(kind, issuer, [self.keys(name)[0] for name in (issuer, *also)], **fields)

    def change_rules(self, types: list[str] | None = None) -> None:
        """Go over to the next version of the rules, with all its types or only these."""
        self.rules += 1
        self.say("ledger.rules_changed", "operator", rules=self.rules, payload_types=[PAYLOAD_TYPE],
                 signature_forms=forms_of(self.rules), statement_types=sorted(types or TYPES))  # fmt: skip

    def change_to_unknown_rules(self) -> None:
        """Go over to all known versions of the rules, and then to one that nobody knows."""
        while self.rules < NEWEST_RULES:
            self.change_rules()
        self.say("ledger.rules_changed", "operator", rules=NEWEST_RULES + 1, payload_types=["p"], statement_types=["s"],
                 signature_forms=["f"])  # fmt: skip

    def offer(self, issuer: str, recipient: str, listing: str, **fields: Any) -> str:
        own = {"listing": listing, "recipient": recipient, "content": {"sealed": "cd" * 32}}
        return self.append("transfer.offered", issuer, [self.keys(issuer)[0]], **(own | fields))

    def decide(self, issuer: str, transfer: str, kind: str = "transfer.acknowledged", **fields: Any) -> str:
        own: dict[str, Any] = {"transfer": transfer}
        if kind == "transfer.acknowledged":
            own["content"] = {"sealed": "ef" * 32}
            own |= {"opens": "cd" * 32} if self.rules >= 6 else {}
        elif self.rules == 1:
            own["reason"] = "cut short"
        else:
            own["code"] = "not-received"
        return self.append(kind, issuer, [self.keys(issuer)[0]], **(own | fields))

    def root(self, size: int | None = None) -> bytes:
        return root_of(self.leaves[:size])

    def seen(self) -> dict[str, Any]:
        return {"root": self.root().hex(), "size": len(self.leaves)}

    def note(
        self, size: int | None = None, witnesses: dict[str, int] | None = None, root: bytes | None = None
    ) -> bytes:
        """Return the signed checkpoint, cosigned by witnesses (name to Unix seconds)."""
        size = len(self.leaves) if size is None else size
        text = f"{self.origin}\n{size}\n{b64(root or self.root(size))}\n"
        blob = note_id(self.origin, 1, self.log_key) + self.log_key.sign(text.encode()).signature
        lines = [f"\u2014 {self.origin} {b64(blob)}\n"]
        for name, at in (witnesses or {}).items():
            key = key_from(f"witness/{name}")
            signature = key.sign(f"cosignature/v1\ntime {at}\n{text}".encode()).signature
            lines.append(f"\u2014 {name} {b64(note_id(name, 4, key) + at.to_bytes(8, 'big') + signature)}\n")
        return (text + "\n" + "".join(lines)).encode()

    def files(self, note: bytes | None = None) -> dict[str, bytes]:
        """Every file of the log, by path (§11.1)."""
        files = {"checkpoint": note or self.note()}
        level, hashes = 0, self.leaves
        while hashes:
            for start in range(0, len(hashes), 256):
                part = hashes[start : start + 256]
                name = tile_name(start // 256) + ("" if len(part) == 256 else f".p/{len(part)}")
                files[f"tile/{level}/{name}"] = b"".join(part)
                if level == 0:
                    bundle = [len(raw).to_bytes(2, "big") + raw for raw in self.entries[start : start + 256]]
                    files[f"tile/entries/{name}"] = b"".join(bundle)
            hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
            level += 1
        return files

    def write(self, directory: Path, note: bytes | None = None) -> Path:
        for path, raw in self.files(note).items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(raw)
        return directory

    def policy(self, *more: str, quorum: str = "none") -> str:
        return "\n".join([f"log {vkey(self.origin, 1, self.log_key)}", *more, f"quorum {quorum}", ""])


def agreement(listing: str, assigner: str, assignee: str, **members: Any) -> dict[str, Any]:
    """Return machine terms of version 2 that permit every use; `members` override its own (docs/terms.md §1)."""
    profile = "urn:provenance-ledger:odrl-profile:1"
    words: dict[str, Any] = {name: {"@container": "@list", "@id": f"odrl:{name}"} for name in ("and", "or", "xone")}
    words |= {
        "industry": "odrl:industry",
        "neq": "odrl:neq",
        "sealed": f"{profile}#sealed",
        "train": f"{profile}#train",
    }
    own: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", words],
        "@type": "Agreement",
        "uid": "urn:example:1",
        "profile": profile,
        "conflict": "prohibit",
        "target": f"urn:provenance-ledger:{listing}",
        "assigner": f"urn:provenance-ledger:party:{assigner}",
        "assignee": f"urn:provenance-ledger:party:{assignee}",
        "permission": [{"action": "use"}],
    }
    return own | members


def witness_line(name: str) -> str:
    return f"witness {name} {vkey(name, 4, key_from(f'witness/{name}'))}"


def small_ledger(transfers: int = 3) -> Builder:
    """Three parties, one listing, one license, and hand-offs that are acknowledged, refused or open."""
    builder = Builder()
    builder.create()
    for name in ("acme", "birch.example", "cedar"):
        builder.time_ms += 1000
        builder.register(name)
    listing = builder.list_dataset("acme", description='Two lines\nwith "quotes" and \u4e2d\u6587')
    terms = builder.license("acme", "birch.example", listing, seen=builder.seen())
    for number in range(transfers):
        builder.time_ms += 1000
        offer = builder.offer("acme", "birch.example", listing, license=terms)
        if number % 3 != 2:
            kind = "transfer.acknowledged" if number % 3 == 0 else "transfer.refused"
            builder.decide("birch.example", offer, kind)
    return builder
