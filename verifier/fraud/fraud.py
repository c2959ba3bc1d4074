"""Checking a fraud proof, offline, with nothing but a policy (docs/format.md §19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.core.errors import MalformedInput
from verifier.core.verdict import FAILED, UNKNOWN, VERIFIED
from verifier.fraud.form import UntoldFraud, parse_fraud
from verifier.fraud.kinds import Proof, prove
from verifier.fraud.parts import NotProven, open_parts

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey
    from verifier.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file proves, or why it does not."""

    exit_code: int
    """0: it proves what it claims; 1: it does not; 3: could not be told."""
    kind: str = ""
    """Of the fraud, where the file could be read."""
    proof: Proof | None = None
    reason: str = ""
    where: str = ""


def verify_fraud(raw: bytes, policy: Policy, log: VerifierKey) -> Verdict:
    """Check that a file proves what it claims about the operator of `log`; nothing raises."""
    kind = ""
    try:
        fraud = parse_fraud(raw)
        kind = fraud.kind
        return Verdict(VERIFIED, kind, prove(open_parts(fraud, policy, log)))
    except UntoldFraud as error:
        return Verdict(UNKNOWN, kind, reason=error.reason, where=error.detail)
    except MalformedInput as error:
        return Verdict(FAILED, kind, reason=error.reason, where=error.detail)
    except NotProven as error:
        return Verdict(FAILED, kind, reason=error.reason, where=error.where)
