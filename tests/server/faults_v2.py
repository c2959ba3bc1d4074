"""Well-formed statements of version 2 that a ledger must refuse all the same, and statements of two wrong minds.

Each is made from the stage and comes with the reason and the field of docs/statements.md and docs/terms.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ledger.core.encoding import Json
from tests.harness.agreements import atomic, duration, rule
from tests.harness.speech import DAY_MS, START_MS
from tests.server.good_v2 import good
from tests.server.stage_v2 import Stage

NOBODY = "sha256:" + "0" * 64
Statement = dict[str, Json]


class Fault(NamedTuple):
    """What is wrong: `field` is where it is told, or above it."""

    make: Callable[[Stage], Statement]
    status: int
    reason: str
    field: str


def changed(kind: str, **fields: Json) -> Callable[[Stage], Statement]:
    """Return a maker of the good statement with other fields; None leaves one out."""

    def make(stage: Stage) -> Statement:
        statement = good(stage)[kind] | fields
        return {name: value for name, value in statement.items() if value is not None}

    return make


def agreed(**rules: Json) -> Callable[[Stage], Statement]:
    """Return a maker of a license with these lists of rules."""
    return lambda s: s.agreement(s.alpha, s.beta, terms=s.terms(**rules))


def with_terms(**members: Json) -> Callable[[Stage], Statement]:
    """Return a maker of a license whose terms have other members; None leaves one out."""

    def make(s: Stage) -> Statement:
        terms = s.terms(permission=[rule("use")]) | members
        return s.agreement(s.alpha, s.beta, terms={name: value for name, value in terms.items() if value is not None})

    return make


EXCLUSIVE = {
    "compelled: of both": Fault(
        lambda s: changed("disclosure.compelled", listing=s.listing)(s), 400, "unknown-field", "/listing"
    ),
    "compelled: of neither": Fault(
        changed("disclosure.compelled", transfer=None), 400, "missing-field", "/transfer"
    ),
    "claim: on both": Fault(
        lambda s: changed("claim.opened", transfer=s.taken)(s), 400, "unknown-field", "/transfer"
    ),
    "claim: on neither": Fault(changed("claim.opened", license=None), 400, "missing-field", "/license"),
    "request: of both": Fault(
        lambda s: changed("erasure.requested", license=s.license)(s), 400, "unknown-field", "/transfer"
    ),
    "attestation: of two": Fault(
        lambda s: changed("erasure.attested", license=s.license)(s), 400, "unknown-field", "/transfer"
    ),
    "attestation: of data and of salts": Fault(
        lambda s: changed("erasure.attested", statement=s.listing, pointers=["/title"])(s),
        400, "unknown-field", "/statement",
    ),
    "attestation: pointers without a statement": Fault(
        changed("erasure.attested", pointers=["/title"]), 400, "unknown-field", "/pointers"
    ),
    "attestation: a statement without pointers": Fault(
        lambda s: changed("erasure.attested", transfer=None, request=None, statement=s.listing)(s),
        400, "missing-field", "/pointers",
    ),
    "attestation: a statement on request": Fault(
        lambda s: changed("erasure.attested", transfer=None, statement=s.listing, pointers=["/title"])(s),
        400, "unknown-field", "/request",
    ),
    "attestation: pointers out of order": Fault(
        lambda s: changed(
            "erasure.attested", transfer=None, request=None, statement=s.listing, pointers=["/title", "/content"]
        )(s),
        400, "wrong-value", "/pointers",
    ),
    "forwarded to both": Fault(changed("transfer.forwarded", outsider="Bob"), 400, "unknown-field", "/outsider"),
    "forwarded to nobody": Fault(changed("transfer.forwarded", recipient=None), 400, "missing-field", "/recipient"),
    "an amendment of nothing": Fault(
        lambda s: s.say("listing.amended", s.alpha, listing=s.listing), 400, "missing-field", ""
    ),
    "a license's amendment of nothing": Fault(
        lambda s: s.say("license.amended", s.alpha, [s.alpha, s.beta], license=s.license), 400, "missing-field", ""
    ),
    "use: nothing": Fault(changed("listing.registered", use={}), 400, "missing-field", "/use"),
    "venue: nothing": Fault(changed("listing.registered", venue={}), 400, "missing-field", "/venue"),
    "dsp: nothing": Fault(changed("transfer.offered", dsp={}), 400, "missing-field", "/dsp"),
    "a term that ends before it begins": Fault(
        changed("license.agreed", valid_until_ms=START_MS), 400, "wrong-value", "/valid_until_ms"
    ),
}  # fmt: skip
"""What stands together and must not, or the other way round."""

_EU = atomic("spatial", "isPartOf", "EU")
_AT = "/terms/permission/0"
TERMS = {
    "an unknown action": Fault(agreed(permission=[rule("fly")]), 422, "unjudgeable-terms", _AT),
    "an unknown action, second prohibition": Fault(
        agreed(permission=[rule("use")], prohibition=[rule("sell"), rule("fly")]),
        422, "unjudgeable-terms", "/terms/prohibition/1",
    ),
    "an unknown left operand": Fault(
        agreed(permission=[rule("use", _EU, atomic("colour", "eq", "red"))]),
        422, "unjudgeable-terms", f"{_AT}/constraint/1",
    ),
    "an unknown operator": Fault(
        agreed(permission=[rule("use", atomic("purpose", "like", "x"))]),
        422, "unjudgeable-terms", f"{_AT}/constraint/0",
    ),
    "an operator that it does not have": Fault(
        agreed(permission=[rule("use", atomic("count", "isA", 3))]), 422, "unjudgeable-terms", f"{_AT}/constraint/0"
    ),
    "no such day": Fault(
        agreed(
            permission=[
                rule("use", atomic("dateTime", "lt", {"@type": "xsd:dateTime", "@value": "2027-02-30T00:00:00Z"}))
            ]
        ),
        422, "unjudgeable-terms", f"{_AT}/constraint/0",
    ),
    "a month has no fixed length": Fault(
        agreed(permission=[rule("use", atomic("elapsedTime", "lteq", duration("P1M")))]),
        422, "unjudgeable-terms", f"{_AT}/constraint/0",
    ),
    "a count in words": Fault(
        agreed(permission=[rule("use", atomic("count", "lteq", "three"))]),
        422, "unjudgeable-terms", f"{_AT}/constraint/0",
    ),
    "deep inside": Fault(
        agreed(permission=[rule("use", {"or": [_EU, {"and": [_EU, atomic("colour", "eq", "red")]}]})]),
        422, "unjudgeable-terms", f"{_AT}/constraint/0/or/1/and/1",
    ),
    "a duty until a place": Fault(
        agreed(obligation=[rule("delete", _EU)]), 422, "unjudgeable-terms", "/terms/obligation/0/constraint/0"
    ),
    "a count that cannot be": Fault(
        agreed(permission=[rule("use", atomic("count", "lt", 1))]), 422, "contradictory-terms", _AT
    ),
    "here and not here": Fault(
        agreed(permission=[rule("read"), rule("use", _EU, atomic("spatial", "isNoneOf", ["EEA"]))]),
        422, "contradictory-terms", "/terms/permission/1",
    ),
    "given and taken": Fault(
        agreed(permission=[rule("train")], prohibition=[rule("use")]), 422, "contradictory-terms", _AT
    ),
    "a duty that is forbidden": Fault(
        agreed(permission=[rule("read")], prohibition=[rule("attribute")], obligation=[rule("attribute")]),
        422, "contradictory-terms", "/terms/obligation/0",
    ),
    "permission wins": Fault(with_terms(conflict="perm"), 400, "wrong-value", "/terms/conflict"),
    "no profile": Fault(with_terms(profile=None), 400, "missing-field", "/terms/profile"),
    "a member too many": Fault(with_terms(inheritFrom="x"), 400, "unknown-field", "/terms/inheritFrom"),
    "no rule at all": Fault(with_terms(permission=None), 400, "missing-field", "/terms"),
    "of another listing": Fault(
        with_terms(target=f"urn:provenance-ledger:{NOBODY}"), 400, "wrong-value", "/terms/target"
    ),
    "of another licensor": Fault(
        with_terms(assigner="urn:provenance-ledger:party:beta"), 400, "wrong-value", "/terms/assigner"
    ),
    "of another licensee": Fault(
        with_terms(assignee="urn:provenance-ledger:party:gamma"), 400, "wrong-value", "/terms/assignee"
    ),
    "sealed rules": Fault(with_terms(permission={"sealed": "ab" * 32}), 400, "wrong-type", "/terms/permission"),
    "a sealed action": Fault(
        agreed(permission=[{"action": {"sealed": "ab" * 32}}]), 400, "wrong-type", f"{_AT}/action"
    ),
    "201 constraints": Fault(
        agreed(permission=[rule("use", *[_EU] * 201)]), 400, "wrong-value", f"{_AT}/constraint"
    ),
    "one of one": Fault(
        agreed(permission=[rule("use", {"xone": [_EU]})]), 400, "wrong-value", f"{_AT}/constraint/0/xone"
    ),
}  # fmt: skip
"""Terms that nobody could judge, or keep."""

REFERENCES = {
    f"{kind} of an unknown {field}": Fault(changed(kind, **{field: NOBODY}), 422, "unknown-reference", f"/{field}")
    for kind, field in [
        ("listing.amended", "listing"), ("listing.withdrawn", "listing"), ("classification.changed", "listing"),
        ("license.amended", "license"), ("license.ended", "license"), ("license.agreed", "parent"),
        ("transfer.offered", "license"), ("transfer.acknowledged", "transfer"), ("transfer.refused", "transfer"),
        ("transfer.forwarded", "transfer"), ("transfer.forwarded", "license"), ("transfer.forwarded", "disclosure"),
        ("disclosure.compelled", "transfer"), ("usage.reported", "license"), ("usage.reported", "transfer"),
        ("claim.opened", "license"), ("claim.answered", "claim"), ("claim.determined", "claim"),
        ("erasure.requested", "transfer"), ("erasure.attested", "transfer"), ("erasure.attested", "request"),
    ]
} | {
    "derived from nothing": Fault(
        changed("listing.registered", derived_from=[NOBODY]), 422, "unknown-reference", "/derived_from"
    ),
    "derived from a license": Fault(
        lambda s: changed("listing.registered", derived_from=[s.license])(s), 422, "unknown-reference", "/derived_from"
    ),
    "salts of an unknown statement": Fault(
        changed("erasure.attested", transfer=None, request=None, statement=NOBODY, pointers=["/title"]),
        422, "unknown-reference", "/statement",
    ),
    "a use under a listing": Fault(
        lambda s: changed("usage.reported", license=s.listing)(s), 422, "unknown-reference", "/license"
    ),
    "an answer to a license": Fault(
        lambda s: changed("claim.answered", claim=s.license)(s), 422, "unknown-reference", "/claim"
    ),
    "forwarded because of a claim": Fault(
        lambda s: changed("transfer.forwarded", disclosure=s.claim)(s), 422, "unknown-reference", "/disclosure"
    ),
    "a request that is none": Fault(
        lambda s: changed("erasure.attested", request=s.claim)(s), 422, "unknown-reference", "/request"
    ),
    "a request of something else": Fault(
        lambda s: changed("erasure.attested", transfer=s.offer)(s), 422, "wrong-value", "/request"
    ),
    "settling nothing": Fault(
        changed("claim.determined", claim=NOBODY, outcome="settled"), 422, "unknown-reference", "/claim"
    ),
    "an unknown venue": Fault(
        changed("listing.registered", venue={"party": "nobody"}), 422, "unknown-party", "/venue"
    ),
    "an unknown venue's status": Fault(changed("venue.status", venue="nobody"), 422, "unknown-party", "/venue"),
    "forwarded to an unknown party": Fault(
        changed("transfer.forwarded", recipient="nobody"), 422, "unknown-party", "/recipient"
    ),
    "forwarded to oneself": Fault(
        changed("transfer.forwarded", recipient="beta"), 422, "same-party", "/recipient"
    ),
    "a claim against nobody": Fault(
        changed("claim.opened", respondent="nobody"), 422, "unknown-party", "/respondent"
    ),
    "a claim against oneself": Fault(changed("claim.opened", respondent="alpha"), 422, "same-party", "/respondent"),
    "an unknown tribunal": Fault(changed("claim.opened", tribunal="nobody"), 422, "unknown-party", "/tribunal"),
    "a judge in its own cause": Fault(changed("claim.opened", tribunal="beta"), 422, "same-party", "/tribunal"),
    "a sub-license of another listing": Fault(
        lambda s: s.say(
            "license.agreed", s.beta, [s.beta, s.gamma], listing=s.other_listing, licensee="gamma", parent=s.license,
            terms=s.terms(permission=[rule("use")]) | {
                "target": f"urn:provenance-ledger:{s.other_listing}",
                "assigner": "urn:provenance-ledger:party:beta", "assignee": "urn:provenance-ledger:party:gamma",
            },
            **s.speech.term(),
        ),
        422, "wrong-value", "/parent",
    ),
    "an amendment that leaves no term": Fault(
        lambda s: s.say("license.amended", s.alpha, [s.alpha, s.beta], license=s.license, valid_until_ms=START_MS),
        422, "wrong-value", "/valid_until_ms",
    ),
    "an amendment with terms of another license": Fault(
        lambda s: s.say(
            "license.amended", s.beta, [s.beta, s.gamma], license=s.sublicense, terms=s.terms(permission=[rule("use")])
        ),
        422, "wrong-value", "/terms",
    ),
    "an answer too late to send": Fault(
        changed("claim.answered", issued_ms=START_MS - 2 * DAY_MS, not_after_ms=START_MS - DAY_MS),
        422, "expired", "/not_after_ms",
    ),
}  # fmt: skip
"""What names something that is not there, or not of that kind, or not another."""


def _by(who: str, kind: str, **fields: Json) -> Callable[[Stage], Statement]:
    """Return a maker of the good statement, said and signed by somebody else."""

    def make(s: Stage) -> Statement:
        person = getattr(s, who)
        statement = changed(kind, **fields)(s)
        return statement | {"issuer": person.name, "signers": [person.key.public.keyid]}

    return make


def _signed_by(kind: str, *who: str, **fields: Json) -> Callable[[Stage], Statement]:
    """Return a maker of the good statement with other signers."""
    return lambda s: changed(kind, **fields)(s) | {"signers": sorted(getattr(s, name).key.public.keyid for name in who)}


ROLES = {
    f"{kind} by {who}": Fault(_by(who, kind), 403, "wrong-role", "/issuer")
    for who, kind in [
        ("beta", "listing.amended"), ("beta", "listing.withdrawn"), ("gamma", "classification.changed"),
        ("gamma", "license.ended"), ("alpha", "transfer.acknowledged"), ("gamma", "transfer.refused"),
        ("alpha", "transfer.forwarded"), ("gamma", "disclosure.compelled"), ("alpha", "usage.reported"),
        ("gamma", "claim.opened"), ("alpha", "claim.answered"), ("alpha", "claim.determined"),
        ("beta", "claim.determined"), ("beta", "erasure.requested"), ("gamma", "erasure.attested"),
    ]
} | {
    "withdrawn by the respondent": Fault(
        _by("beta", "claim.determined", outcome="withdrawn"), 403, "wrong-role", "/issuer"
    ),
    "withdrawn by the tribunal": Fault(
        _by("delta", "claim.determined", outcome="withdrawn"), 403, "wrong-role", "/issuer"
    ),
    "a use of somebody else's copy": Fault(
        lambda s: s.say("usage.reported", s.gamma, license=s.sublicense, transfer=s.taken, action="use"),
        403, "wrong-role", "/issuer",
    ),
    "a sub-license by the licensor itself": Fault(
        lambda s: s.agreement(s.alpha, s.beta, parent=s.license), 403, "wrong-role", "/issuer"
    ),
    "a license on another's listing": Fault(
        lambda s: s.agreement(s.beta, s.gamma), 403, "wrong-role", "/issuer"
    ),
    "amended by a third party": Fault(
        lambda s: s.say("license.amended", s.gamma, [s.alpha, s.beta], license=s.license, forum="Bern"),
        403, "wrong-role", "/issuer",
    ),
    "amended by one side": Fault(_signed_by("license.amended", "alpha"), 403, "wrong-signers", "/signers"),
    "amended with a third": Fault(
        _signed_by("license.amended", "alpha", "beta", "gamma"), 403, "wrong-signers", "/signers"
    ),
    "settled by the claimant alone": Fault(
        lambda s: s.say("claim.determined", s.alpha, claim=s.claim, outcome="settled"),
        403, "wrong-signers", "/signers",
    ),
    "settled with the tribunal": Fault(
        lambda s: s.say("claim.determined", s.alpha, [s.alpha, s.delta], claim=s.claim, outcome="settled"),
        403, "wrong-signers", "/signers",
    ),
    "withdrawn with two signatures": Fault(
        lambda s: s.say("claim.determined", s.alpha, [s.alpha, s.beta], claim=s.claim, outcome="withdrawn"),
        403, "wrong-signers", "/signers",
    ),
    "settled, drafted by the respondent": Fault(
        lambda s: s.say("claim.determined", s.beta, [s.alpha, s.beta], claim=s.claim, outcome="settled"),
        403, "wrong-role", "/issuer",
    ),
}  # fmt: skip
"""What is for somebody else to say, or for more than one."""

DECIDED = {
    "an amendment of an ended license": Fault(
        lambda s: changed("license.amended", license=s.ended_license)(s), 409, "already-decided", "/license"
    ),
    "ended twice": Fault(
        lambda s: changed("license.ended", license=s.ended_license)(s), 409, "already-decided", "/license"
    ),
    "an amendment of what is withdrawn": Fault(
        lambda s: changed("listing.amended", listing=s.gone_listing)(s), 409, "already-decided", "/listing"
    ),
    "a classification of what is withdrawn": Fault(
        lambda s: changed("classification.changed", listing=s.gone_listing)(s), 409, "already-decided", "/listing"
    ),
    "acknowledged twice": Fault(
        lambda s: changed("transfer.acknowledged", transfer=s.taken)(s), 409, "already-decided", "/transfer"
    ),
    "answered twice": Fault(
        lambda s: changed("claim.answered", claim=s.answered_claim)(s), 409, "already-decided", "/claim"
    ),
    "answered after it ended": Fault(
        lambda s: changed("claim.answered", claim=s.decided_claim)(s), 409, "already-decided", "/claim"
    ),
    "determined twice": Fault(
        lambda s: changed("claim.determined", claim=s.decided_claim)(s), 409, "already-decided", "/claim"
    ),
    "settled after it ended": Fault(
        lambda s: s.say(
            "claim.determined", s.alpha, [s.alpha, s.beta], claim=s.decided_claim, outcome="settled"
        ),
        409, "already-decided", "/claim",
    ),
    "erased under a hold": Fault(
        lambda s: changed("erasure.attested", transfer=None, request=None, license=s.held_license)(s),
        409, "legal-hold", "/license",
    ),
    "salts of a license under a hold": Fault(
        lambda s: changed(
            "erasure.attested", transfer=None, request=None, statement=s.held_license, pointers=["/forum"]
        )(s),
        409, "legal-hold", "/statement",
    ),
}  # fmt: skip
"""What comes too late."""
