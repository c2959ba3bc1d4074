"""One entry in plain sentences, by its type (docs/statements.md §2 to §9; version 1: docs/format.md §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from verifier.core.words import escape, format_time, quote
from verifier.explain.terms import rules_words
from verifier.explain.values import Book
from verifier.terms.parsed import parse_terms

if TYPE_CHECKING:
    from verifier.rules.subject import Told

_ENDED = {
    "breach": "for breach",
    "convenience": "for convenience",
    "expired": "because it had expired",
    "insolvency": "because of insolvency",
    "other": "for another reason",
    "regulatory": "for a regulatory reason",
}
_REFUSED = {
    "digest-mismatch": "the digests differ from those promised",
    "not-received": "it was not received",
    "not-wanted": "it was not wanted",
    "other": "for another reason",
}
_BASIS = {
    "contract": "the contract",
    "court-order": "a court's order",
    "gdpr-17": "Article 17 of the GDPR",
    "other": "another basis",
    "pipl-47": "Article 47 of the PIPL",
}


def _subject(told: Told, book: Book, *names: str) -> str:
    """Return what the first of these fields that is there refers to."""
    name = next(name for name in names if name in told.body)
    return book.reference(name, told.body[name])


def _created(told: Told, book: Book) -> str:
    body = told.body
    opens = "anybody may register" if body["admission"] == "open" else "the operator admits who registers"
    words = f"{told.issuer} made this ledger and operates it, under version {body['rules']} of the rules; {opens}."
    return f"{words} How it stands to the parties, in its words: {book.value(told, 'relation')}."


def _rules_changed(told: Told, book: Book) -> str:  # noqa: ARG001 (every type is called alike)
    return (
        f"{told.issuer}, the operator, put version {told.body['rules']} of the rules in force from the next entry on."
    )


def _log_key_added(told: Told, book: Book) -> str:  # noqa: ARG001 (every type is called alike)
    return f"{told.issuer}, the operator, added the log key {escape(told.body['log_key'][:100])}."


def _log_key_retired(told: Told, book: Book) -> str:  # noqa: ARG001 (every type is called alike)
    return f"{told.issuer}, the operator, retired the log key {escape(told.body['log_key'][:100])}."


def _registered(told: Told, book: Book) -> str:
    body = told.body
    words = f"{told.issuer} registered under that name, with {len(body['keys'])} signing and "
    words += f"{len(body['recovery_keys'])} recovery keys."
    if "identity" not in body:
        return f"{words} It gave no evidence of who that is."
    identity = body["identity"]
    if type(identity) is not dict or "certificates" not in identity:
        return f"{words} It says who that is: {book.value(told, 'identity')}."
    rest = {name: f"/identity/{name}" for name in identity if name != "certificates"}
    said = [f"{name.replace('_', ' ')} {book.value_at(told, pointer)}" for name, pointer in rest.items()]
    certificates = "certificates that are sealed" if "sealed" in identity["certificates"] else "a chain of certificates"
    disclosed = " (disclosed)" if any(item.pointer == "/identity" for item in told.statement.opened) else ""
    return f"{words} It says who that is: {', '.join([*said, certificates])}{disclosed}."


def _key_added(told: Told, book: Book) -> str:  # noqa: ARG001 (every type is called alike)
    return f"{told.issuer} added a {told.body['use']} key."


def _key_revoked(told: Told, book: Book) -> str:
    words = f"{told.issuer} revoked its key {told.body['keyid']}"
    if "compromised_since_ms" in told.body:
        words += f", which it says was compromised since {book.value(told, 'compromised_since_ms')}"
    return f"{words}.{book.details(told, 'keyid', 'compromised_since_ms')}"


def _listed(told: Told, book: Book) -> str:
    words = f"{told.issuer} listed the dataset {book.value(told, 'title')}."
    return words + book.content(told) + book.details(told, "title")


def _listing_amended(told: Told, book: Book) -> str:
    words = f"{told.issuer} amended {_subject(told, book, 'listing')}."
    words += " It sealed the content anew." if "content" in told.body else ""
    return words + book.content(told) + book.details(told, "listing")


def _withdrawn(told: Told, book: Book) -> str:
    return f"{told.issuer} withdrew {_subject(told, book, 'listing')}.{book.details(told, 'listing')}"


def _classified(told: Told, book: Book) -> str:
    words = f"{told.issuer} changed the classification of {_subject(told, book, 'listing')} to "
    return f"{words}{book.value(told, 'classification')}.{book.details(told, 'listing', 'classification')}"


def _agreed(told: Told, book: Book) -> str:
    body = told.body
    term = body["terms"] if "valid_from_ms" in body["terms"] else body
    words = (
        f"{told.issuer} licensed {_subject(told, book, 'listing')} to {body['licensee']}, and both signed. It is in "
        f"force from {format_time(term['valid_from_ms'])} until just before {format_time(term['valid_until_ms'])}."
    )
    if "parent" in body:
        words += f" It is a sub-license of {_subject(told, book, 'parent')}."
    already = ("listing", "licensee", "parent", "valid_from_ms", "valid_until_ms")
    return words + book.details(told, *already)


def clauses(told: Told, book: Book) -> Iterator[str]:
    """Yield the clauses of the terms that a statement sets, a sentence each; none for other statements."""
    if "terms" not in told.body:
        return
    licensee = told.body.get("licensee") or book.license_named(told.body["license"]).licensee
    opened = frozenset(item.pointer for item in told.statement.opened)
    for pointer, words in rules_words(parse_terms(told.body["terms"], "/terms", opened), licensee):
        yield f"Its clause {pointer} says: {words}."


def _license_amended(told: Told, book: Book) -> str:
    body = told.body
    words = f"{told.issuer} amended {_subject(told, book, 'license')}, and both parties to it signed."
    if "valid_from_ms" in body:
        words += f" It is in force from {book.value(told, 'valid_from_ms')}."
    if "valid_until_ms" in body:
        words += f" It is in force until just before {book.value(told, 'valid_until_ms')}."
    if "terms" in body:
        words += " Its terms were replaced."
    return words + book.details(told, "license", "valid_from_ms", "valid_until_ms")


def _ended(told: Told, book: Book) -> str:
    body = told.body
    why = f" {_ENDED[body['code']]}" if "code" in body else ""
    at = format_time(max(told.time_ms, body.get("effective_ms", 0)))
    words = f"{told.issuer} ended {_subject(told, book, 'license')}{why}, with effect from {at}."
    return words + book.details(told, "license", "code", "effective_ms")


def _prepared(told: Told, book: Book) -> str:
    body = told.body
    return (
        f"{told.issuer} sealed a pool, of which a part, drawn with a coin of {body['recipient']}, is to mark the "
        f"copies of {_subject(told, book, 'listing')} that it receives, by the method {body['method']}, with a "
        f"probability of at most {body['bound']} that any of {body['recipients']} recipients is accused falsely."
    )


def _requested(told: Told, book: Book) -> str:
    return f"{told.issuer} added its coin, which draws what marks its copies, to {_subject(told, book, 'prepared')}."


def _offered(told: Told, book: Book) -> str:
    body = told.body
    under = f"under {_subject(told, book, 'license')}" if "license" in body else "and named no license"
    words = f"{told.issuer} handed data of {_subject(told, book, 'listing')} to {body['recipient']}, {under}."
    if "acknowledge_by_ms" in body:
        words += f" It asked for an answer by {book.value(told, 'acknowledge_by_ms')}."
    marks = body.get("marks", {})
    if "prepared" in marks:
        pool = book.reference("prepared", marks["prepared"])
        words += f" It said that the copy is marked, by what was drawn from {pool}."
    elif marks:
        words += (
            f" It said that the copy is marked, by the method {marks['method']}: who scores "
            f"{marks['threshold_millibits']} millibits is accused, with a probability of at most {marks['bound']} that "
            f"anybody is accused falsely."
        )
    return words + book.content(told)


def _acknowledged(told: Told, book: Book) -> str:
    words = f"{told.issuer} acknowledged {_subject(told, book, 'transfer')}: it signed what it received."
    words += " The value that it computed, it says, opens what was offered." if "opens" in told.body else ""
    return words + book.content(told)


def _refused(told: Told, book: Book) -> str:
    code = f": {_REFUSED[told.body['code']]}" if "code" in told.body else ""
    words = f"{told.issuer} refused {_subject(told, book, 'transfer')}{code}."
    return words + book.content(told) + book.details(told, "transfer", "code")


def _forwarded(told: Told, book: Book) -> str:
    body = told.body
    whom = body["recipient"] if "recipient" in body else f"somebody outside this ledger, {book.value(told, 'outsider')}"
    words = f"{told.issuer} declared that it passed on, to {whom}, what it had of {_subject(told, book, 'transfer')}."
    if "license" in body:
        words += f" It names {_subject(told, book, 'license')}."
    if "disclosure" in body:
        words += f" It had to, it says, by {_subject(told, book, 'disclosure')}."
    already = ("transfer", "recipient", "outsider", "license", "disclosure")
    return words + book.content(told) + book.details(told, *already)


def _compelled(told: Told, book: Book) -> str:
    words = f"{told.issuer} said that an authority, {book.value(told, 'authority')}, demanded data of "
    words += f"{_subject(told, book, 'transfer', 'listing')}, by {book.value(told, 'instrument')}."
    return words + book.details(told, "transfer", "listing", "authority", "instrument")


def _used(told: Told, book: Book) -> str:
    words = f"{told.issuer} reported a use under {_subject(told, book, 'license')}: {told.body['action']}."
    if "transfer" in told.body:
        words += f" It used the copy of {_subject(told, book, 'transfer')}."
    return words + book.details(told, "license", "transfer", "action")


def _venue(told: Told, book: Book) -> str:
    venue = told.body["venue"]
    says = "announced that it is" if venue == told.issuer else f"said that it observed the venue {venue}"
    return f"{told.issuer} {says} {told.body['status']}.{book.details(told, 'venue', 'status')}"


def _claimed(told: Told, book: Book) -> str:
    body = told.body
    words = (
        f"{told.issuer} opened a claim against {body['respondent']} about {_subject(told, book, 'license', 'transfer')}"
    )
    words += f", for breach of {book.value(told, 'clause')}."
    if body.get("legal_hold", False):
        words += " It puts a legal hold: nothing of it may be erased until the claim is determined."
    if "tribunal" in body:
        words += f" {body['tribunal']} may decide it."
    if "answer_by_ms" in body:
        words += f" It asks for an answer by {book.value(told, 'answer_by_ms')}."
    already = ("license", "transfer", "respondent", "clause", "legal_hold", "tribunal", "answer_by_ms")
    return words + book.details(told, *already)


def _answered(told: Told, book: Book) -> str:
    words = f"{told.issuer} answered {_subject(told, book, 'claim')}: {told.body['position']}."
    return words + book.details(told, "claim", "position")


def _determined(told: Told, book: Book) -> str:
    words = f"{told.issuer} said how {_subject(told, book, 'claim')} ended: {told.body['outcome']}"
    words += ", and both parties to it signed." if told.body["outcome"] == "settled" else "."
    return words + book.details(told, "claim", "outcome")


def _erasure_requested(told: Told, book: Book) -> str:
    body = told.body
    words = (
        f"{told.issuer} asked for the erasure of what was received under {_subject(told, book, 'license', 'transfer')}"
    )
    words += f", by {book.value(told, 'erase_by_ms')}, on the basis of {_BASIS[body['basis']]}."
    return words + book.details(told, "license", "transfer", "erase_by_ms", "basis")


def _attested(told: Told, book: Book) -> str:
    body = told.body
    of = _subject(told, book, "license", "transfer", "statement")
    words = f"{told.issuer} attested that it destroyed {' and '.join(body['destroyed'])}, of {of}"
    words += f", on the basis of {_BASIS[body['basis']]}."
    if "request" in body:
        words += f" It answers {_subject(told, book, 'request')}."
    return words + book.details(told, "license", "transfer", "statement", "request", "basis", "destroyed")


_TELL: dict[str, Callable[[Told, Book], str]] = {
    "ledger.created": _created,
    "ledger.rules_changed": _rules_changed,
    "ledger.log_key_added": _log_key_added,
    "ledger.log_key_retired": _log_key_retired,
    "party.registered": _registered,
    "party.key_added": _key_added,
    "party.key_revoked": _key_revoked,
    "listing.registered": _listed,
    "listing.amended": _listing_amended,
    "listing.withdrawn": _withdrawn,
    "classification.changed": _classified,
    "license.agreed": _agreed,
    "license.amended": _license_amended,
    "license.ended": _ended,
    "transfer.prepared": _prepared,
    "transfer.requested": _requested,
    "transfer.offered": _offered,
    "transfer.acknowledged": _acknowledged,
    "transfer.refused": _refused,
    "transfer.forwarded": _forwarded,
    "disclosure.compelled": _compelled,
    "usage.reported": _used,
    "venue.status": _venue,
    "claim.opened": _claimed,
    "claim.answered": _answered,
    "claim.determined": _determined,
    "erasure.requested": _erasure_requested,
    "erasure.attested": _attested,
}


def tell(told: Told, book: Book) -> str:
    """Return what one entry says, as sentences on one line."""
    return _TELL[told.kind](told, book)


def title(told: Told, book: Book) -> str:
    """Return in words what the subject is whose own entry this is."""
    names = {
        "listing.registered": "the listing",
        "license.agreed": "the license",
        "transfer.offered": "the hand-off",
        "claim.opened": "the claim",
        "ledger.created": "the ledger",
    }
    words = names.get(told.kind, f"the statement ({told.kind})")
    known = book.facts.listings.get(told.statement.id)
    called = f" {quote(known.title)}" if known is not None and known.title is not None else ""
    return f"{words}{called} of entry {told.index}, by {escape(told.issuer)}"
