"""What a replay establishes, while it runs and in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from verifier.core.checks import Check, Doubt, Failure, Finding
from verifier.core.notes import Checkpoint
from verifier.core.policy import OpenedCheckpoint, Policy
from verifier.core.tree import Tree
from verifier.core.verdict import exit_code
from verifier.judgement.identity import Roots
from verifier.judgement.judge import Judge, Judgement
from verifier.judgement.pins import PinCheck
from verifier.replay.state import ReplayState
from verifier.rules.registry import Registry
from verifier.sources.several import View
from verifier.sources.source import Location

if TYPE_CHECKING:
    from verifier.core.notes import VerifierKey


@dataclass(slots=True)
class Replay:
    """What a replay established so far, or in the end."""

    location: Location
    log: VerifierKey
    policy: Policy
    opened: OpenedCheckpoint | None = None
    tree: Tree = field(default_factory=Tree)
    registry: Registry = field(default_factory=Registry)
    failures: list[Failure] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    judge: Judge = field(default_factory=Judge)
    judgement: Judgement = field(default_factory=Judgement)
    """What follows from the entries judged, once the replay has ended."""
    resumed_size: int = 0
    """Entries that an earlier replay vouches for."""
    remembered: bytes = b""
    """The signed checkpoint of that replay: with a contradicting one, proof of a fork."""
    judged_size: int = 0
    """Entries judged by the rules."""
    pins: PinCheck = field(default_factory=PinCheck)
    roots: Roots = ()
    """Issuers of certificates that the user knows."""
    views: list[View] = field(default_factory=list)
    """What each source showed, if there are several."""
    contradicting: list[OpenedCheckpoint] = field(default_factory=list)
    """Other checkpoints that the log signed and that are not of this tree: those that were time-stamped."""

    @property
    def is_complete(self) -> bool:
        """Every entry below the checkpoint's size was read, hashed and judged."""
        return self.opened is not None and self.judged_size == self.tree.size == self.opened.checkpoint.size

    @property
    def findings(self) -> list[Finding]:
        """What parties did, ascending by index."""
        return self.judgement.findings

    def exit_code(self, *, fail_on_findings: bool = False) -> int:
        """Return the exit code of this replay; 4 only where it was asked for."""
        return exit_code(self.failures, self.doubts, self.findings if fail_on_findings else ())

    def state(self) -> ReplayState:
        """Return what the next replay can start from; only a replay without failure or doubt may be remembered."""
        opened = self.opened
        if opened is None or self.failures or self.doubts:
            raise ValueError("only a green replay can be remembered")
        return ReplayState(opened.raw, self.tree, self.registry, self.judge)

    def fail(  # noqa: PLR0917 (the fields of a Failure, in their order)
        self,
        check: Check,
        reason: str,
        index: int | None = None,
        where: str = "",
        expected: str = "",
        actual: str = "",
    ) -> None:
        """Note something false, and go on."""
        self.failures.append(Failure(check, reason, index, where, expected, actual))

    def remembered_head(self) -> Checkpoint:
        """Return the checkpoint that the replay goes on from."""
        return Checkpoint(self.log.name, self.resumed_size, self.tree.root(self.resumed_size))
