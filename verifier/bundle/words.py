"""What an examined bundle comes to, in sentences that say no more than was checked (docs/bundle.md §6).

Everything here is text of this program around values that were verified; what somebody wrote stands in quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.bundle.case import BY_OPERATOR, COMPLETE
from verifier.bundle.facts import read_facts
from verifier.bundle.sentences import UNREAD, about_found, about_marks, about_receipt, origin
from verifier.bundle.times import entries_of, format_bounds
from verifier.core.verdict import VERIFIED
from verifier.core.words import format_time, quote

if TYPE_CHECKING:
    from verifier.bundle.bundle import Examination
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.rules.subject import Told


def is_enough(examination: Examination) -> bool | None:
    """Tell whether a bundle shows where the file comes from; None: only if somebody's word about the file holds."""
    facts = read_facts(examination)
    if facts is None or facts.shortcomings or not (examination.is_conditional or examination.exit_code == VERIFIED):
        return False
    return None if examination.is_conditional else True


def proved(examination: Examination) -> list[str]:
    """Return what is proved, or why nothing is."""
    if examination.is_conditional:
        return [UNREAD]
    facts = read_facts(examination)
    if examination.exit_code != VERIFIED or facts is None:
        return ["Nothing: a check failed, or could not be made."]
    return origin(facts)


def conditional(examination: Examination) -> list[str]:
    """Return what would follow for a file that holds the rows shown, where no program read one."""
    facts = read_facts(examination)
    return origin(facts) if examination.is_conditional and facts is not None else []


def history_words(examination: Examination) -> str:
    """Return in a sentence how much of the history is in the bundle."""
    chain = examination.chain
    if chain is None or not examination.completeness:
        return "unknown: the entries did not pass"
    size, count = chain.opened.checkpoint.size, len(chain.indexes)
    if examination.completeness == COMPLETE:
        return f"complete: all {size} entries of the log are in the bundle"
    if examination.completeness == BY_OPERATOR:
        return (
            f"complete according to the operator: it signed that, below size {size}, nothing else concerns the listing "
            f"({count} entries are here)"
        )
    return (
        f"omissions possible: {count} of {size} entries are here, and nothing says that no other concerns the listing"
    )


def signers_of(chain: Chain, told: Told) -> list[str]:
    """Return whose keys signed an entry."""
    return sorted({chain.registry.keys[keyid].owner for keyid in told.statement.signers})


def latest(examination: Examination) -> tuple[str, int] | None:
    """Return the independent witness with the earliest cosignature, and its time (Unix seconds); None without one."""
    if examination.chain is None:
        return None
    opened = examination.chain.opened
    own = examination.policy.own_names(opened.checkpoint.origin)
    cosigned = [(at, name) for name, at in opened.cosigned_unix_s.items() if name not in own]
    return min(cosigned)[::-1] if cosigned else None


def times(examination: Examination) -> list[str]:
    """Return what is known of when, and by whose word."""
    case, witness = examination.case, latest(examination)
    if case is None:
        return []
    lines = ["When each entry was recorded is the operator's word; their order is proved."]
    if witness is None:
        lines.append("No witness says that they were there at any time: how late they were made is not bounded.")
    else:
        name, at_unix_s = witness
        lines.append(f"At the latest {format_time(at_unix_s * 1000)} all of them were there: the word of {name}.")
    if examination.registration is not None:
        lines.append(examination.registration.format_proved())
    dating, chain = examination.dating, examination.chain
    if dating is None or chain is None:
        return [*lines, "At the earliest: nothing but the operator's times says so."]
    lines += [format_bounds(dating, chain, told) for told in entries_of(case, chain)]
    return lines + [f"{item.format()[0].upper()}{item.format()[1:]}." for item in dating.untold]


def custody(examination: Examination) -> list[str]:
    """Return how the found file came here, as those say who had it."""
    bundle = examination.bundle
    if bundle is None or examination.case is None:
        return []
    return ([examination.registration.format_said()] if examination.registration else []) + [
        f"{format_time(item['at_ms'])}, {quote(item['who'])}: {quote(item['what'])}"
        + (f", with {', '.join(map(quote, item['tools']))}" if item["tools"] else "")
        for item in bundle.evidence["custody"]
    ]


def remains_open(examination: Examination) -> list[str]:
    """Return what the bundle leaves open, a sentence each."""
    bundle, chain, case = examination.bundle, examination.chain, examination.case
    if bundle is None or chain is None or case is None:
        return []
    lines = []
    if one_signer := examination.policy.one_signer(chain.opened.checkpoint.origin):
        lines.append(f"{one_signer.capitalize()}.")
    lines += _about_keys(examination, chain, case)
    facts = read_facts(examination)
    if facts is not None:
        lines += [about_receipt(facts), *about_found(facts), *about_marks(facts)]
    if bundle.tokens and examination.dating is None:
        lines.append(f"{len(bundle.tokens)} time-stamp tokens are in the bundle, and were not checked.")
    if examination.judgement.undetermined:
        lines.append(f"{len(examination.judgement.undetermined)} points cannot be judged: what decides them is sealed.")
    lines.append("The reports in the bundle were not read: they prove nothing that this program does not say.")
    return lines


def _about_keys(examination: Examination, chain: Chain, case: Case) -> list[str]:
    """Say of whom nothing tells that no key was revoked, or called stolen, by an entry that is not here."""
    if chain.is_whole:
        return []
    told = {
        subject for history in examination.histories if history.indexes <= chain.indexes for subject in history.subjects
    }
    names = sorted({case.raw["claimant"], case.respondent, case.sender} - told)
    return (
        [f"No signed history says that no entry left out revokes a key of {', '.join(names)}, or calls one stolen."]
        if names
        else []
    )
