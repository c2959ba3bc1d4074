"""Bundles of parties with keys of Ed25519 and of ML-DSA-44, and lies of whoever can break one (docs/format.md §16.4).

Where every entry is in the bundle, a missing signature is false; where not, a revocation elsewhere would explain it.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from ledger.core.keys import Signer
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story, Tamper
from tests.harness.bundles import NOT_NEEDED, Case, Maker, finished
from tests.harness.forged_bundles import Document, at
from tests.harness.people import lasting_key
from tests.harness.speech import keyids

LICENSE = "license bob.example"
SHORT, LONG = b"\x01" * 64, b"\x01" * 2420


def _story(tamper: Tamper | None = None, rules: int = 5) -> Story:
    return Story(tamper=tamper, rules=rules, lasting={"alice.example", "bob.example"} if rules == 5 else ())


def _made(tamper: Tamper | None = None, *, is_whole: bool = False, rules: int = 5) -> tuple[bytes, str]:
    story = _story(tamper, rules)
    return finished(Maker(story, leak([story.copies["bob.example"]]), is_whole=is_whole))


def _without(label: str, position: int) -> Tamper:
    """Return a tamperer: of each party's key of Ed25519 and its key of ML-DSA-44 in turn, one does not sign."""

    def leave_out(statement: Document, keys: list[Signer]) -> list[Signer]:
        left = [item for number, item in enumerate(keys) if number != position]
        statement["signers"] = keyids(left)
        return left

    return at(label, leave_out)


class _Broken:
    """A key whose algorithm is broken, in a hand that signs with what it has."""

    def __init__(self, name: Signer, signature: bytes) -> None:
        self.public, self.signature = name.public, signature

    def sign(self, _message: bytes) -> bytes:
        return self.signature


def _forged(item: Signer, signature: bytes) -> Signer:
    return cast("Signer", _Broken(item, signature))


def _bent(position: int, signature: bytes) -> Tamper:
    """Return a tamperer: one of the claim's keys is named, and signs with these bytes."""
    return at("claim", lambda _, keys: [*keys[:position], _forged(keys[position], signature), *keys[position + 1 :]])


def _after_a_revocation(*left_out: str) -> tuple[bytes, str]:
    """Alice's ML-DSA-44 key is revoked; what she then signs with the other alone is good, for who knows of that."""
    story = _story()
    alice, speech = story.alice, story.speech
    story.tell("revoked", speech.key_revoked(alice, alice.keys[1]), *alice.recovery_voice)
    amended = speech.say("listing.amended", alice, [alice.key], listing=story.listing, title="Planes, all of them")
    story.tell("listing amended", amended, alice.key)
    return finished(Maker(story, leak([story.copies["bob.example"]]), left_out=NOT_NEEDED | {*left_out}))


def _key_under_version_4() -> tuple[bytes, str]:
    """Let carol take a key that no party may have yet; a signature of 2,420 bytes would give it away before."""
    story = _story(at("", lambda _statement, keys: keys), rules=4)
    new = lasting_key("carol.example signing")
    story.tell("key", story.speech.key_added(story.carol, new), _forged(new, SHORT), story.carol.recovery)
    return finished(Maker(story, leak([story.copies["bob.example"]])))


CASES = [
    Case("good-lasting", _made),
    Case("good-lasting-whole-log", partial(_made, is_whole=True)),
    Case("good-lasting-key-revoked", _after_a_revocation),
    Case("doubt-lasting-key-revoked-elsewhere", partial(_after_a_revocation, "revoked"), 3, "signature"),
    Case("doubt-lasting-signature-left-out", partial(_made, _without("claim", 1)), 3, "signature"),
    Case("lasting-signature-left-out", partial(_made, _without("claim", 1), is_whole=True), 1, "signature"),
    Case("short-signature-left-out", partial(_made, _without("claim", 0), is_whole=True), 1, "signature"),
    Case("licensee-signs-with-half-of-its-keys", partial(_made, _without(LICENSE, 3), is_whole=True), 1, "signature"),
    Case("lasting-signature-bent", partial(_made, _bent(1, LONG)), 1, "signature"),
    Case("lasting-signature-of-64-bytes", partial(_made, _bent(1, SHORT)), 1, "signature"),
    Case("short-signature-bent", partial(_made, _bent(0, SHORT)), 1, "signature"),
    Case("short-signature-of-2420-bytes", partial(_made, _bent(0, LONG)), 1, "signature"),
    Case("lasting-signature-before-version-5", partial(_made, _bent(0, LONG), rules=4), 1, "acceptance"),
    Case("lasting-key-before-version-5", _key_under_version_4, 1, "acceptance"),
]
