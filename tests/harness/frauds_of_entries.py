"""The Forger's frauds, continued: entries that the operator had to refuse, or that nobody signed."""

# ruff: noqa: D401 - the docstring of a fraud is what it says

from __future__ import annotations

from tests.harness.forger import Scene, envelope_of
from tests.harness.frauds import HISTORY, FraudFile, Told, consistency, fraud, listing
from tests.harness.people import key
from tests.harness.speech import keyids, signed


def _unlawful(scene: Scene, at: int, *others: int, kind: str = "unlawful-entry") -> FraudFile:
    file = FraudFile(kind, scene, {"index": at})
    head = file.head()
    for index in sorted({*others, at}):
        file.entry(index, head)
    return file


@fraud
def recorded_twice(scene: Scene) -> Told:
    """The same statement at two places."""
    envelope = listing(scene)
    scene.record(envelope)
    at = scene.force(envelope)
    return Told(_unlawful(scene, at, at - 1), ("duplicate-statement",))


@fraud
def recorded_after_it_expired(scene: Scene) -> Told:
    """By its own words it was too late."""
    envelope = signed(scene.speech.listing_registered(scene.carol, not_after_ms=scene.now_ms), scene.carol.key)
    at = scene.force(envelope, scene.now_ms + 1)
    return Told(_unlawful(scene, at), ("expired",))


@fraud
def recorded_for_another_ledger(scene: Scene) -> Told:
    """It names another ledger."""
    statement = scene.speech.listing_registered(scene.carol, ledger="sha256:" + "ab" * 32)
    at = scene.force_said(statement, scene.carol.key)
    file = _unlawful(scene, at, 0)
    file.said(HISTORY, subjects=["nobody"], indexes=[])  # with which the service key, and so entry 0, is opened
    return Told(file, ("wrong-ledger",))


@fraud
def recorded_though_it_saw_another_tree(scene: Scene) -> Told:
    """What it says it has seen is not what the log was."""
    seen = {"root": "ab" * 32, "size": 5}
    at = scene.force(signed(scene.speech.listing_registered(scene.carol, seen=seen), scene.carol.key))
    file = _unlawful(scene, at)
    file.value["consistency"] = {"path": consistency(scene, 5, scene.size), "root": scene.root_at(5).hex()}
    return Told(file, ("seen-mismatch",))


@fraud
def broken_link(scene: Scene) -> Told:
    """It names another entry as the one before."""
    at = scene.force(listing(scene), previous="ab" * 32)
    return Told(_unlawful(scene, at, at - 1), ("wrong-previous",))


@fraud
def decided_twice(scene: Scene) -> Told:
    """What only the whole beginning of the log can show: the hand-off was decided already."""
    at = scene.force(signed(scene.speech.transfer_refused(scene.bob, scene.done), scene.bob.key))
    file = FraudFile("unlawful-entry", scene, {"index": at})
    head = file.head()
    file.prefix(at, head)
    file.entry(at, head)
    return Told(file, ("already-decided",))


@fraud
def not_canonical(scene: Scene) -> Told:
    """Its payload is no canonical JSON."""
    at = scene.force_payload(b'{"type": "listing.registered"}', scene.carol.key)
    return Told(_unlawful(scene, at), ("non-canonical",))


@fraud
def signed_by_nobody(scene: Scene) -> Told:
    """The signature is not that of the key that it names."""
    statement = scene.speech.listing_registered(scene.carol)
    false = [(scene.carol.key.public.keyid, scene.alice.key.sign(signed(statement, scene.carol.key).signed_bytes))]
    at = scene.force(envelope_of(statement, false))
    file = _unlawful(scene, at, kind="unsigned-statement")
    file.value["keys"] = [scene.carol.key.public.document()]
    return Told(file, ("wrong-signature",))


@fraud
def signed_by_a_revoked_key(scene: Scene) -> Told:
    """The key was revoked before."""
    statement = scene.speech.listing_registered(scene.alice, signers=keyids([scene.old_key]))
    at = scene.force(signed(statement, scene.old_key))
    return Told(_unlawful(scene, at, 5, kind="unsigned-statement"), ("revoked-key",))


@fraud
def signature_stripped(scene: Scene) -> Told:
    """A signer's signature is not there."""
    statement = scene.speech.license_agreed(scene.alice, scene.bob, scene.listing)
    envelope = signed(statement, scene.alice.key)
    at = scene.force(envelope)
    return Told(_unlawful(scene, at, kind="unsigned-statement"), ("missing-signature",))


@fraud
def signed_by_a_key_of_the_operators(scene: Scene) -> Told:
    """A key that nobody registered speaks for a party: only the whole beginning of the log shows that."""
    own = key("the operator's own")
    statement = scene.speech.listing_registered(scene.carol, signers=keyids([own]))
    at = scene.force(signed(statement, own))
    file = FraudFile("unsigned-statement", scene, {"index": at})
    file.prefix(scene.size, file.head())
    return Told(file, ("unknown-key",))
