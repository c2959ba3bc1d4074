"""What a green replay remembers for the next one: `provenance-ledger.replay-state/v5`.

The file is this user's own; its digest catches damage and mix-ups, not a forger who can write here. Its tree stands
under a checkpoint that the log signed, which is verified again, so that it is evidence against a log that forks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verifier.core.b64 import decode_base64, encode_base64
from verifier.core.errors import CheckFailed, UsageError
from verifier.core.jcs import Json
from verifier.core.keys import PublicKey
from verifier.core.policy import OpenedCheckpoint, Policy, open_checkpoint
from verifier.core.tree import Tree
from verifier.judgement.judge import Judge
from verifier.rules.registry import Claim, Key, License, Listing, Preparation, Registry, Transfer

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey

TYPE = "provenance-ledger.replay-state/v5"
_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class ReplayState:
    """Everything that entries 0 … size − 1 leave behind."""

    note: bytes
    """The checkpoint that the replay ended at, as the log signed it."""
    tree: Tree
    registry: Registry
    judge: Judge

    @property
    def size(self) -> int:
        """Count of entries replayed."""
        return self.tree.size


def _encode(value: Json) -> Json:
    return encode_base64(value) if isinstance(value, bytes) else value


_KINDS = (Listing, License, Transfer, Claim, Preparation)
_MEMBERS = {kind: attrgetter(*[member.name for member in fields(kind)]) for kind in _KINDS}
"""The fields of what a registry holds by the ten thousand, in their order."""


def _row(item: Listing | License | Transfer | Claim | Preparation) -> list[Json]:
    return [_encode(value) for value in _MEMBERS[type(item)](item)]


def _key_row(key: Key) -> list[Json]:
    return [key.owner, key.use, key.public_key.algorithm, encode_base64(key.public_key.raw), key.revoked_index]


def _bytes(text: str | None) -> bytes:
    decoded = decode_base64(text) if isinstance(text, str) else None
    if decoded is None:
        raise ValueError("not base64")
    return decoded


def _seal(raw: bytes) -> bytes:
    """Return the bytes of a JSON object with the digest of them as its last member."""
    return raw[:-1] + b',"digest":"%s"}' % sha256(raw).hexdigest().encode()


def format_state(state: ReplayState) -> bytes:
    """Return the bytes of a state file."""
    registry = state.registry
    body: dict[str, Any] = {
        "type": TYPE,
        "checkpoint": state.note.decode(),
        "leaves": encode_base64(state.tree.leaves),
        "judge": state.judge.dump(),
        "registry": {
            "ledger": _encode(registry.ledger),
            "origin": registry.origin,
            "operator": registry.operator,
            "admission": registry.admission,
            "rules": registry.rules,
            "types": sorted(registry.types),
            "log_vkeys": list(registry.log_vkeys),
            "reserved_keyids": sorted(registry.reserved_keyids),
            "parties": registry.parties,
            "keys": {keyid: _key_row(key) for keyid, key in registry.keys.items()},
            "listings": {_encode(name): _row(listing) for name, listing in registry.listings.items()},
            "licenses": {_encode(name): _row(terms) for name, terms in registry.licenses.items()},
            "transfers": {_encode(name): _row(transfer) for name, transfer in registry.transfers.items()},
            "claims": {_encode(name): _row(claim) for name, claim in registry.claims.items()},
            "disclosures": sorted(map(encode_base64, registry.disclosures)),
            "requests": {_encode(name): _encode(subject) for name, subject in registry.requests.items()},
            "holds": {_encode(name): count for name, count in registry.holds.items()},
            "holds_below": {_encode(name): count for name, count in registry.holds_below.items()},
            "recorded": encode_base64(b"".join(sorted(registry.recorded))),
            "times_ms": [registry.first_time_ms, registry.last_time_ms, registry.newest_time_ms],
            "counts": registry.counts,
            "preparations": {_encode(name): _row(item) for name, item in registry.preparations.items()},
        },
    }
    return _seal(json.dumps(body, separators=(",", ":")).encode())


def _transfer(row: list[Any]) -> Transfer:
    index, listing, terms, sender, recipient, state, decided_index, content = row
    return Transfer(
        index,
        _bytes(listing),
        _bytes(terms) if terms else None,
        sender,
        recipient,
        state,
        decided_index,
        _bytes(content) if content else None,
    )


def _preparation(row: list[Any]) -> Preparation:
    index, listing, *said, request = row
    preparation = Preparation(index, _bytes(listing), *said)
    preparation.request = _bytes(request) if request else None
    return preparation


def _parse_registry(saved: dict[str, Any]) -> Registry:
    recorded = _bytes(saved["recorded"])
    first_time_ms, last_time_ms, newest_time_ms = saved["times_ms"]
    return Registry(
        _bytes(saved["ledger"]),
        saved["origin"],
        saved["operator"],
        saved["admission"],
        saved["rules"],
        frozenset(saved["types"]),
        tuple(saved["log_vkeys"]),
        set(saved["reserved_keyids"]),
        saved["parties"],
        {
            keyid: Key(owner, use, PublicKey(_bytes(raw), algorithm), revoked_index)
            for keyid, (owner, use, algorithm, raw, revoked_index) in saved["keys"].items()
        },
        {_bytes(name): Listing(*row) for name, row in saved["listings"].items()},
        {_bytes(name): License(index, _bytes(on), *rest) for name, (index, on, *rest) in saved["licenses"].items()},
        {_bytes(name): _transfer(row) for name, row in saved["transfers"].items()},
        {_bytes(name): Claim(index, _bytes(on), *rest) for name, (index, on, *rest) in saved["claims"].items()},
        {_bytes(name) for name in saved["disclosures"]},
        {_bytes(name): _bytes(subject) for name, subject in saved["requests"].items()},
        {_bytes(name): count for name, count in saved["holds"].items()},
        {_bytes(name): count for name, count in saved["holds_below"].items()},
        {recorded[at : at + _ID_BYTES] for at in range(0, len(recorded), _ID_BYTES)},
        first_time_ms,
        last_time_ms,
        newest_time_ms,
        saved["counts"],
        {_bytes(name): _preparation(row) for name, row in saved["preparations"].items()},
    )


def parse_state(raw: bytes, policy: Policy, log: VerifierKey) -> ReplayState:
    """Return the state that a file holds, if it is whole and of this log.

    Raises `UsageError` otherwise: a damaged state can neither confirm nor deny anything, and must not be passed over.
    """
    try:
        body = json.loads(raw)
        if body["type"] != TYPE:
            raise UsageError(f"the state file is not of type {TYPE}")
        if _seal(raw[: raw.rindex(b',"digest":')] + b"}") != raw:
            raise UsageError("the state file is damaged: its digest does not match")
        note = body["checkpoint"].encode()
        opened: OpenedCheckpoint = open_checkpoint(note, policy, log)
        tree = Tree(_bytes(body["leaves"]))
        registry = _parse_registry(body["registry"])
        state = ReplayState(note, tree, registry, Judge.load(body["judge"], registry))
    except CheckFailed as error:
        raise UsageError(f"the state file is of another log or key: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise UsageError("the state file is damaged or of another program") from error
    head = opened.checkpoint
    if tree.size != head.size or tree.root(tree.size) != head.root:
        raise UsageError("the state file is damaged: its tree is not that of its checkpoint")
    return state


def load_state(path: Path, policy: Policy, log: VerifierKey) -> ReplayState | None:
    """Return the state saved at `path`, None if there is none yet.

    Raises `UsageError` if it cannot be read or used.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read the state file {path}: {error.strerror}") from error
    return parse_state(raw, policy, log)
