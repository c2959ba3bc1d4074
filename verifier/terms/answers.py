"""True, false or unknown, and what an answer rests on (docs/terms.md §5.2).

An unknown answer names the sealed places that would have decided it. Any answer names the places that were sealed and
that a disclosure opened, where it was reached by looking at them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

Place = tuple[int, str]
"""Index of an entry, and the RFC 6901 pointer of a place in its statement."""
Places = frozenset[Place]
NOWHERE: Places = frozenset()


class Truth(IntEnum):
    """Ordered so that a conjunction is the least of its members and a disjunction the greatest."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


class Answer(NamedTuple):
    """What is known of one condition."""

    truth: Truth
    places: Places = NOWHERE
    """Sealed places that leave it unknown; empty if it is not."""
    rests_on: Places = NOWHERE
    """Opened places that it was found by."""

    def resting_on(self, places: Places) -> Answer:
        """Return the same answer, found by looking at these opened places too."""
        return self._replace(rests_on=self.rests_on | places) if places else self


YES, NO = Answer(Truth.TRUE), Answer(Truth.FALSE)


def unknown(*places: Place) -> Answer:
    """Return the answer that these sealed places leave open."""
    return Answer(Truth.UNKNOWN, frozenset(places))


def known(*, is_true: bool) -> Answer:
    """Return a certain answer."""
    return YES if is_true else NO


def _join(truth: Truth, deciding: list[Answer]) -> Answer:
    if all(not answer.places and not answer.rests_on for answer in deciding):
        return Answer(truth)
    places = NOWHERE.union(*[answer.places for answer in deciding])
    return Answer(truth, places, NOWHERE.union(*[answer.rests_on for answer in deciding]))


def _settled(truth: Truth, answers: list[Answer]) -> Answer:
    """Return the one of `answers` that settles the matter with the fewest disclosures."""
    return min((answer for answer in answers if answer.truth is truth), key=lambda answer: len(answer.rests_on))


def all_of(answers: Iterable[Answer]) -> Answer:
    """Return the conjunction: false if any is false, else unknown if any is unknown, else true."""
    listed = list(answers)
    if NO in listed:
        return NO  # and no other needs fewer disclosures
    if listed.count(YES) == len(listed):
        return YES
    truth = min((answer.truth for answer in listed), default=Truth.TRUE)
    return _settled(truth, listed) if truth is Truth.FALSE else _join(truth, listed)


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return the disjunction: true if any is true, else unknown if any is unknown, else false."""
    listed = list(answers)
    if YES in listed:
        return YES  # and no other needs fewer disclosures
    if listed.count(NO) == len(listed):
        return NO
    truth = max((answer.truth for answer in listed), default=Truth.FALSE)
    return _settled(truth, listed) if truth is Truth.TRUE else _join(truth, listed)


def one_of(answers: Iterable[Answer]) -> Answer:
    """Return `xone`: false if two are true, else unknown if any is unknown, else whether exactly one is true."""
    listed = list(answers)
    trues = [answer for answer in listed if answer.truth is Truth.TRUE]
    if len(trues) > 1:
        return _join(Truth.FALSE, sorted(trues, key=lambda answer: len(answer.rests_on))[:2])
    if any(answer.truth is Truth.UNKNOWN for answer in listed):
        return _join(Truth.UNKNOWN, listed)
    return _join(Truth.TRUE if trues else Truth.FALSE, listed)


def negation(answer: Answer) -> Answer:
    """Return the opposite, as well known."""
    if answer == YES:
        return NO
    return YES if answer == NO else answer._replace(truth=Truth(Truth.TRUE - answer.truth))
