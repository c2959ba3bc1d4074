"""What of a bundle stands if Ed25519 falls: which parts of it ML-DSA-44 signed too (docs/format.md §16.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.bundle.times import entries_of
from verifier.core.keys import MLDSA44
from verifier.core.notes import TYPE_MLDSA44

if TYPE_CHECKING:
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.core.policy import Policy
    from verifier.rules.subject import Told


def describe_lasting(policy: Policy, chain: Chain, case: Case) -> dict[str, Any]:
    """Return as JSON who signed the checkpoint, and who each entry of the case, with a key that outlives Ed25519."""
    return {
        "checkpoint": _cosigners(policy, chain),
        "entries": [
            {"index": told.index, "lasting": lasting, "short": short}
            for told in entries_of(case, chain)
            for lasting, short in [_signers(chain, told)]
        ],
    }


def lasting_words(policy: Policy, chain: Chain, case: Case) -> list[str]:
    """Return the same in sentences."""
    cosigners = _cosigners(policy, chain)
    own = policy.own_names(chain.opened.checkpoint.origin)
    if cosigners:
        names = ", ".join(f"{name} ({'the log itself' if name in own else 'a witness'})" for name in cosigners)
        lines = [f"The checkpoint stands, and with it that all this was recorded: ML-DSA-44 signed it, by {names}."]
    else:
        lines = ["The checkpoint falls: no key of ML-DSA-44 that the policy names signed it. A time-stamp may remain."]
    for told in entries_of(case, chain):
        lasting, short = _signers(chain, told)
        words = f"entry {told.index}, {told.kind}: "
        words += f"signed with ML-DSA-44 too, by {', '.join(lasting)}" if lasting else "signed with Ed25519 alone"
        lines.append(words + (f"; with Ed25519 alone by {', '.join(short)}" if lasting and short else ""))
    return lines


def _cosigners(policy: Policy, chain: Chain) -> list[str]:
    """Return the policy's names of those keys of type 0x06 that signed the checkpoint."""
    return [name for name in chain.opened.cosigned_unix_s if policy.witnesses[name].kind == TYPE_MLDSA44]


def _signers(chain: Chain, told: Told) -> tuple[list[str], list[str]]:
    """Return the parties that signed an entry with ML-DSA-44, and those that did not."""
    keys = [chain.registry.keys[keyid] for keyid in told.statement.signers]
    lasting = {key.owner for key in keys if key.public_key.algorithm == MLDSA44}
    return sorted(lasting), sorted({key.owner for key in keys} - lasting)
