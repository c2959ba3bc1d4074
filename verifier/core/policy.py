"""The trust policy of a verifier (docs/format.md §10.5; C2SP tlog-policy), and what it says of a checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.core.checks import Check, Failure
from verifier.core.errors import CheckFailed, MalformedInput, UsageError
from verifier.core.notes import (
    CHECKED_TYPES,
    TYPE_ED25519,
    Checkpoint,
    Note,
    VerifierKey,
    open_line,
    parse_checkpoint,
    parse_note,
    parse_vkey,
)

_WORD_BREAK = re.compile("[ \t]+")
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_COUNT = re.compile("[1-9][0-9]{0,5}")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """A group of witnesses or groups, `threshold` of which are enough."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom to trust."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, VerifierKey]
    groups: tuple[Group, ...]
    """In the order of their definition: a member stands above its group."""
    quorum: str | None
    """The witness or group that must have cosigned; None if nobody must."""

    def pick_log(self, origin: str | None) -> VerifierKey:
        """Return the log of that origin, or the only one: the first of its keys, if the policy lists several.

        Raises `UsageError` if there is none, or several and no origin.
        """
        logs = [log for log in self.logs if origin is None or log.name == origin]
        if len({log.name for log in logs}) == 1:
            return logs[0]
        if origin is None:
            raise UsageError(f"the policy names {len({log.name for log in logs})} logs: pick one with --origin")
        raise UsageError(f"the policy names no log of the origin {origin}")

    def is_satisfied(self, cosigners: set[str]) -> bool:
        """Tell whether the witnesses of these names satisfy the quorum."""
        satisfied = set(cosigners)
        for group in self.groups:
            if sum(member in satisfied for member in group.members) >= group.threshold:
                satisfied.add(group.name)
        return self.quorum is None or self.quorum in satisfied

    def own_names(self, origin: str) -> set[str]:
        """Return the witnesses that are the log's own second key: they count, but are not independent (§17.1)."""
        return {name for name, key in self.witnesses.items() if key.name == origin}

    def one_signer(self, origin: str) -> str:
        """Return, where the log alone satisfies the quorum, a sentence that says so; else nothing."""
        if self.quorum is None:
            return "one signer: the policy asks for no witness, so a split view is not excluded"
        if self.is_satisfied(self.own_names(origin)):
            return "one signer: the log's own keys satisfy the policy's quorum, so a split view is not excluded"
        return ""


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that the log's key signed; every field is verified."""

    raw: bytes
    """The note, byte for byte."""
    checkpoint: Checkpoint
    cosigned_unix_s: dict[str, int]
    """Names of the policy's witnesses with a valid cosignature, and its time."""
    is_quorate: bool
    """The cosignatures satisfy the policy: if not, nothing is known to be the one view that all see."""
    log_vkeys: tuple[str, ...] = ()
    """Those keys that the policy lists for this log which signed; one must be in force at this size (§16.2)."""


class _Reader:
    """The lines of one policy so far."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: list[Group] = []
        self.quorums: list[str] = []
        self.free: set[str] = set()
        """Names defined and not yet member of a group."""
        self.names: set[str] = {_NONE}
        self.public_keys: set[bytes] = set()

    def key(self, text: str) -> VerifierKey:
        key = parse_vkey(text)
        if key.public_key in self.public_keys:  # one key under two names would count twice in a quorum
            raise MalformedInput("policy", "malformed", f"the public key of {key.name} appears twice")
        self.public_keys.add(key.public_key)
        return key

    def define(self, name: str) -> None:
        if name in self.names:
            raise MalformedInput("policy", "malformed", f"the name {name} is taken")
        self.names.add(name)
        self.free.add(name)

    def read(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                key = self.key(vkey)
                if key.kind != TYPE_ED25519:
                    raise MalformedInput("policy", "malformed", f"the log key {key.name} is not of type 0x01")
                self.logs.append(key)
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                key = self.key(vkey)
                if key.kind == TYPE_ED25519:  # its plain signature carries no promise of a witness
                    raise MalformedInput("policy", "malformed", f"the witness key {name} is not a cosignature key")
                self.define(name)
                self.witnesses[name] = key
            case ["group", name, threshold, *members] if members:
                self.group(name, threshold, members)
            case ["quorum", name]:
                if name not in self.names:
                    raise MalformedInput("policy", "malformed", f"the quorum {name} is not defined above")
                self.quorums.append(name)
            case _:
                raise MalformedInput("policy", "malformed", " ".join(words)[:80])

    def group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if member not in self.free:
                raise MalformedInput("policy", "malformed", f"{member} is not defined above, or already a member")
            self.free.remove(member)
        if threshold in ("all", "any"):
            count = len(members) if threshold == "all" else 1
        elif _COUNT.fullmatch(threshold) and int(threshold) <= len(members):
            count = int(threshold)
        else:
            raise MalformedInput("policy", "malformed", f"the threshold of {name}")
        self.define(name)
        self.groups.append(Group(name, count, tuple(members)))


def parse_policy(raw: bytes) -> Policy:
    """Return the policy that a file holds (docs/format.md §10.5).

    Raises `MalformedInput`.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise MalformedInput("policy", "malformed", "not UTF-8") from None
    if _FORBIDDEN.search(raw):
        raise MalformedInput("policy", "malformed", "a control character")
    reader = _Reader()
    for line in text.split("\n"):
        bare = line.strip(" \t")
        if bare and not bare.startswith("#"):
            reader.read(_WORD_BREAK.split(bare))
    if len(reader.quorums) != 1:
        raise MalformedInput("policy", "malformed", f"{len(reader.quorums)} quorum lines, not one")
    if not reader.logs:
        raise MalformedInput("policy", "malformed", "no log")
    quorum = None if reader.quorums[0] == _NONE else reader.quorums[0]
    return Policy(tuple(reader.logs), reader.witnesses, tuple(reader.groups), quorum)


def open_checkpoint(raw: bytes, policy: Policy, log: VerifierKey) -> OpenedCheckpoint:
    """Verify a checkpoint against the policy: form, origin, the log's signature, every line of a known key.

    `log` names the log; a signature by any key that the policy lists for it will do, in whatever line it stands.
    Raises `CheckFailed`. A quorum that is not reached is not a failure: the caller must look at `is_quorate`.
    """
    try:
        note = parse_note(raw)
        checkpoint = parse_checkpoint(note.text)
    except MalformedInput as error:
        raise CheckFailed(Failure(Check.CHECKPOINT_FORM, error.reason, where=error.detail)) from error
    if checkpoint.origin != log.name:
        mismatch = Failure(
            Check.CHECKPOINT_ORIGIN, "wrong-origin", expected=log.name, actual=checkpoint.origin, where="checkpoint"
        )
        raise CheckFailed(mismatch)
    known: dict[tuple[str, bytes], tuple[str | None, VerifierKey]] = {
        (key.name, key.key_id): (None, key) for key in policy.logs
    }
    known |= {(key.name, key.key_id): (name, key) for name, key in policy.witnesses.items()}
    signed_by: list[str] = []
    cosigned: dict[str, int] = {}
    for line in note.signatures:
        witness, key = known.get((line.name, line.key_id), (None, None))
        if key is None or key.kind not in CHECKED_TYPES:
            continue
        time_unix_s = open_line(key, note.text, line)
        if time_unix_s is None:
            raise CheckFailed(Failure(Check.CHECKPOINT_SIGNATURE, "wrong-signature", where=line.name))
        if witness is not None:
            cosigned[witness] = time_unix_s
        elif key.name == log.name:
            signed_by.append(key.vkey)
    if not signed_by:
        raise CheckFailed(Failure(Check.CHECKPOINT_SIGNATURE, "no-log-signature", where=log.name))
    return OpenedCheckpoint(raw, checkpoint, cosigned, policy.is_satisfied(set(cosigned)), tuple(signed_by))


def is_signed_by(note: Note, vkey: str) -> bool:
    """Tell whether a note carries a valid signature by this key, which is of one of `CHECKED_TYPES`."""
    key = parse_vkey(vkey)
    lines = [line for line in note.signatures if (line.name, line.key_id) == (key.name, key.key_id)]
    return any(open_line(key, note.text, line) is not None for line in lines)
