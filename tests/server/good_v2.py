"""One good statement of every type of the newest version, with all the fields that it can have at once."""

from __future__ import annotations

from ledger.core.encoding import Json
from tests.harness.agreements import rule
from tests.harness.speech import DAY_MS, START_MS, sealed
from tests.server.stage_v2 import DOCUMENT, Stage

LATER = START_MS + 10 * DAY_MS
DSP = {"agreement": "urn:a", "provider_pid": "urn:p", "consumer_pid": "urn:c"}
CLASSIFICATION = {"level": "internal", "authority": "BSI", "as_of_ms": START_MS}
LISTING: dict[str, Json] = {
    "title": "Airports",
    "content": sealed("content"),
    "description": "All of them.\nWith names.",
    "publisher": "Alpha Ltd",
    "rights_holder": "Alpha Ltd",
    "version": "1.2",
    "keywords": ["aviation"],
    "spatial": ["EU"],
    "temporal": {"from_ms": 0, "until_ms": START_MS},
    "conforms_to": ["https://example.com/schema"],
    "distributions": [
        {"media_type": "text/csv", "bytes": 0, "title": "CSV", "sha256": "ab" * 32, "access_url": "https://e.com/a"}
    ],
    "sources": [{"title": "Register", "publisher": "State", "uri": "https://example.com/r", "retrieved_ms": 0}],
    "classification": CLASSIFICATION,
    "use": {
        "classification": "a", "consents": "b", "copyright": "c", "license": "d", "patent": "e",
        "privacy_enhancing": "f", "trademark": "g", "intended_purpose": ["h"], "processing_excluded": ["i"],
        "processing_included": ["j"], "storage_allowed": ["k"], "storage_forbidden": ["l"],
    },
    "venue": {"party": "delta", "name": "Delta Exchange", "registration": "D-17"},
}  # fmt: skip


def good(stage: Stage) -> dict[str, dict[str, Json]]:
    """Return a statement of each type that could be recorded on the stage, unless it was decided since."""
    s = stage
    both = [s.alpha, s.beta]
    agreed = s.agreement(
        s.alpha, s.beta, text=DOCUMENT, governing_law="CISG", forum="Ulm", marking_consent=True, dsp=DSP
    )
    statements = [
        s.say("listing.registered", s.alpha, **LISTING, derived_from=[s.other_listing]),
        s.say("listing.amended", s.alpha, listing=s.listing, **LISTING, derived_from=[s.other_listing]),
        s.say("listing.withdrawn", s.alpha, listing=s.other_listing, reason="Sold."),
        s.say("classification.changed", s.alpha, listing=s.listing, classification=CLASSIFICATION, reason="New law."),
        agreed,
        s.say(
            "license.amended",
            s.alpha,
            both,
            license=s.license,
            valid_from_ms=START_MS,
            valid_until_ms=LATER,
            terms=s.terms(permission=[rule("use")]),
            text=DOCUMENT,
            governing_law="CISG",
            forum="Ulm",
            marking_consent=False,
        ),
        s.say(
            "license.ended",
            s.beta,
            license=s.license,
            code="convenience",
            effective_ms=LATER,
            notice={"channel": "mail", "sent_ms": START_MS},
            reason="Moved on.",
        ),
        s.say(
            "transfer.offered",
            s.alpha,
            listing=s.listing,
            license=s.license,
            recipient="beta",
            content=sealed("t"),
            acknowledge_by_ms=LATER,
            dsp=DSP,
        ),
        s.say(
            "transfer.prepared",
            s.alpha,
            listing=s.listing,
            recipient="beta",
            bound="0.001",
            recipients=20,
            method="omission",
            coin=sealed("coin"),
            seal=sealed("pool"),
        ),
        s.say("transfer.acknowledged", s.beta, transfer=s.offer, content=sealed("a")),
        s.say(
            "transfer.refused", s.beta, transfer=s.offer, code="not-wanted", reason="Not ordered.", content=sealed("r")
        ),
        s.say(
            "transfer.forwarded",
            s.beta,
            transfer=s.taken,
            recipient="gamma",
            license=s.sublicense,
            disclosure=s.compelled,
            purpose="Marketing",
            spatial="DE",
        ),
        s.say(
            "disclosure.compelled", s.beta, **s.compulsion(transfer=s.taken, scope="All rows.", demanded_ms=START_MS)
        ),
        s.say(
            "usage.reported",
            s.beta,
            license=s.license,
            transfer=s.taken,
            action="train",
            purpose="Marketing",
            spatial="DE",
            industry="64.19",
            product="p",
            recipient="gamma",
            count=3,
            from_ms=START_MS,
            until_ms=LATER,
            fulfils=["attribute", "inform"],
            derivatives=[{"title": "Model", "listing": s.listing, "sha256": "ab" * 32}],
        ),
        s.say("venue.status", s.delta, venue="delta", status="suspended", note="Maintenance."),
        s.say(
            "claim.opened",
            s.alpha,
            license=s.license,
            respondent="beta",
            clause="4.2",
            demand="Stop.",
            evidence=DOCUMENT,
            answer_by_ms=LATER,
            legal_hold=False,
            tribunal="delta",
        ),
        s.say("claim.answered", s.beta, claim=s.claim, position="partly-admitted", answer="Once."),
        s.say("claim.determined", s.delta, claim=s.claim, outcome="partly-upheld", decision="Once.", document=DOCUMENT),
        s.say("erasure.requested", s.alpha, **s.erasure_request(transfer=s.taken, authority="DPA", scope="All.")),
        s.say(
            "erasure.attested",
            s.beta,
            transfer=s.taken,
            request=s.request,
            basis="gdpr-17",
            destroyed=["data", "keys"],
            method="Shredded.",
        ),
    ]
    return {statement["type"]: statement for statement in statements}
