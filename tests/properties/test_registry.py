"""For every history: the facts are those that a naive reading finds, and no fact beyond those asked for was needed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from ledger.core.dsse import parse_envelope
from ledger.core.encoding import Json
from ledger.core.errors import LedgerError
from ledger.core.keys import Signer
from ledger.registry.acceptance import Candidate, Duplicate, accept
from ledger.registry.facts import LEDGER_KEY, Fact, View
from ledger.registry.loading import further_facts, needed_facts, needed_ids
from ledger.registry.refusal import Refused
from ledger.statements.parse import parse_statement
from tests.conformance.histories import History
from tests.harness.builder import LedgerBuilder
from tests.harness.people import Person, key, person
from tests.harness.speech import signed
from tests.properties.naive import Accepted, facts


def accepted_by(ledger: LedgerBuilder) -> Accepted:
    """Return what the ledger says it recorded, in order."""
    found = []
    for statement_id, index in sorted(ledger.view.recorded.items(), key=lambda item: item[1]):
        envelope = parse_envelope(json.dumps(json.loads(ledger.entries[index])["statement"]).encode())
        assert envelope.id == statement_id
        found.append((index, statement_id, json.loads(envelope.payload)))
    return found


def told_facts(view: View) -> dict[str, Json]:
    """Return the view's facts in the form of `naive.facts`."""
    return {name: dict(fact.document()) for name, fact in view._facts.items() if name != LEDGER_KEY}


def check_facts(ledger: LedgerBuilder) -> None:
    """Compare the facts with those of a naive reading, which knows version 1 only."""
    told, naive = told_facts(ledger.view), facts(accepted_by(ledger))
    assert naive.keys() <= told.keys()
    for name, fact in naive.items():
        assert told[name].items() >= fact.items()


def loaded(view: View, candidate: Candidate, recorded: dict[str, int]) -> View:
    """Return a view of nothing but what a store would load for the statement."""
    statement = candidate.statement
    ids = [candidate.envelope.id, *needed_ids(statement)]
    found = View((), {name: recorded[name] for name in ids if name in recorded})
    missing = needed_facts(statement)
    while missing:
        found.add(View([view._facts[name] for name in missing if name in view._facts], asked=missing))
        missing = further_facts(found, statement)
    return found


def outcome(view: View, candidate: Candidate, ledger: LedgerBuilder) -> Any:
    """Return what acceptance says and changes."""
    try:
        subjects = accept(view, candidate, ledger.size, ledger.now_ms, ledger.root_at)
    except Refused as refused:
        return refused.reason, refused.field, refused.authentic
    except Duplicate as duplicate:
        return duplicate.index
    return subjects, {name: (fact.kind, fact.document()) for name, fact in view.changed.items()}, view.findings


@pytest.mark.parametrize("seed", range(100, 103))
def test_facts_of_a_random_history(seed: int) -> None:
    history = History(seed)
    for _ in range(400):
        history.step()
    check_facts(history.ledger)


@pytest.mark.parametrize(("seed", "rules"), [(200, 1), (201, 1), (202, 2), (203, 3), (204, 3), (205, 6), (206, 6)])
def test_needed_facts_are_all_that_is_needed(seed: int, rules: int) -> None:
    """A view of nothing but what loading asks for decides, changes and finds the same."""
    history = History(seed, rules=rules)
    for _ in range(250):
        history.step()
    ledger = history.ledger
    outcomes = set()
    for raw in ledger.entries:
        try:
            envelope = parse_envelope(json.dumps(json.loads(raw)["statement"]).encode())
            candidate = Candidate(parse_statement(envelope.payload, rules), envelope)
        except (LedgerError, ValueError):
            continue
        everything: dict[str, Fact] = ledger.view._facts
        for recorded in (ledger.view.recorded, {}):
            before = [fact for name, fact in everything.items() if envelope.id not in name]
            full = outcome(View(before, recorded), candidate, ledger)
            assert outcome(loaded(View(before), candidate, recorded), candidate, ledger) == full
            outcomes.add(str(full[0]) if isinstance(full, tuple) else "duplicate")
    assert len(outcomes) > 20, "too uniform a history to say anything"


class Exchange(RuleBasedStateMachine):
    """Parties act on a ledger in any order; what is refused and what is recorded follows from a few lines of model."""

    parties: Bundle[Person] = Bundle("parties")
    listings: Bundle[str] = Bundle("listings")
    licenses: Bundle[str] = Bundle("licenses")
    transfers: Bundle[str] = Bundle("transfers")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = LedgerBuilder("exchange")
        self.speech = self.ledger.speech
        self.names: set[str] = set()
        self.gone: set[str] = set()
        """Keyids that are revoked."""
        self.decided: set[str] = set()
        """Ids of listings withdrawn, licenses ended, transfers decided."""
        self.owners: dict[str, tuple[str, ...]] = {}
        """Id to the names of those who may decide it."""

    def say(self, statement: Json, *keys: Signer, reason: str) -> str:
        """Record a statement that the model refuses for `reason`, or accepts if there is none."""
        envelope = signed(statement, *keys)
        if any(item.public.keyid in self.gone for item in keys):
            reason = "revoked-key"
        if reason:
            with pytest.raises(Refused) as caught:
                self.ledger.record(envelope)
            assert (caught.value.reason, caught.value.authentic) == (reason, True)
            return ""
        return self.ledger.record(envelope)

    def decide(self, statement: Json, who: Person, name: str) -> None:
        """Decide something that exists, once, as one of those who may."""
        reason = (
            "wrong-role" if who.name not in self.owners[name] else "already-decided" if name in self.decided else ""
        )
        if self.say(statement, who.key, reason=reason):
            self.decided.add(name)

    @rule(target=parties, name=st.sampled_from(["alice", "bob", "carol"]), label=st.integers(0, 2))
    def register(self, name: str, label: int) -> Any:
        who = person(name, f"{name} {label}")
        reason = "name-taken" if name in self.names else ""
        if not self.say(self.speech.party_registered(who), *who.all_keys, reason=reason):
            return multiple()
        self.names.add(name)
        return who

    @rule(who=parties)
    def change_key(self, who: Person) -> None:
        """Add a key and revoke the one before."""
        new = key(f"{who.name} {len(self.gone)} {self.ledger.size}")
        if self.say(self.speech.key_added(who, new), new, who.recovery, reason=""):
            old, who.keys[0] = who.key, new
            self.say(self.speech.key_revoked(who, old), who.recovery, reason="")
            self.gone.add(old.public.keyid)
            again = self.speech.key_added(who, old)
            self.say(again, old, who.recovery, reason="revoked-key")

    @rule(target=listings, who=parties)
    def offer_data(self, who: Person) -> Any:
        name = self.say(self.speech.listing_registered(who), who.key, reason="")
        self.owners[name] = (who.name,)
        return name

    @rule(who=parties, listing=listings)
    def withdraw(self, who: Person, listing: str) -> None:
        self.decide(self.speech.listing_withdrawn(who, listing), who, listing)

    @rule(target=licenses, who=parties, licensee=parties, listing=listings)
    def license(self, who: Person, licensee: Person, listing: str) -> Any:
        reason = "same-party" if who is licensee else ""
        reason = "wrong-role" if who.name not in self.owners[listing] else reason
        statement = self.speech.license_agreed(who, licensee, listing)
        name = self.say(statement, who.key, licensee.key, reason=reason)
        if not name:
            return multiple()
        self.owners[name] = (who.name, licensee.name)
        return name

    @rule(who=parties, agreed=licenses)
    def end(self, who: Person, agreed: str) -> None:
        self.decide(self.speech.license_ended(who, agreed), who, agreed)

    @rule(target=transfers, who=parties, recipient=parties, listing=listings, agreed=licenses | st.none())
    def hand_off(self, who: Person, recipient: Person, listing: str, agreed: str | None) -> Any:
        """Whether the license allows it is no question of acceptance."""
        reason = "same-party" if who is recipient else ""
        name = self.say(self.speech.transfer_offered(who, recipient, listing, agreed), who.key, reason=reason)
        if not name:
            return multiple()
        self.owners[name] = (recipient.name,)
        return name

    @rule(who=parties, transfer=transfers, is_good=st.booleans())
    def answer(self, who: Person, transfer: str, is_good: bool) -> None:
        answer = self.speech.transfer_acknowledged if is_good else self.speech.transfer_refused
        self.decide(answer(who, transfer), who, transfer)

    @rule(who=parties, wrong=listings | licenses | transfers)
    def answer_something_else(self, who: Person, wrong: str) -> None:
        """Name an id as what it is not: it exists only as what its statement made it."""
        self.say(self.speech.key_added(who, self.ledger.log_key), self.ledger.log_key, who.recovery, reason="key-taken")
        if wrong not in {item[1] for item in accepted_by(self.ledger) if item[2]["type"] == "transfer.offered"}:
            self.say(self.speech.transfer_acknowledged(who, wrong), who.key, reason="unknown-reference")

    @invariant()
    def facts_are_what_a_naive_reading_finds(self) -> None:
        check_facts(self.ledger)


TestExchange = Exchange.TestCase
TestExchange.settings = settings(max_examples=60, stateful_step_count=30, derandomize=True, deadline=None)
