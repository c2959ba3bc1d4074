"""Random histories: statements by parties who are right, wrong, careless or hostile, each spoiled in at most one way.

What the ledger refuses is recorded all the same and takes no effect, so that ledger and verifier judge the same
statement at the same index and time, in the same state.
"""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json, canonical
from ledger.core.errors import FormatError
from ledger.core.keys import Signer
from ledger.registry.acceptance import Duplicate
from ledger.registry.facts import KeyFact, key_key
from ledger.registry.refusal import Refused
from tests.conformance.spoil import spoil_envelope, spoil_envelope_bytes, spoil_payload, spoil_statement
from tests.conformance.world import World
from tests.conformance.world_2 import World2
from tests.harness.forger import Forger, sign_payload
from tests.harness.people import Person, person
from tests.harness.speech import DAY_MS, keyids, signed, types_of

BY_DESIGN = "unknown-rules"
"""After it a verifier judges nothing (docs/format.md §6.2, §9.14): such candidates are not recorded."""


class Judged(NamedTuple):
    """What the ledger said about entry `at`; no reason: accepted."""

    at: int
    reason: str
    how: str
    """What kind of candidate it was, for the message of a failing test."""


class History:
    """One random history over one ledger."""

    def __init__(self, seed: int, rules: int = 1) -> None:
        """Begin with the operator and four parties, under version `rules` of the rules."""
        self.pick = Random(seed)
        admission = self.pick.choice(["open", "operator"])
        self.ledger = Forger(f"history {seed}", admission=admission, rules=rules)
        kind = World if rules == 1 else World2
        self.world: World | World2 = kind(self.pick, self.ledger)
        self.judged = [Judged(0, "", "ledger.created")]
        for name in ("alice", "bob", "carol", "dave"):
            statement = self.world.registration(person(name, f"{name} {seed}"))
            self._judge(signed(statement, *self._keys_for(statement)), "party.registered")

    def step(self) -> None:
        """Add one candidate to the log."""
        pick, world = self.pick, self.world
        world.speech.now_ms = self.ledger.now_ms - pick.choice([0, 0, 1000, DAY_MS])
        statement = world.statement()
        try:
            canonical(statement)
        except FormatError:  # nested too deep, by sub-licenses of sub-licenses
            return
        if statement["type"] != "ledger.created" and pick.random() < 0.3:
            size = pick.randrange(1, self.ledger.size + 1)
            statement["seen"] = {"root": self.ledger.root_at(size).hex(), "size": size}
        chance = pick.random()
        if chance < 0.5 or not self.ledger.reads(signed(statement, *self._keys_for(statement))):
            # what is false in itself is not spoiled, too: of several faults any may be told
            self._judge(signed(statement, *self._keys_for(statement)), statement["type"])
        elif chance < 0.56:
            self._change_signers(statement)
            self._judge(signed(statement, *self._keys_for(statement)), "signers changed")
        elif chance < 0.8:
            how = spoil_statement(pick, statement, self.ledger.now_ms)
            self._judge(sign_payload(_bytes_of(statement), *self._keys_for(statement)), how)
        elif chance < 0.85:
            payload, how = spoil_payload(pick, canonical(statement))
            self._judge(sign_payload(payload, *self._keys_for(statement)), how)
        elif chance < 0.94:
            envelope = signed(statement, *self._keys_for(statement))
            self._judge(*spoil_envelope(pick, envelope, list(world.owners.values())))
        elif chance < 0.96:
            envelope = signed(statement, *self._keys_for(statement))
            self._judge(*spoil_envelope_bytes(pick, envelope.recorded))
        else:
            self._judge(pick.choice(world.past), "said before")

    def change_rules(self) -> None:
        """Change to the next version, which allows some or all of its types from then on, unless nobody can."""
        rules = self.world.speech.rules + 1
        facts = {own: self.ledger.view.get(KeyFact, key_key(own.public.keyid)) for own in self.ledger.operator.keys}
        good = [own for own, fact in facts.items() if fact is not None and fact.revoked_index is None]
        if not good:
            return
        few = [kind for kind in types_of(rules) if kind == "ledger.rules_changed" or self.pick.random() < 0.8]
        types = self.pick.choice([list(types_of(rules)), few])
        statement = self.world.speech.rules_changed(self.ledger.operator, rules, statement_types=types)
        voice = Person(self.ledger.operator.name, good).voice
        statement["signers"] = keyids(voice)
        self._judge(signed(statement, *voice), "ledger.rules_changed")
        assert self.judged[-1].reason == "", self.judged[-1]
        self.world.speech.rules = rules
        if isinstance(self.world, World):
            self.world = World2.after(self.world)

    def _keys_for(self, statement: Json) -> list[Signer]:
        """Return the private keys of the statement's signers, as far as it has any that can be found."""
        signers = statement.get("signers")
        names = [name for name in signers if isinstance(name, str)] if isinstance(signers, list) else []
        return [self.world.owners[name] for name in names if name in self.world.owners] or [self.ledger.log_key]

    def _change_signers(self, statement: Json) -> None:
        """Name other signers than the type asks for: all the same, they sign."""
        names = set(statement["signers"])
        if self.pick.random() < 0.4 and len(names) > 1:
            names.discard(self.pick.choice(sorted(names)))
        else:
            names.add(self.pick.choice(sorted(self.world.owners)))
        statement["signers"] = sorted(names)

    def _posted(self, recorded: bytes) -> bytes:
        """Return another spelling of an envelope, as a client may post it (§4.4)."""
        document = json.loads(recorded)
        self.pick.shuffle(document["signatures"])
        members = list(document.items())
        self.pick.shuffle(members)
        return json.dumps(dict(members), indent=self.pick.choice([None, 1])).encode()

    def _judge(self, candidate: Envelope | Json | bytes, how: str) -> None:
        """Let the ledger judge a candidate, then record it, whatever it said."""
        now_ms = self.ledger.now_ms
        if isinstance(candidate, Envelope):
            recorded = candidate.recorded
            posted = self._posted(recorded)
        else:
            posted = recorded = candidate if isinstance(candidate, bytes) else canonical(candidate)
        reason = ""
        try:
            envelope = self.ledger.accept(posted, now_ms)
        except Duplicate:
            reason = "duplicate-statement"
        except (FormatError, Refused) as error:
            reason = error.reason
        else:
            self.world.remember(envelope)
        if reason != BY_DESIGN:
            self.judged.append(Judged(self.ledger.force(recorded, now_ms), reason, how))


def _bytes_of(statement: Json) -> bytes:
    """Return canonical bytes; where there are none, some other JSON."""
    try:
        return canonical(statement)
    except FormatError:
        return json.dumps(statement, separators=(",", ":"), sort_keys=True).encode()
