"""What an examined bundle comes to, in sentences that say no more than was checked (docs/bundle.md §6).

Everything here is text of this program around values that were verified; what somebody wrote stands in quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.bundle.case import BY_OPERATOR, COMPLETE
from verifier.bundle.custody import first_handled_ms
from verifier.bundle.marks import opened_value
from verifier.bundle.times import entries_of, format_bounds
from verifier.core.verdict import VERIFIED
from verifier.core.words import format_time, quote

if TYPE_CHECKING:
    from verifier.bundle.bundle import Examination
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.bundle.marks import Seal
    from verifier.rules.subject import Told

NOT_WHO = (
    "It is not proved which of the two let it out: the sender made that copy, and held it too. Nor is it proved that "
    "anybody meant to."
)
_SURPRISING_MILLIBITS = 20_000
"""What happens once in a million times is said."""
NOT_THAT_IT_HAD_IT = "It is not proved who let it out, nor that anybody meant to."


def format_bits(millibits: int) -> str:
    """Return thousandths of a bit as bits."""
    return f"{millibits // 1000}.{millibits % 1000:03d}"


def is_enough(examination: Examination) -> bool:
    """Tell whether a verified bundle shows where the file comes from."""
    bundle = examination.bundle
    return examination.exit_code == VERIFIED and bundle is not None and bundle.evidence["conclusion"]["is_enough"]


def proved(examination: Examination) -> list[str]:
    """Return what is proved, or why nothing is."""
    bundle, case = examination.bundle, examination.case
    if examination.exit_code != VERIFIED or bundle is None or case is None:
        return ["Nothing: a check failed, or could not be made."]
    if not is_enough(examination):
        return [_not_enough(examination)]
    conclusion, found = bundle.evidence["conclusion"], bundle.evidence["found"]
    score = conclusion["score_millibits"]
    is_read = examination.found is not None and examination.found.is_read
    subject = "The file" if is_read else "If the rows shown are in it, the file"
    origin = (
        f"{subject} {quote(found['name'])} (SHA-256 {found['sha256']}) derives from the copy that {case.sender} made "
        f"for {case.respondent}, the hand-off of entry {case.transfer.index}. {_holders(examination, case)}"
    )
    seal = examination.tried.own if examination.tried is not None else None
    innocent = (
        "Somebody whose copy had no part in it would seem to have one this clearly"
        if seal is not None and seal.is_code
        else "A file that owes nothing to that copy would hold so many of its marks"
    )
    chance = (
        f"{innocent} with a chance of at most one in 2^{score // 1000} (a score of {format_bits(score)} bits, where "
        f"{format_bits(conclusion['needed_millibits'])} were needed{_for_seals(conclusion['seals'])}). No control "
        f"reached what was needed."
    )
    return [origin, chance, NOT_WHO if _acknowledged(examination, case) is not None else NOT_THAT_IT_HAD_IT]


def _acknowledged(examination: Examination, case: Case) -> int | None:
    """Return the entry by which the recipient says that it has the copy; None without one."""
    chain = examination.chain
    if chain is None:
        return None
    transfer = chain.registry.transfers[case.transfer.statement.id]
    return transfer.decided_index if transfer.state == "acknowledged" else None


def _holders(examination: Examination, case: Case) -> str:
    index = _acknowledged(examination, case)
    if index is None:
        return f"{case.sender} held it; that {case.respondent} ever had it is not proved: it did not acknowledge it."
    return f"Both of them held it: {case.respondent} acknowledged it at entry {index}."


def _for_seals(seals: int) -> str:
    return f", for {seals} seals that could have been picked" if seals > 1 else ""


def _not_enough(examination: Examination) -> str:
    bundle = examination.bundle
    conclusion = bundle.evidence["conclusion"] if bundle is not None else {}
    if "score_millibits" not in conclusion:
        return "Nothing about where the file comes from: no marks of the hand-off were opened."
    case = examination.case
    if bundle is not None and case is not None:
        examined_ms = first_handled_ms(bundle.evidence)
        if examined_ms is not None and examined_ms < case.transfer.time_ms:
            return (
                f"Nothing about where the file comes from: it was examined at {format_time(examined_ms)}, "
                f"before the marks were sealed at {format_time(case.transfer.time_ms)} (entry {case.transfer.index})."
            )
    return (
        f"Nothing about where the file comes from: its marks reach {format_bits(conclusion['score_millibits'])} bits, "
        f"and {format_bits(conclusion['needed_millibits'])} are needed, or a control reaches that too."
    )


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
    lines += _about_receipt(examination, chain, case)
    lines += _about_found(examination)
    lines += _about_marks(examination)
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


def _about_receipt(examination: Examination, chain: Chain, case: Case) -> list[str]:
    """Say how far the recipient is bound to the content."""
    transfer = chain.registry.transfers[case.transfer.statement.id]
    if transfer.decided_index is None:
        return [f"Nothing here says that {case.respondent} received the copy: neither acknowledged nor refused."]
    where = f"entry {transfer.decided_index}"
    if transfer.state == "refused":
        return [f"{case.respondent} refused the hand-off, {where}."]
    told, bundle = chain.told[transfer.decided_index], examination.bundle
    received = None if bundle is None else opened_value(bundle, told, "/content")
    offered = None if bundle is None else opened_value(bundle, case.transfer, "/content")
    if received is None or offered is None:
        sealed = f"{case.respondent} acknowledged the hand-off ({where}) under a seal of its own, which was not opened"
        return [f"{sealed}: that it signed for this very content is not shown."]
    if received != offered:
        return [f"{case.respondent} signed for another content ({where}) than was offered."]
    return [f"{case.respondent} signed for the content ({where}): it computed it, or was told it."]


def _about_found(examination: Examination) -> list[str]:
    bundle, found = examination.bundle, examination.found
    if bundle is None or found is None:
        return []
    lines = []
    if not found.is_read:
        who = sorted({quote(item["who"]) for item in bundle.evidence["custody"]})
        named = ", ".join(who) or "nobody named"
        lines.append(
            f"That the rows shown are in the found file, how many others are, and that no control is among these, is "
            f"the word of {named}."
        )
    lines.append("Where the file was found, and by whom, is the word of whoever says so.")
    lines.append("How many records were found, and how many others hold them, is the claimant's word.")
    return lines


def _about_marks(examination: Examination) -> list[str]:
    tried, case = examination.tried, examination.case
    if tried is None or case is None:
        return []
    lines = []
    withheld = len(tried.handoffs) - sum(told.statement.id in tried.seals for told in tried.handoffs)
    if withheld:
        lines.append(f"{withheld} seals of marks for {case.respondent} were not opened; the bound counts them.")
    closed = sum(told.statement.id not in tried.seals for told in tried.others)
    if closed:
        lines.append(f"{closed} seals of marks for other recipients were not opened: they were not tried on the file.")
    if tried.own is not None:
        lines += _about_seal(tried.own, case)
    bundle = examination.bundle
    return lines + ([] if bundle is None else _about_fit(bundle.evidence["hypotheses"]))


def _about_fit(hypotheses: list[dict[str, Any]]) -> list[str]:
    """Say where so many marks are not what a part of that copy would hold: whoever knew the marks can cause that."""
    for item in hypotheses:
        if item["hypothesis"] == "recipient" and item["surprise_millibits"] >= _SURPRISING_MILLIBITS:
            return [
                (
                    f"A part of that copy taken at random, as large as what was found, would hold about "
                    f"{item['expected_milli'] // 1000} of its marks, and {item['observed']} were found: rows were "
                    f"chosen, copies were pooled, or somebody who knew the marks added or removed them."
                )
            ]
    return []


def _about_seal(seal: Seal, case: Case) -> list[str]:
    how = "drawn by a program" if seal.value["origin"] == "drawn" else "brought by the company"
    return [
        f"That the marks stand nowhere else, and how unlikely each was, is the word of {case.sender} ({how}).",
        f"The marks were sealed at entry {case.transfer.index}: that this was before the leak rests on its time.",
    ]
