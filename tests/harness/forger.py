"""The Forger: a ledger that records what it likes, and hides it as well as an operator with the log's key could.

Whatever it records is chained, hashed and signed like everything else, so that a lie is false in one thing.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.core.dsse import STATEMENT_TYPE, Envelope
from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.entry import ZERO_LINK
from ledger.core.hashing import leaf_hash
from ledger.core.keys import Signer
from tests.harness.builder import LedgerBuilder
from tests.harness.people import key, person
from tests.harness.speech import signed

Files = dict[str, bytes]
Expected = tuple[int | None, str, str]
"""Index (None for the log as a whole), check and reason of one failure that the verifier must report."""
Lie = Callable[["Scene"], list[Expected]]
LIES: list[Lie] = []
"""Every lie of `lies_in_bytes`, `lies_in_keys` and `lies_in_words`."""


def lie(tell: Lie) -> Lie:
    """Add a lie to the list: it is told once to an honest scene, and returns the failures that it must cause."""
    LIES.append(tell)
    return tell


class Forger(LedgerBuilder):
    """A ledger that can also record without judging; what it forces in takes no effect on its own view."""

    def force(
        self,
        recorded: Envelope | Json | bytes,
        time_ms: int | None = None,
        *,
        previous: str = "",
        index: int | None = None,
    ) -> int:
        """Record an envelope, its JSON value, or the bytes in its place, unjudged; return the entry's true index."""
        now_ms = self.now_ms if time_ms is None else time_ms
        statement = recorded
        if isinstance(recorded, Envelope):
            statement = recorded.recorded
        elif not isinstance(recorded, bytes):
            statement = canonical(recorded)
        if not previous:
            previous = leaf_hash(self.entries[-1]).hex() if self.entries else ZERO_LINK
        claimed = self.size if index is None else index
        raw = b'{"index":%d,"previous":"%s","statement":%s,"time":%d}' % (claimed, previous.encode(), statement, now_ms)
        return self.force_raw(raw, now_ms)

    def force_raw(self, raw: bytes, time_ms: int | None = None) -> int:
        """Record any bytes as an entry; return its index."""
        self.chain(raw, self.now_ms if time_ms is None else time_ms)
        return self.size - 1

    def force_payload(self, payload: bytes, *keys: Signer) -> int:
        """Sign and record payload bytes that need not be canonical, or JSON at all."""
        return self.force(sign_payload(payload, *keys))

    def force_said(self, statement: Json, *keys: Signer, time_ms: int | None = None) -> int:
        """Sign and record a statement, unjudged."""
        return self.force(signed(statement, *keys), time_ms)


def sign_payload(payload: bytes, *keys: Signer) -> Envelope:
    """Sign payload bytes as they are."""
    unsigned = Envelope(payload, ())
    return unsigned.with_signatures((item.public.keyid, item.sign(unsigned.signed_bytes)) for item in keys)


class Scene(Forger):
    """The honest story in which every lie is told once: three parties, a license, one decided and one open hand-off."""

    def __init__(self, label: str = "first", **fields: Json) -> None:
        """Tell the honest part; `label` and `fields` are those of LedgerBuilder."""
        super().__init__(label, **fields)
        countersign = [self.operator] if fields.get("admission") == "operator" else []
        self.alice, self.bob, self.carol = (person(name) for name in ("alice.example", "bob.example", "carol"))
        for who in (self.alice, self.bob, self.carol):
            statement = self.speech.party_registered(who, *countersign)
            self.say(statement, *who.all_keys, *(operator.key for operator in countersign))
        say, speech, alice, bob = self.say, self.speech, self.alice, self.bob
        self.old_key = key("alice old key")
        say(speech.key_added(alice, self.old_key), self.old_key, alice.recovery)
        say(speech.key_revoked(alice, self.old_key, compromised_since_ms=self.now_ms + 1), alice.recovery)
        self.listing = say(speech.listing_registered(alice), alice.key)
        seen = {"root": self.root_at(2).hex(), "size": 2}
        self.license = say(speech.license_agreed(alice, bob, self.listing, seen=seen), alice.key, bob.key)
        self.done = say(speech.transfer_offered(alice, bob, self.listing, self.license), alice.key)
        self.acknowledged = say(speech.transfer_acknowledged(bob, self.done), bob.key)
        self.open = say(speech.transfer_offered(alice, bob, self.listing, self.license), alice.key)
        self.edit: Callable[[Files], None] | None = None
        """Applied to the finished directory: lies about bytes."""
        self.remembered: Files | None = None
        """The directory that the verifier has seen before."""
        self.is_over = False

    def go_on(self) -> None:
        """Tell the honest rest, on which no lie may leave a trace, unless that is done."""
        if self.is_over:
            return
        self.is_over = True
        self.say(self.speech.transfer_refused(self.bob, self.open), self.bob.key)
        self.say(self.speech.listing_withdrawn(self.alice, self.listing), self.alice.key)

    def directory(self) -> Files:
        """Return the files, edited."""
        files = self.files()
        if self.edit:
            self.edit(files)
        return files


def envelope_of(statement: Json, signatures: list[tuple[str, bytes]], payload_type: str = STATEMENT_TYPE) -> Json:
    """Return an envelope's JSON value with whatever signatures."""
    listed = [{"keyid": keyid, "sig": b64encode(signature)} for keyid, signature in signatures]
    return {"payload": b64encode(canonical(statement)), "payloadType": payload_type, "signatures": listed}
