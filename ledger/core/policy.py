"""Trust policies: whose signatures make a checkpoint believable (docs/format.md §10.5; C2SP tlog-policy)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ledger.core.checkpoint import Checkpoint, parse_checkpoint
from ledger.core.errors import FormatError, NoteError, PolicyError, QuorumError
from ledger.core.note import ED25519_TYPE, TIMED_TYPES, NoteKey, open_note, parse_note, parse_vkey

NO_QUORUM = "none"
_MAX_LINES = 1000
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Group:
    """`threshold` of `members` (names of witnesses or groups) must be satisfied."""

    threshold: int
    members: tuple[str, ...]


@dataclass
class Policy:
    """A parsed policy; `quorum` names a witness or group, or is `none`."""

    logs: list[NoteKey] = field(default_factory=list)
    witnesses: dict[str, NoteKey] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""
    urls: dict[str, str] = field(default_factory=dict)
    """Where each witness can be asked (C2SP tlog-witness submission prefix), of those whose line says it."""

    def log_keys(self, origin: str) -> list[NoteKey]:
        """Return the log keys whose origin this is."""
        return [key for key in self.logs if key.name == origin]

    def open_checkpoint(self, raw: bytes) -> Checkpoint:
        """Parse a checkpoint and verify its log signature and quorum.

        Raises NoteError where a signature is missing or wrong, QuorumError where only cosignatures are missing.
        """
        note = parse_note(raw)
        checkpoint = parse_checkpoint(note.text)
        keys = self.log_keys(checkpoint.origin)
        if not keys:
            raise NoteError(f"the policy names no log {checkpoint.origin}")
        checkable = [key for key in self.witnesses.values() if key.type in TIMED_TYPES]
        signed = open_note(note, [*self.logs, *checkable])
        if not any(key in signed for key in keys):
            raise NoteError(f"the checkpoint is not signed by the policy's key of {checkpoint.origin}")
        names = {name for name, key in self.witnesses.items() if key in signed}
        if not self.is_satisfied(names):
            raise QuorumError(f"the quorum {self.quorum} is not reached: cosigned by {sorted(names) or 'nobody'}")
        return checkpoint

    def is_satisfied(self, signed: set[str]) -> bool:
        """Tell whether cosignatures by the witnesses of these names reach the quorum."""
        return self._satisfied(self.quorum, signed)

    def _satisfied(self, name: str, signed: set[str]) -> bool:
        if name == NO_QUORUM:
            return True
        group = self.groups.get(name)
        if group is None:
            return name in signed
        return sum(self._satisfied(member, signed) for member in group.members) >= group.threshold


def parse_policy(text: str) -> Policy:
    """Parse a policy file; raise PolicyError with the line at fault."""
    policy = Policy()
    members: set[str] = set()
    raws: set[bytes] = set()
    if _CONTROL.search(text):
        raise PolicyError("a policy has no control characters but tab and line feed; are its line ends CR LF?")
    lines = text.split("\n")
    if len(lines) > _MAX_LINES:
        raise PolicyError(f"a policy has at most {_MAX_LINES} lines")
    for number, line in enumerate(lines, 1):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            _read_line(policy, words, members, raws)
        except (FormatError, PolicyError) as error:
            raise PolicyError(f"policy line {number}: {error}") from error
    if not policy.logs:
        raise PolicyError("the policy names no log")
    if not policy.quorum:
        raise PolicyError("the policy has no quorum line; 'quorum none' says that the log alone is trusted")
    return policy


def _read_line(  # noqa: C901 - one case a kind of line
    policy: Policy, words: list[str], members: set[str], raws: set[bytes]
) -> None:
    match words:
        case ["log", vkey, *url] if len(url) <= 1:
            key = parse_vkey(vkey)
            if key.type != ED25519_TYPE:
                raise PolicyError("a log's key has type 0x01")
            _once(key.raw, raws)
            policy.logs.append(key)
        case ["witness", name, vkey, *url] if len(url) <= 1:
            _define(policy, name)
            key = parse_vkey(vkey)
            if key.type == ED25519_TYPE:
                raise PolicyError("a witness's key has type 0x04 or 0x06")
            _once(key.raw, raws)
            policy.witnesses[name] = key
            policy.urls.update((name, word) for word in url)
        case ["group", name, threshold, *names] if names:
            _define(policy, name)
            for member in names:
                if member not in policy.witnesses and member not in policy.groups:
                    raise PolicyError(f"{member} is not defined above")
                if member in members:
                    raise PolicyError(f"{member} is a member twice")
                members.add(member)
            policy.groups[name] = Group(_threshold(threshold, len(names)), tuple(names))
        case ["quorum", name]:
            if policy.quorum:
                raise PolicyError("there is exactly one quorum line")
            if name != NO_QUORUM and name not in policy.witnesses and name not in policy.groups:
                raise PolicyError(f"{name} is not defined above")
            policy.quorum = name
        case _:
            raise PolicyError("not a log, witness, group or quorum line")


def _define(policy: Policy, name: str) -> None:
    if name == NO_QUORUM or name in policy.witnesses or name in policy.groups:
        raise PolicyError(f"the name {name} is taken")


def _once(raw: bytes, raws: set[bytes]) -> None:
    if raw in raws:
        raise PolicyError("a public key appears twice")
    raws.add(raw)


def _threshold(word: str, count: int) -> int:
    if word in {"all", "any"}:
        return count if word == "all" else 1
    if word not in map(str, range(1, count + 1)):
        raise PolicyError(f"a group's threshold is all, any, or 1 … {count}")
    return int(word)
