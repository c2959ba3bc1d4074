"""Which statements may enter, in which order the steps of §9 decide, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import pytest

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.core.keys import Signer
from ledger.registry.acceptance import Duplicate
from ledger.registry.facts import KeyFact, PartyFact, View, key_key
from ledger.registry.refusal import Refused
from ledger.registry.signing import check_signers
from ledger.statements.parse import NEWEST_RULES, parse_statement
from tests.harness.builder import LedgerBuilder
from tests.harness.forger import Scene
from tests.harness.people import Person, key, person
from tests.harness.speech import DAY_MS, created, keyids, signed

NOWHERE = "sha256:" + "0" * 64


class Said(NamedTuple):
    """A statement and the keys that sign it."""

    statement: Json
    keys: list[Signer]


def refusal(ledger: LedgerBuilder, posted: Envelope, time_ms: int | None = None) -> Refused:
    """Return why the ledger refuses, having checked that the refusal left no trace."""
    before = dict(ledger.view._facts), dict(ledger.view.recorded), dict(ledger.view.changed), ledger.size
    with pytest.raises(Refused) as caught:
        ledger.record(posted, time_ms)
    assert before == (ledger.view._facts, ledger.view.recorded, ledger.view.changed, ledger.size)
    return caught.value


# ----------------------------------------------------------------------------------------------- the order of steps


def with_signer(said: Said, signer: Signer) -> Said:
    names = sorted({*said.statement["signers"], signer.public.keyid})
    return Said(said.statement | {"signers": names}, [*said.keys, signer])


class Fault(NamedTuple):
    """One way to fail one step; `spoil` works on what is said, `forge` on the envelope."""

    reason: str
    field: str
    spoil: Callable[[Scene, Said], Said] = lambda _scene, said: said
    forge: Callable[[Scene, Envelope], Envelope] = lambda _scene, envelope: envelope
    is_authentic: bool = True


def strip(scene: Scene, envelope: Envelope) -> Envelope:
    rest = [item for item in envelope.signatures if item[0] != scene.carol.key.public.keyid]
    return Envelope(envelope.payload, tuple(rest))


def garble(scene: Scene, envelope: Envelope) -> Envelope:
    return envelope.with_signatures([(scene.bob.key.public.keyid, bytes(64))])


def change(scene: Scene, said: Said, **fields: Json) -> Said:
    del scene
    return Said(said.statement | fields, said.keys)


FAULTS = [
    Fault("wrong-ledger", "/ledger", lambda scene, said: change(scene, said, ledger=NOWHERE)),
    Fault(
        "missing-signature",
        "/signers",
        lambda scene, said: with_signer(said, scene.carol.key),
        strip,
        is_authentic=False,
    ),
    Fault(
        "extra-signature",
        "/signers",
        forge=lambda scene, envelope: envelope.with_signatures(
            [(scene.alice.key.public.keyid, scene.alice.key.sign(envelope.signed_bytes))]
        ),
        is_authentic=False,
    ),
    Fault("unknown-key", "/signers", lambda _scene, said: with_signer(said, key("stranger")), is_authentic=False),
    Fault("wrong-signature", "/signers", forge=garble, is_authentic=False),
    Fault("revoked-key", "/signers", lambda scene, said: with_signer(said, scene.old_key)),
    Fault("unknown-party", "/issuer", lambda scene, said: change(scene, said, issuer="nobody")),
    Fault("wrong-signers", "/signers", lambda scene, said: with_signer(said, scene.operator.key)),
    Fault(
        "issued-in-future",
        "/issued_ms",
        lambda scene, said: change(scene, said, issued_ms=scene.now_ms + 300_001, not_after_ms=scene.now_ms + DAY_MS),
    ),
    Fault("seen-mismatch", "/seen", lambda scene, said: change(scene, said, seen={"root": "0" * 64, "size": 1})),
    Fault("unknown-reference", "/transfer", lambda scene, said: change(scene, said, transfer=NOWHERE)),
]
"""In the order of §9, each on an acknowledgement that is otherwise good."""


def told(scene: Scene, *faults: Fault) -> Envelope:
    """Return bob's acknowledgement with these faults."""
    said = Said(scene.speech.transfer_acknowledged(scene.bob, scene.open), [scene.bob.key])
    for fault in faults:
        said = fault.spoil(scene, said)
    envelope = signed(said.statement, *said.keys)
    for fault in faults:
        envelope = fault.forge(scene, envelope)
    return envelope


def test_without_a_fault() -> None:
    scene = Scene()
    scene.record(told(scene))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.reason)
def test_one_fault(fault: Fault) -> None:
    """Each step gives its reason and field; from 9.9 on, and at 9.4, the statement is known to be authentic."""
    scene = Scene()
    refused = refusal(scene, told(scene, fault))
    assert (refused.reason, refused.field, refused.authentic) == (fault.reason, fault.field, fault.is_authentic)


@pytest.mark.parametrize(("first", "second"), list(combinations(FAULTS, 2)), ids=lambda fault: fault.reason)
def test_the_first_fault_gives_the_reason(first: Fault, second: Fault) -> None:
    scene = Scene()
    assert refusal(scene, told(scene, second, first)).reason == first.reason


def test_a_duplicate_is_answered_before_its_signatures_are_looked_at() -> None:
    """Step 9.5 stands before 9.6: the answer is the entry as recorded, which has them all."""
    scene = Scene()
    envelope = told(scene)
    scene.record(envelope)
    for other in (envelope, garble(scene, envelope), Envelope(envelope.payload, (("0" * 64, bytes(64)),))):
        with pytest.raises(Duplicate) as caught:
            scene.record(other)
        assert caught.value.index == scene.size - 1


def test_freshness_is_exact() -> None:
    """300,000 ms ahead and the very last millisecond are fine, one more is not (9.12)."""
    scene = Scene()
    now_ms = scene.now_ms
    for ahead_ms, reason in ((300_000, ""), (300_001, "issued-in-future")):
        said = scene.speech.listing_registered(scene.carol, issued_ms=now_ms + ahead_ms, not_after_ms=now_ms + DAY_MS)
        if reason:
            assert refusal(scene, signed(said, scene.carol.key), now_ms).reason == reason
        else:
            scene.record(signed(said, scene.carol.key), now_ms)
    said = scene.speech.listing_registered(scene.carol, not_after_ms=now_ms)
    assert refusal(scene, signed(said, scene.carol.key), now_ms + 1).reason == "expired"
    scene.record(signed(said, scene.carol.key), now_ms)


def test_seen_is_exact() -> None:
    """A checkpoint of all entries before is the newest that can have been seen (9.13)."""
    scene = Scene()
    for size, root, is_good in (
        (scene.size, scene.root_at(scene.size), True),
        (1, scene.root_at(1), True),
        (2, scene.root_at(1), False),
        (scene.size + 3, scene.root_at(scene.size), False),
    ):
        envelope = signed(
            scene.speech.listing_registered(scene.carol, seen={"root": root.hex(), "size": size}), scene.carol.key
        )
        if is_good:
            scene.record(envelope)
        else:
            assert refusal(scene, envelope).reason == "seen-mismatch"


# ---------------------------------------------------------------------------------------------- references (step 9.14)


def ways(scene: Scene) -> list[tuple[str, str, Said]]:
    """Return every way to fail 9.14: reason, field, and what is said by the right keys."""
    speech, alice, bob, carol = scene.speech, scene.alice, scene.bob, scene.carol
    operator = scene.operator
    mallory = Person("mallory", [carol.key], person("mallory").recovery_keys)
    log_keeper = Person("mallory", [scene.log_key], person("mallory").recovery_keys)
    server = Person("mallory", [scene.service_key], person("mallory").recovery_keys)
    namesake = person("carol", "another carol")
    usurper = person("usurper")
    second = created(usurper, scene.origin, key("usurper log"), key("usurper service"))
    foreign_rules = speech.rules_changed(alice, 2) | {"signers": keyids([operator.key])}
    to_self = speech.license_agreed(alice, alice, scene.listing)
    return [
        ("already-created", "/type", Said(second, usurper.all_keys)),
        ("wrong-role", "/issuer", Said(foreign_rules, [operator.key])),
        ("wrong-rules-version", "/rules", Said(speech.rules_changed(operator, 3), [operator.key])),
        (
            "wrong-value",
            "/statement_types",
            Said(speech.rules_changed(operator, 2) | {"statement_types": ["license.revoked"]}, [operator.key]),
        ),
        ("name-taken", "/issuer", Said(speech.party_registered(namesake), namesake.all_keys)),
        ("key-taken", "/keys", Said(speech.party_registered(mallory), mallory.all_keys)),
        ("key-taken", "/keys", Said(speech.party_registered(log_keeper), log_keeper.all_keys)),
        ("key-taken", "/keys", Said(speech.party_registered(server), server.all_keys)),
        ("key-taken", "/keys", Said(speech.key_added(alice, bob.key), [bob.key, alice.recovery])),
        ("key-taken", "/keys", Said(speech.key_added(alice, scene.log_key), [scene.log_key, alice.recovery])),
        ("unknown-reference", "/keyid", Said(speech.key_revoked(alice, key("never")), [alice.recovery])),
        ("unknown-reference", "/keyid", Said(speech.key_revoked(alice, bob.key), [alice.recovery])),
        ("already-decided", "/keyid", Said(speech.key_revoked(alice, scene.old_key), [alice.recovery])),
        ("unknown-reference", "/listing", Said(speech.listing_withdrawn(alice, NOWHERE), [alice.key])),
        ("unknown-reference", "/listing", Said(speech.listing_withdrawn(alice, scene.license), [alice.key])),
        ("wrong-role", "/issuer", Said(speech.listing_withdrawn(bob, scene.listing), [bob.key])),
        ("unknown-reference", "/listing", Said(speech.license_agreed(alice, bob, NOWHERE), [alice.key, bob.key])),
        ("wrong-role", "/issuer", Said(speech.license_agreed(carol, bob, scene.listing), [carol.key, bob.key])),
        ("same-party", "/licensee", Said(to_self, [alice.key])),
        ("unknown-reference", "/license", Said(speech.license_ended(alice, scene.listing), [alice.key])),
        ("wrong-role", "/issuer", Said(speech.license_ended(carol, scene.license), [carol.key])),
        ("unknown-reference", "/listing", Said(speech.transfer_offered(alice, bob, scene.license), [alice.key])),
        (
            "unknown-reference",
            "/license",
            Said(speech.transfer_offered(alice, bob, scene.listing, scene.listing), [alice.key]),
        ),
        (
            "unknown-party",
            "/recipient",
            Said(speech.transfer_offered(alice, bob, scene.listing, recipient="nobody"), [alice.key]),
        ),
        ("same-party", "/recipient", Said(speech.transfer_offered(alice, alice, scene.listing), [alice.key])),
        ("unknown-reference", "/transfer", Said(speech.transfer_acknowledged(bob, scene.listing), [bob.key])),
        ("wrong-role", "/issuer", Said(speech.transfer_acknowledged(alice, scene.open), [alice.key])),
        ("already-decided", "/transfer", Said(speech.transfer_acknowledged(bob, scene.done), [bob.key])),
        ("unknown-reference", "/transfer", Said(speech.transfer_refused(bob, NOWHERE), [bob.key])),
        ("wrong-role", "/issuer", Said(speech.transfer_refused(carol, scene.open), [carol.key])),
        ("already-decided", "/transfer", Said(speech.transfer_refused(bob, scene.done), [bob.key])),
    ]


@pytest.mark.parametrize("at", range(31))
def test_references(at: int) -> None:
    scene = Scene()
    all_ways = ways(scene)
    assert len(all_ways) == 31
    reason, field, said = all_ways[at]
    refused = refusal(scene, signed(said.statement, *said.keys))
    assert (refused.reason, refused.field, refused.authentic) == (reason, field, True)


def test_once_only() -> None:
    """A listing is withdrawn once and a license ended once, by either side."""
    scene = Scene()
    scene.say(scene.speech.listing_withdrawn(scene.alice, scene.listing), scene.alice.key)
    scene.say(scene.speech.license_ended(scene.bob, scene.license), scene.bob.key)
    for statement in (
        scene.speech.listing_withdrawn(scene.alice, scene.listing),
        scene.speech.license_ended(scene.alice, scene.license),
    ):
        assert refusal(scene, signed(statement, scene.alice.key)).reason == "already-decided"


def test_what_is_merely_unlawful_is_recorded() -> None:
    """A transfer outside its license, and a license on a withdrawn listing, are facts: replay judges them (§13)."""
    scene = Scene()
    say, speech, alice, carol = scene.say, scene.speech, scene.alice, scene.carol
    say(speech.license_ended(alice, scene.license), alice.key)
    say(speech.listing_withdrawn(alice, scene.listing), alice.key)
    say(speech.license_agreed(alice, carol, scene.listing), alice.key, carol.key)
    say(speech.transfer_offered(carol, scene.bob, scene.listing, scene.license), carol.key)
    say(speech.transfer_offered(alice, carol, scene.listing), alice.key)


def test_entry_zero() -> None:
    """Anything but `ledger.created` on an empty ledger is `not-created`, whatever else is wrong with it."""
    scene = Scene(rules=NEWEST_RULES)
    empty = LedgerBuilder("empty")
    empty.view._facts.clear()
    assert refusal(empty, told(scene)).reason == "not-created"


# ---------------------------------------------------------------------------------------------------- keys and signers


def test_admission_by_the_operator() -> None:
    """Where the operator admits, `party.registered` needs its signing key: not its recovery key, and nobody else's."""
    scene = Scene(admission="operator")
    dave = person("dave")
    for admitting in ([], [scene.operator.recovery], [scene.alice.key], [scene.operator.key, scene.alice.key]):
        statement = scene.speech.party_registered(dave) | {"signers": keyids([*dave.all_keys, *admitting])}
        assert refusal(scene, signed(statement, *dave.all_keys, *admitting)).reason == "wrong-signers"
    scene.say(scene.speech.party_registered(dave, scene.operator), *dave.all_keys, scene.operator.key)


def test_admission_is_open() -> None:
    """Where admission is open, nobody may countersign."""
    scene = Scene()
    dave = person("dave")
    countersigned = signed(scene.speech.party_registered(dave, scene.operator), *dave.all_keys, scene.operator.key)
    assert refusal(scene, countersigned).reason == "wrong-signers"
    scene.register(dave)


def test_every_new_key_signs() -> None:
    scene = Scene()
    dave = person("dave")
    for missing in dave.all_keys:
        signers = [item for item in dave.all_keys if item != missing]
        statement = scene.speech.party_registered(dave) | {"signers": keyids(signers)}
        assert refusal(scene, signed(statement, *signers)).reason == "wrong-signers"
    new = key("new key")
    statement = scene.speech.key_added(scene.alice, new) | {"signers": keyids([scene.alice.recovery])}
    assert refusal(scene, signed(statement, scene.alice.recovery)).reason == "wrong-signers"


def test_only_recovery_keys_add_keys() -> None:
    scene = Scene()
    new = key("new key")
    for by in (scene.alice.key, scene.bob.recovery, scene.operator.key):
        statement = scene.speech.key_added(scene.alice, new) | {"signers": keyids([new, by])}
        assert refusal(scene, signed(statement, new, by)).reason == "wrong-signers"
    alone = scene.speech.key_added(scene.alice, new) | {"signers": keyids([new])}
    assert refusal(scene, signed(alone, new)).reason == "wrong-signers"
    scene.say(scene.speech.key_added(scene.alice, new), new, scene.alice.recovery)


def test_who_may_revoke() -> None:
    """Recovery keys revoke any key of their party; a signing key revokes itself, alone."""
    scene = Scene()
    alice, speech = scene.alice, scene.speech
    new = key("new key")
    scene.say(speech.key_added(alice, new), new, alice.recovery)
    for by in (scene.bob.recovery, alice.key, scene.operator.recovery):
        statement = speech.key_revoked(alice, new, by)
        assert refusal(scene, signed(statement, by)).reason == "wrong-signers"
    both = speech.key_revoked(alice, new) | {"signers": keyids([new, alice.recovery])}
    assert refusal(scene, signed(both, new, alice.recovery)).reason == "wrong-signers"
    scene.say(speech.key_revoked(alice, new, new), new)
    scene.say(speech.key_revoked(alice, alice.recovery), alice.recovery)
    assert refusal(scene, signed(speech.key_added(alice, key("x")), key("x"), alice.recovery)).reason == "revoked-key"


def test_an_added_key_keeps_its_use() -> None:
    """A key added for recovery recovers, and signs nothing else; one added for signing signs."""
    scene = Scene()
    alice, speech = scene.alice, scene.speech
    spare, second = key("spare"), key("second")
    scene.say(speech.key_added(alice, spare, "recovery"), spare, alice.recovery)
    scene.say(speech.key_added(alice, second), second, alice.recovery)
    listing = speech.listing_registered(Person(alice.name, [spare]))
    assert refusal(scene, signed(listing, spare)).reason == "wrong-signers"
    scene.say(speech.listing_registered(Person(alice.name, [second])), second)
    scene.say(speech.key_revoked(alice, alice.recovery, spare), spare)
    several = speech.listing_registered(alice) | {"signers": keyids([alice.key, second])}
    scene.record(signed(several, alice.key, second))


def test_a_license_needs_both_and_nobody_else() -> None:
    scene = Scene()
    alice, bob, carol = scene.alice, scene.bob, scene.carol
    for signers in (
        [alice.key],
        [bob.key],
        [alice.key, carol.key],
        [alice.key, bob.key, carol.key],
        [alice.key, bob.recovery],
        [alice.recovery, bob.key],
        [alice.key, bob.key, bob.recovery],
    ):
        statement = scene.speech.license_agreed(alice, bob, scene.listing) | {"signers": keyids(signers)}
        assert refusal(scene, signed(statement, *signers)).reason == "wrong-signers"
    absent = scene.speech.license_agreed(alice, bob, scene.listing, licensee="nobody")
    assert refusal(scene, signed(absent, alice.key, bob.key)).reason == "wrong-signers"


def test_a_key_speaks_up_to_its_revocation() -> None:
    """The entry that revokes a key may be signed by it; the next may not."""
    scene = Scene()
    bob, speech = scene.bob, scene.speech
    scene.say(speech.key_revoked(bob, bob.key, bob.key), bob.key)
    fact = scene.view.get(KeyFact, key_key(bob.key.public.keyid))
    assert fact is not None
    assert fact.revoked_index == scene.size - 1
    assert refusal(scene, signed(speech.transfer_refused(bob, scene.open), bob.key)).reason == "revoked-key"


def test_keys_of_a_statement_that_was_refused_stay_free() -> None:
    scene = Scene()
    namesake = person("carol", "another carol")
    refusal(scene, signed(scene.speech.party_registered(namesake), *namesake.all_keys))
    scene.register(Person("dave", namesake.keys, namesake.recovery_keys))


def test_a_party_that_was_not_loaded_lets_no_key_of_it_pass() -> None:
    """Who looks up a key and not its party cannot know whether a key of the other algorithm has to sign as well."""
    ledger, alice = LedgerBuilder(), person("alice")
    ledger.register(alice)
    statement = parse_statement(signed(ledger.speech.listing_registered(alice), alice.key).payload)
    facts = [fact for fact in ledger.view._facts.values() if not isinstance(fact, PartyFact)]
    check_signers(ledger.view, statement)
    with pytest.raises(AssertionError, match="alice"):
        check_signers(View(facts), statement)
