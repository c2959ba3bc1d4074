"""An examined bundle for people and for programs: as JSON, as text, and as a page. Nothing is decided here."""

from __future__ import annotations

from html import escape as escape_html
from typing import TYPE_CHECKING, Any

from verifier.bundle.facts import read_facts
from verifier.bundle.lasting import describe_lasting, lasting_words
from verifier.bundle.pool import PoolMarks
from verifier.bundle.pool_words import item_words
from verifier.bundle.score import millibits
from verifier.bundle.sentences import format_bits
from verifier.bundle.times import describe_bounds, entries_of
from verifier.bundle.weight import support
from verifier.bundle.words import (
    conditional,
    custody,
    history_words,
    is_enough,
    latest,
    proved,
    remains_open,
    signers_of,
    times,
)
from verifier.core.ids import id_text
from verifier.core.verdict import FAILED, VERIFIED, describe_checkpoint, format_checkpoint, format_code, verdict_word
from verifier.core.words import escape, format_time, quote
from verifier.judgement.pins import format_evidence, party_evidence, party_status
from verifier.judgement.words import describe_finding, format_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.bundle.bundle import Examination
    from verifier.bundle.entries import Chain

TYPE = "provenance-ledger.bundle-report/v1"
CONDITIONAL = "conditional"
"""The verdict where everything holds, and no program read the found file."""
Section = tuple[str, list[str]]
"""A title and its lines."""


def verdict(examination: Examination) -> str:
    """Return the last word: what was verified, and whether that shows where the file comes from."""
    code = examination.exit_code
    if examination.is_conditional:
        return (
            "CONDITIONAL: every part of it was checked, but no program read the found file; what follows rests on the "
            f"word of whoever says that the rows shown are in it (exit {code})"
        )
    words = None
    if code == VERIFIED:
        shown = "shown" if is_enough(examination) else "not shown"
        words = f": every part of it was checked, and the origin of the file is {shown}"
    elif code == FAILED:
        words = ": the bundle is not what it claims to be"
    return format_code(code, words)


def _parties(examination: Examination, chain: Chain) -> list[dict[str, Any]]:
    case, registry = examination.case, chain.registry
    roles: dict[str, list[str]] = {registry.operator: ["operator"]}
    if case is not None:
        for role, name in (
            ("claimant", case.raw["claimant"]),
            ("respondent", case.respondent),
            ("sender", case.sender),
        ):
            roles.setdefault(name, []).append(role)
    facts = chain.judge(examination.bundle.disclosures).facts if examination.bundle is not None else None
    described = []
    for name, index in registry.parties.items():
        evidence = party_evidence(registry, facts, (), name) if facts is not None else None
        status, by = party_status(registry, examination.pins.pinned, name, evidence)
        certificate = None if evidence is None else format_evidence(evidence)
        described.append(
            {"name": name, "index": index, "status": status, "by": by, "roles": roles.get(name, []),
             "certificate": certificate}
        )  # fmt: skip
    return described


def _entries(chain: Chain) -> list[dict[str, Any]]:
    return [
        {
            "index": told.index,
            "id": id_text(told.statement.id),
            "type": told.kind,
            "issuer": told.issuer,
            "signed_by": signers_of(chain, told),
            "time_ms": told.time_ms,
        }
        for told in chain.told.values()
    ]


def _describe_dating(examination: Examination) -> dict[str, Any]:
    dating, chain, case = examination.dating, examination.chain, examination.case
    if dating is None or chain is None or case is None:
        return {}
    bounds = [describe_bounds(dating, chain, told) for told in entries_of(case, chain)]
    return dating.describe() | {"bounds": bounds}


def describe(examination: Examination) -> dict[str, Any]:
    """Return everything that is known of the bundle as a JSON value."""
    chain, case, bundle, outcome = examination.chain, examination.case, examination.bundle, examination.outcome
    witness = latest(examination)
    is_settled = examination.is_settled and bundle is not None
    evidence = bundle.evidence if is_settled and bundle is not None else {}
    return {
        "type": TYPE,
        "verdict": CONDITIONAL if examination.is_conditional else verdict_word(examination.exit_code),
        "exit_code": examination.exit_code,
        "is_enough": is_enough(examination),
        "proved": proved(examination),
        "conditional": conditional(examination),
        "weight": _describe_weight(examination),
        "origin": examination.log.name,
        "ledger": chain.ledger if chain is not None and chain.registry.ledger else None,
        "checkpoint": describe_checkpoint(chain.opened if chain is not None else None, examination.policy),
        "completeness": {"status": examination.completeness or None, "sentence": history_words(examination)},
        "case": case.raw if case is not None else None,
        "parties": _parties(examination, chain) if chain is not None and case is not None else [],
        "entries": _entries(chain) if chain is not None else [],
        "times": {
            "not_after": None if witness is None else {"witness": witness[0], "time_unix_s": witness[1]},
            "sentences": times(examination),
            **_describe_dating(examination),
        },
        "if_ed25519_falls": None if chain is None or case is None
        else describe_lasting(examination.policy, chain, case),
        "score": {name: evidence[name] for name in ("conclusion", "marks", "controls", "hypotheses", "counts")
                  if name in evidence},
        "registration": None if examination.registration is None else examination.registration.describe(),
        "custody": bundle.evidence["custody"] if bundle is not None and case is not None else [],
        "acts": examination.acts,
        "findings": [describe_finding(item) for item in examination.judgement.findings],
        "undetermined": [describe_finding(item) for item in examination.judgement.undetermined],
        "made": bundle.made if bundle is not None else None,
        "open": remains_open(examination),
        "failures": [fault.describe() for fault in outcome.failures],
        "doubts": [fault.describe() for fault in outcome.doubts],
    }  # fmt: skip


def _describe_weight(examination: Examination) -> dict[str, Any] | None:
    """Return the likelihood ratio, this copy against another or none, and its words; None where none is given."""
    facts = read_facts(examination) if examination.is_settled else None
    if facts is None or facts.score is None or facts.score.ratio is None:
        return None
    return {"ratio_millibits": facts.score.ratio, "support": support(facts.score.ratio)}


def sections(examination: Examination) -> list[Section]:
    """Return the whole report in words, for whatever shows it; every line is safe on a terminal."""
    chain, case, outcome = examination.chain, examination.case, examination.outcome
    parts: list[Section] = []
    if case is not None:
        parts.append(("The question", [quote(case.raw["question"])]))
    parts.append(("What is proved", proved(examination)))
    parts.append(("What would follow, if the rows shown are in the file that was found", conditional(examination)))
    if chain is not None and case is not None:
        parts += [
            ("How much of the history is here", [history_words(examination)]),
            ("Who signed", [_party_line(party) for party in _parties(examination, chain)]),
            ("What was signed, in this order", _entry_lines(chain)),
            ("When", times(examination)),
            ("If Ed25519 falls", lasting_words(examination.policy, chain, case)),
            ("How the found file came here, as is said", custody(examination)),
        ]
        if examination.is_settled:
            parts.append(("The numbers", _score_lines(examination)))
            parts.append(("The acts that are alleged", _act_lines(examination)))
            parts.append(
                ("What parties did wrong, by these entries", list(map(_stripped, examination.judgement.findings)))
            )
            undetermined = list(map(_stripped, examination.judgement.undetermined))
            parts.append(("What cannot be judged: what decides it is sealed", undetermined))
        parts.append(("Checked against", format_checkpoint(chain.opened, examination.policy)))
    parts += [
        ("What remains open", remains_open(examination)),
        ("False", [fault.format() for fault in outcome.failures]),
        ("Could not tell", [fault.format() for fault in outcome.doubts]),
    ]
    return [(title, [escape(line) for line in lines]) for title, lines in parts if lines]


def _stripped(finding: Any) -> str:  # noqa: ANN401 (a Finding)
    return format_finding(finding).strip()


def _party_line(party: dict[str, Any]) -> str:
    words = f"{party['name']}: {party['status']}" + (f" by {party['by']}" if party["by"] else "")
    words += f" ({', '.join(party['roles'])})" if party["roles"] else ""
    return words + (f"; certificate: {party['certificate']}" if party["certificate"] else "")


def _entry_lines(chain: Chain) -> list[str]:
    return [
        f"entry {told.index}: {told.kind}, {format_time(told.time_ms)}, signed by {', '.join(signers_of(chain, told))}"
        for told in chain.told.values()
    ]


def _score_lines(examination: Examination) -> list[str]:
    bundle = examination.bundle
    if bundle is None:
        return []
    evidence = bundle.evidence
    lines = [
        f"{item['transfer']}: {item_words(item)}"
        + (f", score {format_bits(item['score_millibits'])}" if item["status"] == "opened" else "")
        for item in evidence["marks"]
    ]
    lines += _paid_lines(examination)
    greatest = evidence["controls"].get("greatest_millibits")
    if greatest is not None:
        lines.append(f"The greatest score of a control: {format_bits(greatest)}")
    lines += [
        f"The same test of {item['party']}: {format_bits(item['score_millibits'])}"
        for item in evidence["controls"]["others"]
    ]
    for item in evidence["hypotheses"]:
        if item["hypothesis"] == "chance":  # earlier programs wrote `public` and `chance`: the same, twice
            continue
        who = f" ({item['party']})" if "party" in item else ""
        name = "nothing that was marked" if item["hypothesis"] in {"none", "public"} else f"{item['hypothesis']}{who}"
        lines.append(
            f"If it came from {name}: {format_bits(item['expected_milli'])} marks expected, "
            f"{item['observed']} found, a surprise of {format_bits(item['surprise_millibits'])} bits"
        )
    return lines


def _paid_lines(examination: Examination) -> list[str]:
    """Return A(j) of docs/marks.md §9.3 for every column, so that what the mapping costs can be added up by hand."""
    own = examination.tried.own if examination.tried is not None else None
    if not isinstance(own, PoolMarks) or examination.found is None or not examination.found.is_read:
        return []
    each = ", ".join(f"{quote(name)} {count}" for name, count in own.pool.alternatives())
    paid = format_bits(millibits(own.pool.paid))
    return [
        f"The mapping's choice is paid for by {paid} bits, the sum of log2(1 + A) over the columns, A being: {each}"
    ]


def _act_lines(examination: Examination) -> list[str]:
    case = examination.case
    acts = case.raw["acts"] if case is not None else []
    lines = []
    for act, decided in zip(acts, examination.acts, strict=True):
        stated = ", ".join(f"{name} {quote(act[name])}" for name in sorted(act) if name not in _UNSAID)
        entries = ", ".join(map(str, decided["entries"]))
        lines.append(
            f"{act['action']} at {format_time(act['at_ms'])}" + (f" ({stated})" if stated else "")
            + f": {decided['decision']}, by entries {entries}. That it was done is not proved here."
        )  # fmt: skip
    return lines


_UNSAID = frozenset({"action", "at_ms", "license"})


def _with(examination: Examination, more: Sequence[Section]) -> list[Section]:
    return [*sections(examination), *((title, [escape(line) for line in lines]) for title, lines in more if lines)]


def format_text(examination: Examination, name: str, more: Sequence[Section] = ()) -> str:
    """Return the report in plain language; `name` is the bundle's, `more` what stands behind it."""
    lines = [f"Bundle {escape(name)}"]
    for title, part in _with(examination, more):
        lines += ["", title, *(f"  {line}" for line in part)]
    return "\n".join([*lines, "", verdict(examination)])


_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}"
    "h1,h2{line-height:1.2}.verdict{padding:1rem;border:.2rem solid}@media print{body{margin:0}}"
)


def format_html(examination: Examination, name: str, more: Sequence[Section] = ()) -> str:
    """Return the report, and `more`, as one page that loads nothing and runs nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>Bundle {escape_html(escape(name))}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>Bundle {escape_html(escape(name))}</h1>",
        f'<p class="verdict"><strong>{escape_html(verdict(examination))}</strong></p>',
    ]
    for title, lines in _with(examination, more):
        items = "".join(f"<li>{escape_html(line)}</li>" for line in lines)
        parts.append(f"<section><h2>{escape_html(title)}</h2><ul>{items}</ul></section>")
    return "\n".join([*parts, "</main></body></html>\n"])
