"""What the evidence comes to, in one sentence and the reason for it; the conclusion is that of `evidence.json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.report import numbers
from ledger.party.evidence.report.examples import sealed_marks
from ledger.party.evidence.report.facts import Facts, read_facts
from ledger.party.marks.weight import (
    CODE_CONTROLS_MILLIBITS,
    MAX_BOUND,
    as_often,
    is_shared,
    odds,
    undistinguished,
    weighed,
)
from ledger.party.trace.registered import first_handled_ms


@dataclass(frozen=True)
class Verdict:
    """What the evidence comes to: one sentence, and why. `is_conditional`: the found file is not in the bundle."""

    is_enough: bool
    headline: str
    reason: str
    is_conditional: bool = False


def judge_evidence(documents: Documents) -> Verdict:
    """Return what the conclusion of `evidence.json` says, in words."""
    facts, ended = read_facts(documents), documents.evidence["conclusion"]
    is_conditional = not facts.is_file_here
    before = "Conditional, for the file that was found is not in the bundle: " if is_conditional else ""
    if "score_millibits" not in ended:
        return Verdict(
            is_enough=False,
            is_conditional=is_conditional,
            headline=_sentence(f"{before}the evidence is not enough to say from which copy the file derives."),
            reason="No marks of that copy were opened. Matching records alone have no error bound: others may hold "
            "the same records.",
        )
    score, needed = ended["score_millibits"], ended["needed_millibits"]
    compared = (
        f"The score is {numbers.bits(score)} bits; {numbers.bits(needed)} bits are needed for the bound that "
        f"{facts.sender} {'and ' + facts.respondent + ' agreed on' if facts.is_agreed else 'stated'}"
    )
    if not ended["is_enough"]:
        return Verdict(
            is_enough=False,
            is_conditional=is_conditional,
            headline=_sentence(f"{before}the evidence is not enough to say that the file derives from {facts.copy}."),
            reason=f"{compared}. {' '.join(_lacking(documents, facts))}",
        )
    return Verdict(
        is_enough=not is_conditional,
        is_conditional=is_conditional,
        headline=_sentence(f"{before}if {facts.premise()}, {facts.file()} derives from {facts.copy}."),
        reason=" ".join(
            [
                f"{compared}.",
                f"Had the file nothing to do with that copy, so high a score had a chance of {odds(score)}.",
                *filter(None, [weighed(ended, documents.evidence["hypotheses"])]),
                undistinguished(facts.respondent, facts.sender),
                facts.held(),
            ]
        ),
    )


def _lacking(documents: Documents, facts: Facts) -> Iterator[str]:
    """Yield why it is not enough (docs/marks.md §5)."""
    evidence = documents.evidence
    ended = evidence["conclusion"]
    is_low = ended["score_millibits"] < ended["needed_millibits"]
    examined_ms = first_handled_ms(evidence["custody"], evidence.get("registration"))
    is_before = examined_ms is not None and examined_ms < facts.offer.time_ms
    bound = Decimal(facts.stated["bound"]) if facts.stated is not None else Decimal(0)
    if is_low:
        yield _too_low(documents, facts)
    if is_before:
        yield "The file was examined before the marks of that copy were sealed: it cannot derive from it."
    if bound > MAX_BOUND:
        yield "That bound is above 0.001: whoever is content to accuse so often falsely shows nothing."
    above = CODE_CONTROLS_MILLIBITS if facts.is_code else 0
    if evidence["controls"].get("greatest_millibits", -1) >= ended["needed_millibits"] + above:
        yield "A control, which must stay below what is needed, does not."
    elif not is_low and not is_before and bound <= MAX_BOUND:  # nothing else is asked for
        yield "Fewer than three different marks were found, and so few can travel by accident."


def _too_low(documents: Documents, facts: Facts) -> str:
    """Return why the score is too low: what is left of the columns tells no planted row from others, or little is."""
    evidence = documents.evidence
    own = next(item for item in evidence["marks"] if item["transfer"] == documents.case.transfer)
    sealed = sealed_marks(documents)
    if "drawn" not in own or not is_shared(*(own[name] for name in ("found", "drawn", "others_found", "others"))):
        return "The score is too low."
    compared = len(evidence["mapping"])
    columns = len(sealed["columns"]) if sealed is not None else compared
    method = str(facts.stated["method"]) if facts.stated is not None else ""
    return f"{_sentence(as_often(own, method, compared, columns))}."


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
