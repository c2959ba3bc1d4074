"""The story of a listing, license or transfer as a W3C PROV document: who made what of what, under which agreement.

Each version of a listing and of an agreement is an entity, and so is each copy that was handed over; each statement is
an activity of those who signed it. Versions, not listings, are derived from each other: that is how data can go in a
circle although no entity is its own origin. Importing this needs the library prov.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from prov.identifier import QualifiedName
from prov.model import ProvDocument

from ledger.core.encoding import Json, canonical
from ledger.party.chain.gathering import Story
from ledger.party.chain.told import Told
from ledger.party.interop.prov_frame import (
    ACTIVITY,
    COPY,
    STATEMENT,
    THING,
    VOCABULARY,
    Frame,
    hexadecimal,
    moment,
    place,
    said,
)


def provenance(story: Story) -> ProvDocument:
    """Return a story as a PROV document, the same for the same story."""
    builder = _Builder(Frame(story.parties))
    for told in story.statements:
        builder.take(told)
    return builder.frame.document


class _Builder:
    """Takes statements in the order of the log."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.document = frame.document
        self.versions: dict[str, QualifiedName] = {}
        """The newest version of each listing, and of each license as an entity."""
        self.titles: dict[str, str] = {}
        self.copies: dict[str, QualifiedName] = {}
        self.under: dict[str, tuple[str, str]] = {}
        """Of each copy's transfer: the license that it was offered under, or empty, and its recipient."""
        self.derivatives: dict[str, list[QualifiedName]] = {}
        self.gone: set[QualifiedName] = set()

    def take(self, told: Told) -> None:
        """Add a statement."""
        act = _ACTS.get(told.type)
        if act is not None:
            act(self, told)

    # Listings

    def listed(self, told: Told) -> None:
        """Add a version of a listing, and what it was made of."""
        listing = told.name("listing") or told.id
        title = told.fields.get("title")
        if isinstance(title, str):
            self.titles[listing] = title
        label = self.titles.get(listing, "sealed title")
        activity = self.frame.activity(told, told.type)
        before = self.versions.get(listing)
        version = told.fields.get("version")
        words = f"{label}\nversion {version}" if isinstance(version, str) else label
        entity = self.version(told, listing, "Listing", words, activity)
        self.by(activity, told.issuer)
        if before is not None and before != entity:
            self.document.revision(entity, before, activity)
        self.document.attribution(entity, self.frame.party(told.issuer))
        self.people(told, entity, activity)
        for source in told.fields.get("derived_from", ()):
            self.document.derivation(entity, self.listing(source), activity)
        for at, source in enumerate(_list(told.fields.get("sources"))):
            self.source(told, entity, source, at)

    def people(self, told: Told, entity: QualifiedName, activity: QualifiedName) -> None:
        """Add publisher, rights holder and venue."""
        publisher = self.frame.words(told.fields.get("publisher"), "Publisher")
        if publisher is not None:
            self.document.attribution(entity, publisher, other_attributes=[("prov:type", VOCABULARY["publisher"])])
        holder = self.frame.words(told.fields.get("rights_holder"), "RightsHolder")
        if holder is not None:
            self.document.delegation(self.frame.party(told.issuer), holder, activity)
        venue = told.fields.get("venue")
        if isinstance(venue, dict) and isinstance(venue.get("party"), str):
            self.by(activity, venue["party"], "venue")

    def source(self, told: Told, entity: QualifiedName, source: Json, at: int) -> None:
        """Add where data came from outside this ledger."""
        sealed = source.keys() == {"sealed"}
        title = source.get("title") if not sealed else None
        label = title if isinstance(title, str) else "sealed source"
        name = self.thing("source", source) if not sealed else self.thing("source", [told.id, at])
        attributes = [(VOCABULARY[key], text) for key, text in sorted(source.items()) if isinstance(text, str)]
        self.frame.entity(name, "Source", label, list(attributes))
        self.document.primary_source(entity, name)

    def withdrawn(self, told: Told) -> None:
        """Add the end of an offer: a last state of the listing, not an end of the data."""
        listing = told.name("listing") or ""
        self.ended(told, listing, "Withdrawn", f"{self.titles.get(listing, 'listing')}\nwithdrawn")

    # Licenses

    def agreed(self, told: Told) -> None:
        """Add an agreement, or a version of one."""
        license_id = told.name("license") or told.id
        activity = self.frame.activity(told, told.type)
        before = self.versions.get(license_id)
        licensee = told.name("licensee") or ""
        if licensee:
            self.titles[license_id] = f"license of {licensee}"
        label = self.titles.get(license_id, "license")
        entity = self.version(told, license_id, "Agreement", label if before is None else f"{label}\namended", activity)
        self.by(activity, told.issuer)
        if licensee:
            self.by(activity, licensee, "licensee")
            self.document.attribution(entity, self.frame.party(licensee))
        self.document.attribution(entity, self.frame.party(told.issuer))
        if before is not None:
            self.document.revision(entity, before, activity)
        parent = told.name("parent")
        if parent is not None:
            self.document.derivation(entity, self.license(parent), activity)
        listing = told.name("listing")
        if listing is not None:
            self.document.usage(activity, self.listing(listing), moment(told))

    def license_ended(self, told: Told) -> None:
        """Add the end of a license: a last state of it."""
        license_id = told.name("license") or ""
        code = told.fields.get("code")
        words = f"ended: {code}" if isinstance(code, str) else "ended"
        self.ended(told, license_id, "Ended", f"{self.titles.get(license_id, 'license')}\n{words}")

    def ended(self, told: Told, subject: str, kind: str, label: str) -> None:
        """Add a last state of a listing or license; the version before it stays what transfers refer to."""
        activity = self.frame.activity(told, told.type)
        self.by(activity, told.issuer)
        entity = self.frame.entity(STATEMENT[hexadecimal(told.id)], kind, label, [*place(told)])
        self.document.generation(entity, activity, moment(told))
        self.document.revision(
            entity, self.version_of(subject, "Listing" if kind == "Withdrawn" else "Agreement"), activity
        )

    # Hand-offs

    def offered(self, told: Told) -> None:
        """Add the copy that a hand-off delivers, under its agreement as the plan."""
        recipient, license_id = told.name("recipient") or "", told.name("license") or ""
        activity = self.frame.activity(told, told.type)
        copy = self.copy(told.id, f"copy for {recipient}", place(told))
        self.under[told.id] = (license_id, recipient)
        listing = self.listing(told.name("listing") or "")
        self.document.usage(activity, listing, moment(told))
        self.document.generation(copy, activity, moment(told))
        self.document.derivation(copy, listing, activity)
        self.document.attribution(copy, self.frame.party(told.issuer))
        self.by(activity, told.issuer, "sender", license_id)

    def decided(self, told: Told) -> None:
        """Add an acknowledgement or a refusal."""
        transfer = told.name("transfer") or ""
        activity = self.frame.activity(told, told.type)
        self.by(activity, told.issuer, "recipient", self.under.get(transfer, ("", ""))[0])
        self.document.usage(activity, self.copy(transfer), moment(told))
        self.document.communication(activity, ACTIVITY[hexadecimal(transfer)])

    def forwarded(self, told: Told) -> None:
        """Add the copy that a recipient handed on."""
        transfer = told.name("transfer") or ""
        license_id = told.name("license") or self.under.get(transfer, ("", ""))[0]
        to = told.name("recipient") or told.name("outsider") or "somebody sealed"
        activity = self.frame.activity(told, told.type)
        copy = self.copy(told.id, f"copy for {to}", place(told))
        self.document.usage(activity, self.copy(transfer), moment(told))
        self.document.generation(copy, activity, moment(told))
        self.document.derivation(copy, self.copy(transfer), activity)
        self.by(activity, told.issuer, "forwarder", license_id)
        party, outsider = told.name("recipient"), self.frame.words(told.fields.get("outsider"), "Outsider")
        agent = self.frame.party(party) if party is not None else outsider
        if agent is not None:
            self.document.association(activity, agent, other_attributes=[("prov:role", VOCABULARY["recipient"])])
        disclosure = told.name("disclosure")
        if disclosure is not None:
            self.document.communication(activity, ACTIVITY[hexadecimal(disclosure)])

    def compelled(self, told: Told) -> None:
        """Add a demand by an authority."""
        activity = self.subject_used(told)
        authority = self.frame.words(told.fields.get("authority"), "Authority")
        if authority is not None:
            self.document.influence(activity, authority)

    # Use, claims, erasure

    def used(self, told: Told) -> None:
        """Add a use, from when to when its issuer says, and what it made."""
        license_id, transfer = told.name("license") or "", told.name("transfer")
        action = f"{told.type}\n{told.fields.get('action')}"
        activity = self.frame.activity(told, action, told.fields.get("from_ms"), told.fields.get("until_ms"))
        self.by(activity, told.issuer, "licensee", license_id)
        source = self.copy(transfer) if transfer is not None else None
        if source is not None:
            self.document.usage(activity, source)
        for at, derivative in enumerate(_list(told.fields.get("derivatives"))):
            title = derivative.get("title")
            name = self.frame.entity(
                self.thing("derivative", [told.id, at]),
                "Derivative",
                title if isinstance(title, str) else "sealed title",
            )
            self.document.generation(name, activity, moment(told))
            if source is not None:
                self.document.derivation(name, source, activity)
            listing = derivative.get("listing")
            if isinstance(listing, str):
                self.document.alternate(name, self.listing(listing))
            for key in filter(None, (license_id, transfer)):
                self.derivatives.setdefault(key, []).append(name)

    def claimed(self, told: Told) -> None:
        """Add a claim."""
        activity = self.subject_used(told)
        respondent = told.name("respondent") or ""
        claim = self.frame.entity(STATEMENT[hexadecimal(told.id)], "Claim", f"claim against {respondent}", place(told))
        self.document.generation(claim, activity, moment(told))
        self.document.attribution(claim, self.frame.party(told.issuer))
        self.versions[told.id] = claim
        self.by(activity, respondent, "respondent")

    def subject_used(self, told: Told) -> QualifiedName:
        """Add what a statement did that is about a license, a copy, a listing or a claim; return the activity."""
        words = next((told.fields[name] for name in ("outcome", "position", "basis") if name in told.fields), None)
        activity = self.frame.activity(told, f"{told.type}\n{words}" if isinstance(words, str) else told.type)
        self.by(activity, told.issuer)
        transfer = told.name("transfer")
        names = (told.name("claim"), told.name("license"), told.name("listing"))
        about = (
            [self.copy(transfer)]
            if transfer is not None
            else [self.versions[name] for name in names if name in self.versions]
        )
        for entity in about:
            self.document.influence(activity, entity)
        return activity

    def erased(self, told: Told) -> None:
        """Add the end of copies, and of what was made of them."""
        activity = self.subject_used(told)
        request = told.name("request")
        if request is not None:
            self.document.communication(activity, ACTIVITY[hexadecimal(request)])
        destroyed = told.fields.get("destroyed", ())
        transfer, license_id = told.name("transfer"), told.name("license")
        copies = [
            copy
            for name, copy in self.copies.items()
            if name == transfer or (license_id and self.under.get(name) == (license_id, told.issuer))
        ]
        ended = copies if "data" in destroyed else []
        if "derivatives" in destroyed:
            ended = [*ended, *self.derivatives.get(transfer or license_id or "", ())]
        for entity in ended:
            if entity not in self.gone:
                self.gone.add(entity)
                self.document.invalidation(entity, activity, moment(told))

    # What these share

    def version(self, told: Told, subject: str, kind: str, label: str, activity: QualifiedName) -> QualifiedName:
        """Add the entity that a statement made, as the newest version of its subject."""
        entity = self.frame.entity(STATEMENT[hexadecimal(told.id)], kind, label, [*place(told), *said(told)])
        self.document.generation(entity, activity, moment(told))
        self.versions[subject] = entity
        return entity

    def version_of(self, subject: str, kind: str) -> QualifiedName:
        """Return the newest version of a subject, or a bare entity for one that was not followed."""
        if subject not in self.versions:
            name = STATEMENT[hexadecimal(subject)]
            self.versions[subject] = self.frame.entity(name, kind, f"{kind.lower()} {hexadecimal(subject)[:8]}…")
        return self.versions[subject]

    def listing(self, listing: str) -> QualifiedName:
        """Return the newest version of a listing."""
        return self.version_of(listing, "Listing")

    def license(self, license_id: str) -> QualifiedName:
        """Return the newest version of an agreement."""
        return self.version_of(license_id, "Agreement")

    def copy(self, transfer: str, label: str = "copy", more: Json = None) -> QualifiedName:
        """Return the copy of a transfer or forwarding, adding it."""
        name = self.frame.entity(COPY[hexadecimal(transfer)], "Copy", label, more)
        return self.copies.setdefault(transfer, name)

    def thing(self, kind: str, value: Json) -> QualifiedName:
        """Return a name for something outside the ledger, from what is known of it."""
        return THING[hashlib.sha256(canonical([kind, value])).hexdigest()]

    def by(self, activity: QualifiedName, party: str, role: str = "issuer", plan: str = "") -> None:
        """Associate a party with an activity; the plan is the agreement that it acted under."""
        agreement = self.license(plan) if plan else None
        attributes = [("prov:role", VOCABULARY[role])]
        self.document.association(activity, self.frame.party(party), agreement, other_attributes=attributes)


def _list(value: Json) -> list[Json]:
    """Return the items of a list, none for one that is absent or sealed whole."""
    return value if isinstance(value, list) else []


_ACTS: dict[str, Callable[[_Builder, Told], object]] = {
    "claim.answered": _Builder.subject_used,
    "claim.determined": _Builder.subject_used,
    "claim.opened": _Builder.claimed,
    "classification.changed": _Builder.listed,
    "disclosure.compelled": _Builder.compelled,
    "erasure.attested": _Builder.erased,
    "erasure.requested": _Builder.subject_used,
    "license.agreed": _Builder.agreed,
    "license.amended": _Builder.agreed,
    "license.ended": _Builder.license_ended,
    "listing.amended": _Builder.listed,
    "listing.registered": _Builder.listed,
    "listing.withdrawn": _Builder.withdrawn,
    "transfer.acknowledged": _Builder.decided,
    "transfer.forwarded": _Builder.forwarded,
    "transfer.offered": _Builder.offered,
    "transfer.refused": _Builder.decided,
    "usage.reported": _Builder.used,
}
