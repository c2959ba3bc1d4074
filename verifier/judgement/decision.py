"""Deciding one act under a license and those above it: permitted, prohibited or undetermined (docs/terms.md §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from verifier.judgement.state import Count, JudgedLicense, Stated
from verifier.terms.answers import (
    NO,
    NOWHERE,
    YES,
    Answer,
    Place,
    Truth,
    all_of,
    any_of,
    known,
    negation,
    one_of,
    unknown,
)
from verifier.terms.comparison import compare, compare_sum
from verifier.terms.implication import opened_places
from verifier.terms.parsed import Atomic, Constraint, Logical, Rule, Sealed
from verifier.terms.vocabulary import covers


class Question(NamedTuple):
    """What is asked of a license."""

    action: str
    time_ms: int
    stated: Mapping[str, Stated] = MappingProxyType({})
    """By left operand; what is not here is not stated."""
    more: int = 0
    """How many more times than are counted yet."""
    is_within_count: bool = False
    """Suppose that every constraint on `count` is true."""


class Assessment(NamedTuple):
    """What the rules of one license come to for a question."""

    license: JudgedLicense
    is_in_force: bool
    permission: Answer
    """Some permission holds."""
    prohibition: Answer
    """Some prohibition holds."""
    met: tuple[tuple[Rule, Answer], ...]
    """Every prohibition of such an action."""

    @property
    def answer(self) -> Answer:
        """Permitted is true, prohibited is false, undetermined is unknown."""
        return all_of((self.permission, negation(self.prohibition))) if self.is_in_force else NO


class Decision(NamedTuple):
    """What a license and those above it say."""

    answer: Answer
    """Permitted is true, prohibited is false, undetermined is unknown."""
    deciding: JudgedLicense | None = None
    """The first license, going up, that prohibits; or, if none does, that is undetermined."""
    is_only_count: bool = False


def evaluate(constraint: Constraint, terms: JudgedLicense, question: Question, action: str) -> Answer:
    """Answer one constraint of a rule about `action` in a license."""
    if isinstance(constraint, Sealed):
        return unknown((terms.terms_index, constraint.pointer))
    if isinstance(constraint, Logical):
        join = {"and": all_of, "or": any_of, "xone": one_of}[constraint.operator]
        return join([evaluate(member, terms, question, action) for member in constraint.members])
    if question.is_within_count and constraint.operand == "count":
        return YES
    if constraint.values is None:
        return unknown((terms.terms_index, constraint.place), *_sealed_beside(constraint, terms, question, action))
    opened = opened_places(terms.terms_index, constraint) if constraint.opened else NOWHERE
    if constraint.operand == "count":
        return _evaluate_count(constraint, constraint.values, terms.sum(action), question.more).resting_on(opened)
    return _evaluate_atomic(constraint, constraint.values, terms, question).resting_on(opened)


def _sealed_beside(constraint: Atomic, terms: JudgedLicense, question: Question, action: str) -> list[Place]:
    """Return where what a sealed right operand is compared with is sealed too (docs/terms.md §5.5)."""
    if constraint.operand == "count":
        return terms.sum(action).sealed
    stated = terms.listing.version if constraint.operand == "version" else question.stated.get(constraint.operand)
    return [stated.place] if stated is not None and stated.value is None else []


def _evaluate_atomic(
    constraint: Atomic, values: tuple[str | int, ...], terms: JudgedLicense, question: Question
) -> Answer:
    operand, operator = constraint.operand, constraint.operator
    if operand == "dateTime":
        return known(is_true=compare(operand, operator, question.time_ms, values))
    if operand == "elapsedTime":
        return known(is_true=compare(operand, operator, question.time_ms - terms.agreed_ms, values))
    stated = terms.listing.version if operand == "version" else question.stated.get(operand)
    if stated is None:
        return NO  # this world is closed: who says nothing shows nothing
    if stated.value is None:
        return unknown(stated.place)
    rests_on = frozenset({stated.place}) if stated.is_opened else NOWHERE
    return known(is_true=compare(operand, operator, stated.value, values)).resting_on(rests_on)


def _evaluate_count(constraint: Atomic, values: tuple[str | int, ...], total: Count, more: int) -> Answer:
    """Compare a sum; one with a sealed part is only known to be at least so much."""
    least, opened = total.known + more, frozenset(total.opened) if total.opened else NOWHERE
    if not total.sealed:
        return known(is_true=compare("count", constraint.operator, least, values)).resting_on(opened)
    truth = compare_sum(constraint.operator, least, int(values[0]))
    return Answer(truth, frozenset(total.sealed) if truth is Truth.UNKNOWN else NOWHERE, opened)


def meets(rule: Rule, terms: JudgedLicense, question: Question) -> Answer:
    """Answer whether all that a permission or prohibition asks for holds, a permission's duties included (§5.2)."""
    conditions = [evaluate(constraint, terms, question, rule.action) for constraint in rule.constraints]
    if rule.duties:
        conditions += [known(is_true=duty in terms.met) for duty in rule.duties]
    return all_of(conditions)


def assess(terms: JudgedLicense, question: Question) -> Assessment:
    """Answer the rules of one license, whatever those above it say."""
    met = tuple(
        (rule, meets(rule, terms, question))
        for rule in terms.terms.prohibitions
        if covers(rule.action, question.action)
    )
    permissions = [
        meets(rule, terms, question) for rule in terms.terms.permissions if covers(rule.action, question.action)
    ]
    prohibition = any_of([answer for _, answer in met])
    return Assessment(terms, terms.is_in_force(question.time_ms), any_of(permissions), prohibition, met)


def decide_chain(assessments: Iterable[Assessment], question: Question) -> Decision:
    """Decide by the assessments of a license and of those above it, in this order (docs/terms.md §5.3)."""
    undetermined: list[tuple[JudgedLicense, Answer]] = []
    rests_on = NOWHERE
    for assessment in assessments:
        answer = assessment.answer
        if answer.truth is Truth.FALSE:
            return Decision(answer, assessment.license, _is_only_count(assessment, question))
        if answer.truth is Truth.UNKNOWN:
            undetermined.append((assessment.license, answer))
        rests_on |= answer.rests_on
    if not undetermined:
        return Decision(YES.resting_on(rests_on))
    places = NOWHERE.union(*[answer.places for _, answer in undetermined])
    return Decision(Answer(Truth.UNKNOWN, places, rests_on), undetermined[0][0])


def _is_only_count(assessment: Assessment, question: Question) -> bool:
    """Tell whether a license prohibits only for a count (docs/terms.md §5.3)."""
    if not assessment.is_in_force or assessment.prohibition.truth is Truth.TRUE:
        return False
    within = question._replace(is_within_count=True)
    permissions = [
        meets(rule, assessment.license, within)
        for rule in assessment.license.terms.permissions
        if covers(rule.action, question.action)
    ]
    return any_of(permissions).truth is not Truth.FALSE


def decide(terms: JudgedLicense, question: Question) -> Decision:
    """Decide an act under a license and those above it."""
    return decide_chain((assess(step, question) for step in terms.chain()), question)
