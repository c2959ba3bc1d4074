"""Whom entries concern by what their own parties say (docs/format.md §12.4): both programs, on random histories."""

from __future__ import annotations

from random import Random

import pytest

from ledger.core.entry import parse_entry
from ledger.registry.acceptance import record
from ledger.registry.concerning import Followed
from ledger.registry.facts import View
from ledger.registry.finding import Moment
from tests.conformance.effort import rounds
from tests.conformance.tale import Tale
from tests.harness.builder import LedgerBuilder
from tests.harness.bundle_story import Story
from tests.harness.forger import Forger
from tests.verifier.bundle.test_partial import examined
from verifier.bundle.entries import Chain
from verifier.rules.subject import Observed

NARROW = 6


def concerned(ledger: LedgerBuilder) -> list[set[str]]:
    """Return the subjects of every entry, as the ledger keeps them."""
    view, found = View(), []
    for raw in ledger.entries:
        entry = parse_entry(raw)
        statement = ledger.read(entry.envelope)
        found.append(set(record(view, statement, Moment(entry.envelope.id, entry.index, entry.time_ms))))
    return found


def followed(ledger: LedgerBuilder, subject: str, rules: int) -> set[int]:
    """Return the entries that concern an id, as whoever makes a bundle finds them."""
    following = Followed(subject)
    entries = [parse_entry(raw) for raw in ledger.entries]
    return {entry.index for entry in entries if following.take(ledger.read(entry.envelope), entry.envelope.id, rules)}


def observed(chain: Chain, subject: str, rules: int) -> set[int]:
    """Return the entries that concern an id, as the verifier finds them."""
    observing = Observed(subject, rules=rules)
    for index, told in chain.told.items():
        observing.take(index, told.time_ms, told.statement)
    return set(observing.concerning)


@pytest.mark.parametrize("rules", [NARROW - 1, NARROW])
@pytest.mark.parametrize("seed", range(rounds(6)))
def test_all_readings_agree(seed: int, rules: int) -> None:
    tale = Tale(seed, Forger(f"tale {seed}", rules=rules))
    for _ in range(90):
        tale.step()
    ledger = tale.ledger
    subjects = concerned(ledger)
    chain, outcome = examined(ledger, list(range(ledger.size)))
    assert outcome.failures == []
    for name in Random(seed).sample([told.statement.id for told in chain.told.values()], 40):
        subject = f"sha256:{name.hex()}"
        kept = {index for index, concerns in enumerate(subjects) if subject in concerns}
        assert kept == followed(ledger, subject, rules) == observed(chain, subject, rules), (subject, rules)


def test_what_strangers_say_of_a_listing_concerns_the_strangers() -> None:
    story = Story(rules=5)
    dave, bob = story.dave, story.bob
    license_id = story.said["license bob.example"].id
    strange = [
        story.speech.listing_registered(dave, "Derived", derived_from=[story.listing]),
        story.speech.transfer_offered(dave, bob, story.listing, license_id),
    ]
    own = [
        story.speech.listing_registered(bob, "Derived", derived_from=[story.listing]),
        story.speech.transfer_offered(bob, dave, story.listing),
    ]
    for statement, who in zip([*strange, *own], [dave, dave, bob, bob], strict=True):
        story.say(statement, who.key)
    chain, _ = examined(story, list(range(story.size)))
    wide, narrow = (observed(chain, story.listing, rules) for rules in (NARROW - 1, NARROW))
    assert wide - narrow == {story.size - 4, story.size - 3}
    assert narrow >= {story.size - 2, story.size - 1}
    assert followed(story, story.listing, NARROW) == narrow
    assert story.size - 3 not in observed(chain, license_id, NARROW)
