"""The operator's witnesses: whom to ask, and how many must have cosigned (docs/format.md §17.3; C2SP tlog-policy).

The file is a policy as verifiers have it, so that what the operator waits for is what they will ask for; its witness
lines say where each can be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ledger.core.errors import PolicyError
from ledger.core.note import NoteKey, parse_note
from ledger.core.policy import NO_QUORUM, Policy, parse_policy


@dataclass(frozen=True)
class WitnessPolicy:
    """A policy, and the keys that each address answers for. `must_await`: no answer before the quorum."""

    policy: Policy
    addresses: dict[str, dict[str, NoteKey]]
    """URL of `add-checkpoint` to the witnesses that answer there: name in the policy to key."""
    must_await: bool = False

    @property
    def asks_for_quorum(self) -> bool:
        """Tell whether anybody must have cosigned."""
        return self.policy.quorum != NO_QUORUM

    def split(self, note: bytes) -> tuple[bytes, set[str], dict[str, str]]:
        """Part the note of a checkpoint into what the log signed, and the lines of witnesses that can be asked.

        Returns the note without those lines, the policy's names of keys that signed what is left (the log's own second
        key may be listed), and the valid lines by name.
        """
        parsed = parse_note(note)
        asked = {name: key for keys in self.addresses.values() for name, key in keys.items()}
        places = {(key.name, key.id): name for name, key in self.policy.witnesses.items()}
        own, lines, kept = set(), {}, ""
        for signature in parsed.signatures:
            name = places.get((signature.name, signature.key_id))
            if name in asked:
                lines[name] = signature.line
                continue
            kept += signature.line
            if name is not None:
                own.add(name)
        return parsed.text + b"\n" + kept.encode(), own, lines


def read_witness_policy(text: str, log_keys: list[NoteKey], *, must_await: bool) -> WitnessPolicy:
    """Return the policy that a file describes, for a log with these keys.

    Raises PolicyError if it is not a policy, not of this log, names no witness that can be asked, or where
    `must_await` and no quorum asks for anybody.
    """
    policy = parse_policy(text)
    if not any(key in policy.logs for key in log_keys):
        raise PolicyError(f"the witnesses' policy has no line 'log {log_keys[0].vkey()}'")
    addresses: dict[str, dict[str, NoteKey]] = {}
    for name, url in policy.urls.items():
        if policy.witnesses[name] in log_keys:
            continue
        addresses.setdefault(_address(name, url), {})[name] = policy.witnesses[name]
    witness_policy = WitnessPolicy(policy, addresses, must_await)
    if not addresses:
        raise PolicyError("no witness line says a URL: 'witness <name> <vkey> <url>'")
    if must_await and not witness_policy.asks_for_quorum:
        raise PolicyError("'quorum none' asks for nobody: there is nothing to wait for; name a witness or a group")
    return witness_policy


def _address(name: str, url: str) -> str:
    """Return where a witness takes checkpoints: nothing that it answers leads anywhere else."""
    if not _is_usable(url):
        raise PolicyError(f"the URL of witness {name} is not http(s)://host[:port][/path]: {url}")
    return url.rstrip("/") + "/add-checkpoint"


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extra = parts.query or parts.fragment or parts.username is not None or parts.password is not None
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not extra and url.isascii()
