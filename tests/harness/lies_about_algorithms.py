"""Lies of whoever can break one algorithm of signatures, about a party that has keys of both (docs/format.md §16.4)."""

# ruff: noqa: D401 - the docstring of a lie is what it says

from __future__ import annotations

from ledger.core.keys import Signer
from ledger.statements.parse import LASTING_KEYS
from tests.harness.forger import Expected, Scene, lie
from tests.harness.people import lasting_key, person

NEW = lasting_key("carol signing, lasting")
NEW_RECOVERY = lasting_key("carol recovery, lasting")


class _Forging:
    """A key whose algorithm was broken: somebody else's hand signs as well as it can."""

    def __init__(self, name: Signer, signature: bytes) -> None:
        self.public = name.public
        self._signature = signature

    def sign(self, message: bytes) -> bytes:
        return self._signature or message[:0]


def before(scene: Scene) -> list[Expected]:
    """Let Carol take a key of ML-DSA-44 of each use; before version 5 the first of them is the lie."""
    speech, carol = scene.speech, scene.carol
    if scene.rules < LASTING_KEYS:
        said = speech.key_added(carol, NEW)
        return [(scene.force_said(said, NEW, *carol.recovery_voice), "envelope", "malformed-signature")]
    scene.say(speech.key_added(carol, NEW), NEW, carol.recovery)
    carol.keys.append(NEW)
    scene.say(speech.key_added(carol, NEW_RECOVERY, "recovery"), NEW_RECOVERY, carol.recovery)
    carol.recovery_keys.append(NEW_RECOVERY)
    scene.say(speech.listing_registered(carol), *carol.voice)
    return []


def _listed_by(scene: Scene, *signers: Signer) -> int:
    """Record a listing of Carol's that asks for these keys and no others."""
    said = scene.speech.say("listing.registered", scene.carol, signers, title="T", content={"sealed": "ab" * 32})
    if scene.rules > 1:
        said = {**scene.speech.listing_registered(scene.carol), "signers": sorted(k.public.keyid for k in signers)}
    return scene.force_said(said, *signers)


@lie
def lasting_key_does_not_sign(scene: Scene) -> list[Expected]:
    """Ed25519 fell: its forger speaks for a party that has an ML-DSA-44 key, too, and leaves that one out."""
    return before(scene) or [(_listed_by(scene, scene.carol.key), "signers", "wrong-signers")]


@lie
def short_key_does_not_sign(scene: Scene) -> list[Expected]:
    """ML-DSA-44 fell: its forger leaves out the party's Ed25519 key."""
    return before(scene) or [(_listed_by(scene, NEW), "signers", "wrong-signers")]


@lie
def lasting_signature_bent(scene: Scene) -> list[Expected]:
    """Ed25519 fell: the forger names the ML-DSA-44 key, too, and signs for it with 2,420 bytes of its own."""
    return before(scene) or [
        (_listed_by(scene, scene.carol.key, _Forging(NEW, b"\x01" * 2420)), "signature", "wrong-signature")
    ]


@lie
def short_signature_for_a_lasting_key(scene: Scene) -> list[Expected]:
    """A signature of 64 bytes in the place of one of 2,420: the key says which algorithm it is, not the length."""
    return before(scene) or [
        (_listed_by(scene, scene.carol.key, _Forging(NEW, b"\x01" * 64)), "signature", "wrong-signature")
    ]


@lie
def key_added_by_half_of_the_recovery_keys(scene: Scene) -> list[Expected]:
    """Ed25519 fell: the forger adds a key of its own by the party's Ed25519 recovery key alone."""
    if told := before(scene):
        return told
    own = lasting_key("of the forger")
    said = scene.speech.say(
        "party.key_added", scene.carol, [own, scene.carol.recovery], key=own.public.document(), use="signing"
    )
    return [(scene.force_said(said, own, scene.carol.recovery), "signers", "wrong-signers")]


@lie
def license_by_half_of_the_licensees_keys(scene: Scene) -> list[Expected]:
    """Ed25519 fell: the forger agrees a license in the name of a licensee that has an ML-DSA-44 key, too."""
    if told := before(scene):
        return told
    alice, carol = scene.alice, scene.carol
    said = scene.speech.license_agreed(alice, carol, scene.listing)
    said["signers"] = sorted(item.public.keyid for item in (alice.key, carol.key))
    return [(scene.force_said(said, alice.key, carol.key), "signers", "wrong-signers")]


@lie
def key_of_somebody_with_both_taken(scene: Scene) -> list[Expected]:
    """Somebody registers with Carol's ML-DSA-44 key as its own: whose key it is, is not a question of who must sign."""
    if told := before(scene):
        return told
    thief = person("thief.example")
    thief.keys.append(NEW)
    return [(scene.force_said(scene.speech.party_registered(thief), *thief.all_keys), "reference", "key-taken")]
