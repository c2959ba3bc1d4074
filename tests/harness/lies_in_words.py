"""Lies about what parties said: each records one statement that had to be refused, and chains it like all others."""

# ruff: noqa: D401 - the docstring of a lie is what it says

from __future__ import annotations

from ledger.core.dsse import parse_envelope
from ledger.core.encoding import b64encode, canonical, parse_json
from ledger.core.keys import PublicKey
from tests.harness import edwards
from tests.harness.forger import Expected, Scene, envelope_of, lie
from tests.harness.people import Person, key, person
from tests.harness.speech import DAY_MS, OPENING_SINCE, created, documents, keyids, marks, signed

MARKS_SINCE = 3
"""The version of the rules since which an offer may have marks."""


@lie
def forged_signature(scene: Scene) -> list[Expected]:
    """The operator signs for carol, with a key of its own under her keyid."""
    envelope = signed(scene.speech.listing_registered(scene.carol), scene.operator.key)
    forged = envelope_of(parse_json(envelope.payload), [(scene.carol.key.public.keyid, envelope.signatures[0][1])])
    return [(scene.force(forged), "signature", "wrong-signature")]


@lie
def signature_stripped(scene: Scene) -> list[Expected]:
    """A license that both signed is recorded without the licensee's signature."""
    envelope = signed(scene.speech.license_agreed(scene.alice, scene.bob, scene.listing), scene.alice.key)
    return [(scene.force(envelope), "signature-set", "missing-signature")]


@lie
def signature_added(scene: Scene) -> list[Expected]:
    """Somebody's signature is added to a statement that did not ask for it."""
    statement = scene.speech.listing_registered(scene.carol)
    return [(scene.force_said(statement, scene.carol.key, scene.bob.key), "signature-set", "extra-signature")]


@lie
def unsorted_signatures(scene: Scene) -> list[Expected]:
    """The same signatures in another order: another spelling of the same statement."""
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing)
    envelope = signed(statement, scene.alice.key, scene.bob.key)
    at = scene.force(envelope_of(statement, list(reversed(envelope.signatures))))
    return [(at, "envelope", "non-canonical")]


@lie
def doubled_signature(scene: Scene) -> list[Expected]:
    """One signature, twice."""
    envelope = signed(scene.speech.listing_registered(scene.carol), scene.carol.key)
    at = scene.force(envelope_of(parse_json(envelope.payload), [*envelope.signatures] * 2))
    return [(at, "envelope", "duplicate-signature")]


@lie
def other_payload_type(scene: Scene) -> list[Expected]:
    """A signature made for another purpose is passed off as a statement's."""
    envelope = signed(scene.speech.listing_registered(scene.carol), scene.carol.key)
    document = envelope_of(parse_json(envelope.payload), list(envelope.signatures), "application/json")
    return [(scene.force(document), "envelope", "wrong-payload-type")]


@lie
def non_canonical_payload(scene: Scene) -> list[Expected]:
    """The signed bytes are another spelling of the statement."""
    payload = canonical(scene.speech.listing_registered(scene.carol)).replace(b":", b": ", 1)
    return [(scene.force_payload(payload, scene.carol.key), "payload", "non-canonical")]


@lie
def duplicate_key_in_payload(scene: Scene) -> list[Expected]:
    """Two titles: one for each kind of reader."""
    payload = canonical(scene.speech.listing_registered(scene.carol)).replace(b'"title":', b'"title":"Gold","title":')
    return [(scene.force_payload(payload, scene.carol.key), "payload", "duplicate-key")]


@lie
def oversized_payload(scene: Scene) -> list[Expected]:
    """A statement of more than 32 KiB."""
    statement = scene.speech.listing_registered(scene.carol, description="x" * 32_768)
    return [(scene.force_said(statement, scene.carol.key), "payload", "too-large")]


@lie
def oversized_entry(scene: Scene) -> list[Expected]:
    """An entry that fits today, and would not at a 16-digit index: its payload is too large long before."""
    statement = scene.speech.listing_registered(scene.carol, description="x" * 48_000)
    return [(scene.force_said(statement, scene.carol.key), "payload", "too-large")]


@lie
def unknown_type(scene: Scene) -> list[Expected]:
    """A statement of a type that the rules in force do not list."""
    statement = scene.speech.say("listing.praised", scene.carol, [scene.carol.key])
    return [(scene.force_said(statement, scene.carol.key), "payload", "unknown-type")]


@lie
def unknown_field(scene: Scene) -> list[Expected]:
    """A field that not every reader knows."""
    statement = scene.speech.listing_registered(scene.carol, approved=True)
    return [(scene.force_said(statement, scene.carol.key), "fields", "unknown-field")]


@lie
def weak_key(scene: Scene) -> list[Expected]:
    """A party whose key is the identity point, under which one signature fits every message."""
    mallory = person("mallory")
    statement = scene.speech.party_registered(mallory)
    identity = edwards.encode(edwards.IDENTITY)
    statement["keys"] = [{"alg": "ed25519", "public_key": b64encode(identity)}]
    weak_id = PublicKey(identity).keyid
    statement["signers"] = sorted([weak_id, mallory.recovery.public.keyid])
    universal = edwards.encode(edwards.BASE) + (1).to_bytes(32, "little")
    good = signed(statement, mallory.recovery)
    return [(scene.force(good.with_signatures([(weak_id, universal)])), "fields", "weak-key")]


# --------------------------------------------------------------------------------------------------- who may say what


@lie
def revoked_key(scene: Scene) -> list[Expected]:
    """A key speaks after its revocation."""
    statement = scene.speech.listing_registered(Person("alice.example", [scene.old_key]))
    return [(scene.force_said(statement, scene.old_key), "key-revoked", "revoked-key")]


@lie
def unregistered_key(scene: Scene) -> list[Expected]:
    """A key that nobody registered speaks for carol."""
    stranger = key("stranger")
    statement = scene.speech.listing_registered(Person("carol", [stranger]))
    return [(scene.force_said(statement, stranger), "key-known", "unknown-key")]


@lie
def operator_speaks_for_a_party(scene: Scene) -> list[Expected]:
    """The operator signs with its own, registered key in carol's name."""
    statement = scene.speech.listing_registered(Person("carol", scene.operator.keys))
    return [(scene.force_said(statement, scene.operator.key), "signers", "wrong-signers")]


@lie
def recovery_key_speaks(scene: Scene) -> list[Expected]:
    """A recovery key signs something other than a key statement."""
    statement = scene.speech.listing_registered(Person("carol", scene.carol.recovery_keys))
    return [(scene.force_said(statement, scene.carol.recovery), "signers", "wrong-signers")]


@lie
def unknown_party(scene: Scene) -> list[Expected]:
    """A registered key speaks for a name that nobody registered."""
    statement = scene.speech.listing_registered(Person("nobody", scene.carol.keys))
    return [(scene.force_said(statement, scene.carol.key), "issuer", "unknown-party")]


@lie
def acknowledged_by_a_stranger(scene: Scene) -> list[Expected]:
    """Somebody other than the recipient acknowledges a transfer."""
    statement = scene.speech.transfer_acknowledged(scene.carol, scene.open)
    return [(scene.force_said(statement, scene.carol.key), "reference", "wrong-role")]


@lie
def decided_twice(scene: Scene) -> list[Expected]:
    """A transfer that was acknowledged is refused."""
    statement = scene.speech.transfer_refused(scene.bob, scene.done)
    return [(scene.force_said(statement, scene.bob.key), "reference", "already-decided")]


@lie
def license_without_licensee(scene: Scene) -> list[Expected]:
    """A license that the licensee never signed, nor was said to."""
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing)
    statement["signers"] = keyids([scene.alice.key])
    return [(scene.force_said(statement, scene.alice.key), "signers", "wrong-signers")]


@lie
def statement_of_a_namesake_ledger(scene: Scene) -> list[Expected]:
    """A statement that alice made on another ledger of the same name, with the same operator's keys."""
    namesake = Scene(relation="Another ledger, made by the same people.")
    assert namesake.origin == scene.origin
    assert namesake.id != scene.id
    statement = namesake.speech.listing_registered(scene.alice)
    return [(scene.force_said(statement, scene.alice.key), "ledger", "wrong-ledger")]


@lie
def squatted_key(scene: Scene) -> list[Expected]:
    """Mallory registers a key without its holder's signature."""
    mallory, victim = person("mallory"), key("victim")
    statement = scene.speech.party_registered(mallory)
    statement["keys"] = documents([*mallory.keys, victim])
    return [(scene.force_said(statement, *mallory.all_keys), "signers", "wrong-signers")]


@lie
def squatted_key_with_a_forged_signature(scene: Scene) -> list[Expected]:
    """Mallory registers a key, with a signature that its holder never made."""
    mallory, victim = person("mallory"), key("victim")
    squatter = Person("mallory", [*mallory.keys, victim], mallory.recovery_keys)
    envelope = signed(scene.speech.party_registered(squatter), *mallory.all_keys)
    forged = envelope.with_signatures([(victim.public.keyid, envelope.signatures[0][1])])
    return [(scene.force(forged), "signature", "wrong-signature")]


@lie
def reused_key(scene: Scene) -> list[Expected]:
    """Two parties share a key, and both its holders sign."""
    mallory = Person("mallory", scene.carol.keys, person("mallory").recovery_keys)
    statement = scene.speech.party_registered(mallory)
    return [(scene.force_said(statement, *mallory.all_keys), "reference", "key-taken")]


@lie
def key_registered_again(scene: Scene) -> list[Expected]:
    """A revoked key comes back: its new registration is itself signed by a revoked key."""
    statement = scene.speech.key_added(scene.alice, scene.old_key)
    return [(scene.force_said(statement, scene.old_key, scene.alice.recovery), "key-revoked", "revoked-key")]


@lie
def log_key_as_party_key(scene: Scene) -> list[Expected]:
    """The log's own key becomes a party's: its checkpoints could then pass for something else."""
    mallory = Person("mallory", [scene.log_key], person("mallory").recovery_keys)
    statement = scene.speech.party_registered(mallory)
    return [(scene.force_said(statement, *mallory.all_keys), "reference", "key-taken")]


@lie
def squatted_name(scene: Scene) -> list[Expected]:
    """A second party of carol's name."""
    second = person("carol", "another carol")
    statement = scene.speech.party_registered(second)
    return [(scene.force_said(statement, *second.all_keys), "reference", "name-taken")]


@lie
def stale_draft(scene: Scene) -> list[Expected]:
    """A draft is recorded after its last day."""
    statement = scene.speech.listing_registered(
        scene.carol, issued_ms=scene.now_ms - 2 * DAY_MS, not_after_ms=scene.now_ms - 1
    )
    return [(scene.force_said(statement, scene.carol.key), "freshness", "expired")]


@lie
def issued_in_future(scene: Scene) -> list[Expected]:
    """A statement is recorded more than five minutes before it was made."""
    statement = scene.speech.listing_registered(
        scene.carol, issued_ms=scene.now_ms + 300_001, not_after_ms=scene.now_ms + DAY_MS
    )
    return [(scene.force_said(statement, scene.carol.key), "freshness", "issued-in-future")]


@lie
def false_seen(scene: Scene) -> list[Expected]:
    """A signer had verified a checkpoint that is not this log's."""
    statement = scene.speech.listing_registered(scene.carol, seen={"root": "00" * 32, "size": 3})
    return [(scene.force_said(statement, scene.carol.key), "seen", "seen-mismatch")]


@lie
def seen_ahead(scene: Scene) -> list[Expected]:
    """A signer had verified a checkpoint of more entries than stand before its own."""
    statement = scene.speech.listing_registered(scene.carol, seen={"root": "00" * 32, "size": scene.size + 1})
    return [(scene.force_said(statement, scene.carol.key), "seen", "seen-mismatch")]


@lie
def duplicate_statement(scene: Scene) -> list[Expected]:
    """A statement is recorded again."""
    first = parse_envelope(canonical(parse_json(scene.entries[-1])["statement"]))
    return [(scene.force(first), "duplicate", "duplicate-statement")]


@lie
def second_creation(scene: Scene) -> list[Expected]:
    """The ledger is made again, inside itself."""
    usurper = person("usurper")
    statement = created(usurper, scene.origin, key("usurper log"), key("usurper service"))
    return [(scene.force_said(statement, *usurper.all_keys), "reference", "already-created")]


@lie
def rules_changed_by_a_party(scene: Scene) -> list[Expected]:
    """Somebody other than the operator changes the rules."""
    statement = scene.speech.rules_changed(scene.carol, 2)
    return [(scene.force_said(statement, scene.carol.key), "signers", "wrong-signers")]


@lie
def rules_turned_back(scene: Scene) -> list[Expected]:
    """The operator turns the rules back, to those that do not know what was agreed since."""
    earlier = max(scene.rules - 1, 1)
    at = scene.force_said(scene.speech.rules_changed(scene.operator, earlier), scene.operator.key)
    return [(at, "fields", "wrong-value") if earlier == 1 else (at, "reference", "wrong-rules-version")]


@lie
def unknown_reference(scene: Scene) -> list[Expected]:
    """A license on a listing that is not there."""
    statement = scene.speech.license_agreed(scene.alice, scene.bob, "sha256:" + "0" * 64)
    return [(scene.force_said(statement, scene.alice.key, scene.bob.key), "reference", "unknown-reference")]


@lie
def license_on_anothers_listing(scene: Scene) -> list[Expected]:
    """Carol licenses what alice offers."""
    statement = scene.speech.license_agreed(scene.carol, scene.bob, scene.listing)
    return [(scene.force_said(statement, scene.carol.key, scene.bob.key), "reference", "wrong-role")]


@lie
def marks_that_accuse_nobody_falsely(scene: Scene) -> list[Expected]:
    """A marked copy of which no accusation is ever false: no bound is zero, and before version 3 nothing is marked."""
    if scene.rules >= OPENING_SINCE:
        prepared = scene.speech.transfer_prepared(scene.alice, scene.bob, scene.listing, bound="0.0")
        return [(scene.force_said(prepared, scene.alice.key), "fields", "wrong-value")]
    offer = scene.speech.transfer_offered(
        scene.alice, scene.bob, scene.listing, scene.license, marks=marks(bound="0.0")
    )
    reason = "unknown-field" if scene.rules < MARKS_SINCE else "wrong-value"
    return [(scene.force_said(offer, scene.alice.key), "fields", reason)]
