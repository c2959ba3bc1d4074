"""What an entry says, as one sentence for people who have never seen a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ledger.core.encoding import Json
from ledger.party.chain.told import Told
from ledger.party.interop.words import format_ms
from ledger.party.vault.sealing import is_sealed

SEALED = "(sealed)"


def value(field: Json) -> str:
    """Return a field's value in words; a commitment that was not opened is said to be one."""
    if is_sealed(field):
        return SEALED
    return field if isinstance(field, str) else str(field)


def stamp(time_ms: int) -> str:
    """Return a time as reports print it: to the second, UTC."""
    return format_ms(time_ms - time_ms % 1000).replace("T", " ").replace("Z", " UTC")


class Sentences:
    """Tells entries; `titles` are those of listings by id, `labels` the short names of statements by id."""

    def __init__(self, titles: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Keep what things are called."""
        self._titles = titles
        self._labels = labels

    def tell(self, told: Told) -> str:
        """Return what the entry says."""
        make = _SENTENCES.get(told.type)
        return make(self, told) if make is not None else f"{told.issuer} said: {told.type}."

    def name(self, told: Told, field: str) -> str:
        """Return what the statement that a field names is called here."""
        return self.label(told.name(field) or "")

    def label(self, statement_id: str) -> str:
        """Return what a statement is called here."""
        return self._labels.get(statement_id, f"{statement_id[:19]}…")

    def title(self, listing: str) -> str:
        """Return a listing's title in quotes."""
        return f"“{self._titles.get(listing, SEALED)}”"

    def about(self, told: Told) -> str:
        """Return what a claim or a request is about."""
        return self.name(told, "transfer" if told.name("transfer") else "license")


def _more(told: Told, field: str, before: str = ": ") -> str:
    found = told.fields.get(field)
    return f"{before}{value(found)}" if found is not None else ""


def _until(told: Told) -> str:
    bounds = [told.fields.get(name) for name in ("valid_from_ms", "valid_until_ms")]
    words = [stamp(bound) for bound in bounds if isinstance(bound, int)]
    return f", valid from {words[0]} until {words[1]}" if len(words) == 2 else ""


def _marks(told: Told) -> str:
    marks = told.fields.get("marks")
    if not isinstance(marks, dict):
        return ""
    return " Its marks were drawn." if "prepared" in marks else f" The copy carries sealed marks ({marks['method']})."


_SENTENCES: dict[str, Callable[[Sentences, Told], str]] = {
    "ledger.created": lambda _, t: f"{t.issuer} opened the ledger as its operator.",
    "ledger.rules_changed": lambda _, t: f"{t.issuer} put version {t.fields['rules']} of the rules into force.",
    "ledger.log_key_added": lambda _, t: f"{t.issuer} added the log key {t.fields['log_key'][:100]}.",
    "ledger.log_key_retired": lambda _, t: f"{t.issuer} retired the log key {t.fields['log_key'][:100]}.",
    "party.registered": lambda _, t: f"{t.issuer} registered as a party, with its keys.",
    "party.key_added": lambda _, t: f"{t.issuer} added a {t.fields['use']} key.",
    "party.key_revoked": lambda _, t: f"{t.issuer} revoked the key {str(t.fields['keyid'])[:16]}…{_more(t, 'reason')}",
    "listing.registered": lambda s, t: f"{t.issuer} put the dataset {s.title(t.id)} on offer.",
    "listing.amended": lambda s, t: f"{t.issuer} changed the description of {s.title(t.name('listing') or '')}.",
    "listing.withdrawn": lambda s, t: f"{t.issuer} withdrew {s.title(t.name('listing') or '')}{_more(t, 'reason')}.",
    "classification.changed": lambda s, t: f"{t.issuer} reclassified {s.title(t.name('listing') or '')}.",
    "license.agreed": lambda s, t: (
        f"{t.issuer} and {t.fields['licensee']} both signed {s.label(t.id)} "
        f"of {s.title(t.name('listing') or '')} to {t.fields['licensee']}{_until(t)}."
    ),
    "license.amended": lambda s, t: f"Both sides signed an amendment of {s.name(t, 'license')}.",
    "license.ended": lambda s, t: f"{t.issuer} ended {s.name(t, 'license')} ({t.fields.get('code', 'no code')}).",
    "transfer.offered": lambda s, t: (
        f"{t.issuer} offered a copy of {s.title(t.name('listing') or '')} to {t.fields['recipient']} "
        f"({s.label(t.id)}).{_marks(t)}"
    ),
    "transfer.prepared": lambda s, t: (
        f"{t.issuer} sealed a pool of marks ({t.fields['method']}) for copies of {s.title(t.name('listing') or '')} "
        f"to {t.fields['recipient']}."
    ),
    "transfer.requested": lambda _, t: f"{t.issuer} asked for a copy marked from that pool, and added its coin.",
    "transfer.acknowledged": lambda s, t: f"{t.issuer} acknowledged {s.name(t, 'transfer')}.",
    "transfer.refused": lambda s, t: f"{t.issuer} refused {s.name(t, 'transfer')}{_more(t, 'reason')}.",
    "transfer.forwarded": lambda s, t: (
        f"{t.issuer} said that it passed {s.name(t, 'transfer')} on to "
        f"{value(t.fields.get('recipient', t.fields.get('outsider')))}."
    ),
    "disclosure.compelled": lambda _, t: f"{t.issuer} said that {value(t.fields['authority'])} demanded the data.",
    "usage.reported": lambda s, t: (
        f"{t.issuer} reported a use under {s.name(t, 'license')}: {t.fields['action']}{_more(t, 'purpose', ', ')}."
    ),
    "venue.status": lambda _, t: f"{t.issuer} said that the venue {t.fields['venue']} is {t.fields['status']}.",
    "claim.opened": lambda s, t: (
        f"{t.issuer} opened a claim against {t.fields['respondent']} about {s.about(t)}: {value(t.fields['clause'])}"
    ),
    "claim.answered": lambda _, t: f"{t.issuer} answered the claim: {t.fields['position']}{_more(t, 'answer')}.",
    "claim.determined": lambda _, t: f"The claim ended: {t.fields['outcome']}{_more(t, 'decision')}.",
    "erasure.requested": lambda s, t: f"{t.issuer} asked that {s.about(t)} be erased ({t.fields['basis']}).",
    "erasure.attested": lambda _, t: f"{t.issuer} said that it destroyed {', '.join(t.fields['destroyed'])}.",
}
