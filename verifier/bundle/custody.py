"""What was found, registered on the ledger the day it was found, and a chain from there (docs/bundle.md §4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from verifier.bundle.checks import BundleCheck, Outcome
from verifier.bundle.marks import opened_value
from verifier.core.jcs import format_canonical
from verifier.core.words import format_time, quote

if TYPE_CHECKING:
    from verifier.bundle.case import Case
    from verifier.bundle.form import Bundle
    from verifier.rules.subject import Told

CLOCKS_DIFFER_BY_MS = 600_000
"""How far a claimant's clock may be ahead of the log's before its time of registration is false."""


@dataclass(frozen=True, slots=True)
class Registration:
    """That a file was committed to on the ledger, and since when it is therefore provably in hand."""

    told: Told
    link: dict[str, Any]
    sealed_at: Told
    """The hand-off whose marks the file is said to hold."""

    @property
    def is_before(self) -> bool:
        """Whether it was registered before the marks of the hand-off were sealed."""
        return self.told.index < self.sealed_at.index

    def describe(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {"by": self.told.issuer, "index": self.told.index, "is_before_marks": self.is_before,
                "link": self.link, "time_ms": self.told.time_ms}  # fmt: skip

    def format_proved(self) -> str:
        """Return since when the file was in hand, in a sentence."""
        order = "before" if self.is_before else "after"
        return (
            f"The found file was in hand at the latest when {self.told.issuer} registered its digest, entry "
            f"{self.told.index} ({format_time(self.told.time_ms)}), {order} the marks were sealed (entry "
            f"{self.sealed_at.index})."
        )

    def format_said(self) -> str:
        """Return how it was obtained, as was sealed with the digest."""
        acquisition = self.link["acquisition"]
        records = "".join(f", {item['kind']} {quote(item['name'])}" for item in acquisition["records"])
        second = f", beside {quote(acquisition['second'])}" if "second" in acquisition else ""
        return (
            f"{format_time(self.link['at_ms'])}, {quote(self.link['who'])}{second}: {quote(acquisition['how'])}, from "
            f"{quote(acquisition['address'])}{records} (sealed with the file's digest, and told so ever since)."
        )


def first_handled_ms(evidence: dict[str, Any]) -> int | None:
    """Return when the found file was in hand first, as custody and registration say; None if neither says."""
    moments = [item["at_ms"] for item in evidence["custody"][:1]]
    if "registration" in evidence:
        moments.append(evidence["registration"]["at_ms"])
    return min(moments, default=None)


def verify_custody(bundle: Bundle, case: Case, outcome: Outcome) -> Registration | None:
    """Check the registration and every link from it to the found file; return it if it holds."""
    link, told, where = bundle.evidence.get("registration"), case.registration, "evidence.json/registration"
    failures = len(outcome.failures)
    if link is None or told is None:
        if link is not None or told is not None or any("previous" in step for step in bundle.evidence["custody"]):
            outcome.fail(BundleCheck.CUSTODY, "not-registered", where)
        return None
    content = opened_value(bundle, told, "/content")
    if content is None:
        outcome.fail(BundleCheck.CUSTODY, "content-not-opened", "case.json/registration")
        return None
    raw = _line(link)
    committed = [(item["bytes"], item["sha256"]) for item in content["files"]]
    if committed != [(len(raw), sha256(raw).hexdigest())]:
        outcome.fail(BundleCheck.CUSTODY, "other-registration", where, committed, sha256(raw).hexdigest())
    registration = Registration(told, link, case.transfer)
    latest_ms = told.time_ms + CLOCKS_DIFFER_BY_MS
    if registration.is_before:
        latest_ms = min(latest_ms, case.transfer.time_ms - 1)
    if link["at_ms"] > latest_ms:
        outcome.fail(BundleCheck.CUSTODY, "later-than-entry", f"{where}/at_ms", f"≤ {latest_ms}", link["at_ms"])
    _verify_links(bundle.evidence, outcome)
    return registration if len(outcome.failures) == failures else None


def _verify_links(evidence: dict[str, Any], outcome: Outcome) -> None:
    """Follow the file's digest and the hash of each step, from the registration to what the evidence is about."""
    link, found = evidence["registration"], evidence["found"]
    previous, digest, is_linked = _line(link), link["file"]["sha256"], False
    for position, step in enumerate(evidence["custody"]):
        where = f"evidence.json/custody/{position}"
        if "previous" not in step:
            # What somebody did before it was registered hangs on nothing, and nothing may hang on it.
            if is_linked or step["at_ms"] > link["at_ms"]:
                outcome.fail(BundleCheck.CUSTODY, "not-linked", where)
            continue
        expected = (sha256(previous).hexdigest(), digest)
        if (step["previous"], step["before"]) != expected:
            outcome.fail(BundleCheck.CUSTODY, "broken-chain", where, expected, (step["previous"], step["before"]))
        if step["at_ms"] < link["at_ms"]:
            outcome.fail(BundleCheck.CUSTODY, "before-registration", where, link["at_ms"], step["at_ms"])
        previous, digest, is_linked = _line(step), step["after"], True
    if digest != found["sha256"]:
        outcome.fail(BundleCheck.CUSTODY, "other-file", "evidence.json/found/sha256", digest, found["sha256"])
    if link["file"]["sha256"] == found["sha256"] and link["file"]["bytes"] != found["bytes"]:
        outcome.fail(
            BundleCheck.CUSTODY, "other-file", "evidence.json/found/bytes", link["file"]["bytes"], found["bytes"]
        )


def _line(value: dict[str, Any]) -> bytes:
    return format_canonical(value) + b"\n"
