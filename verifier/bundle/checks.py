"""The checks of an evidence bundle, in their order, and what each can leave behind (docs/bundle.md §6)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from verifier.core.verdict import exit_code
from verifier.core.words import escape


class BundleCheck(Enum):
    """One check; its first value is the name that reports carry."""

    FORM = "bundle-form", "the file is a bundle: its ZIP, its manifest, what is in it, the form of every JSON file"
    CHECKPOINT = "checkpoint", "the checkpoint is signed by the policy's log key, and by its quorum"
    RECEIPT = "receipt", "what proves the entries leads from each of them to that checkpoint"
    ENTRY = "entry", "every entry has the right form, index, link and time"
    SIGNATURE = "signature", "exactly the signers signed, with keys that were theirs then"
    ACCEPTANCE = "acceptance", "the ledger was right to record every statement"
    PARTY = "party", "a pinned party has the pinned key"
    HISTORY = "history", "every history is signed by the service key, of this checkpoint, and leaves nothing out"
    CASE = "case", "what the case names is in the bundle, of the right type, and belongs together"
    DISCLOSURE = "disclosure", "every disclosure opens its place, the claim's evidence its trace"
    RECORD = "record", "every opened record is of the content that was handed over"
    FOUND = "found", "the found file is the one that the evidence is about"
    CUSTODY = "custody", "the chain of custody leads from the registration on the ledger to the found file"
    MATCH = "match", "every match of a found row with an opened record is one"
    MARKS = "marks", "the seals of marks are all named, and what was found of them was in the copy"
    SCORE = "score", "the numbers of the evidence follow from it"
    CONTROL = "control", "so do those of the controls"
    JUDGEMENT = "judgement", "the judgement follows from the entries"
    TIME = "time", "what dates the entries is of this log, and signed as it says"

    def __init__(self, slug: str, line: str) -> None:
        self.slug = slug
        """Stable name."""
        self.line = line
        """What holds when the check passes."""

    @property
    def position(self) -> int:
        """Where it stands among the others."""
        return list(BundleCheck).index(self)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something false, or, among doubts, something that could not be told."""

    check: BundleCheck
    reason: str
    where: str = ""
    """A path in the bundle, and a pointer or name in what stands there."""
    expected: str = ""
    actual: str = ""

    def describe(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return asdict(self) | {"check": self.check.slug}

    def format(self) -> str:
        """Return it as a line."""
        words = f"[{self.check.slug}] {self.reason}" + (f" at {self.where}" if self.where else "")
        if self.expected:
            words += f": expected {self.expected}, found {self.actual}"
        elif self.actual:
            words += f": {self.actual}"
        return escape(f"{words}. Should hold: {self.check.line}")


NOT_READ = "file-not-read"
"""The doubt of `found` where the found file is not in the bundle, and was not given."""


class Unverifiable(Exception):
    """A failed check that ends the examination: nothing after it would mean anything."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.reason)


@dataclass(slots=True)
class Outcome:
    """What the checks have left behind so far."""

    failures: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)

    def fail(
        self, check: BundleCheck, reason: str, where: str = "", expected: object = "", actual: object = ""
    ) -> None:
        """Note something false."""
        self.failures.append(Fault(check, reason, where, str(expected), str(actual)))

    def doubt(self, check: BundleCheck, reason: str, where: str = "", actual: object = "") -> None:
        """Note something that could not be told."""
        self.doubts.append(Fault(check, reason, where, "", str(actual)))

    def stop_if_false(self) -> None:
        """End the examination if anything was false: raises `Unverifiable` for the first of it."""
        if self.failures:
            raise Unverifiable(self.failures[0])

    def sort(self) -> None:
        """Put both lists in the order of the checks."""
        self.failures.sort(key=lambda fault: fault.check.position)
        self.doubts.sort(key=lambda fault: fault.check.position)

    @property
    def is_conditional(self) -> bool:
        """Nothing is in doubt but the found file, which nobody gave: what follows for it rests on somebody's word."""
        return not self.failures and {fault.reason for fault in self.doubts} == {NOT_READ}

    @property
    def exit_code(self) -> int:
        """1 if anything is false, else 3 if anything could not be told, else 0."""
        return exit_code(self.failures, self.doubts)
