"""Whether a sub-license is within its parent (docs/terms.md §6.1)."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.judgement.decision import Question, decide
from verifier.judgement.state import JudgedLicense, Stated
from verifier.terms.answers import Answer, all_of, any_of, known
from verifier.terms.implication import Listed, implies
from verifier.terms.parsed import Rule
from verifier.terms.vocabulary import covers


def is_within(child: JudgedLicense, parent: JudgedLicense, index: int, time_ms: int) -> Answer:
    """Answer whether `child` is certainly no wider than `parent`, at the entry `index` that granted or amended it."""
    stated = {"recipient": Stated(child.licensee, (index, "/licensee"))}
    grant = decide(parent, Question("grantUse", time_ms, stated, more=1)).answer
    is_in_term = parent.valid_from_ms <= child.valid_from_ms and child.valid_until_ms <= parent.valid_until_ms
    return all_of([grant, known(is_true=is_in_term), *_compare_rules(child, parent)])


def _compare_rules(child: JudgedLicense, parent: JudgedLicense) -> Iterator[Answer]:
    """Yield an answer for each permission of the child, each prohibition and each obligation of the parent."""
    for permission in child.terms.permissions:
        yield any_of(
            _implies_all(child, permission, parent, other)
            for other in parent.terms.permissions
            if covers(other.action, permission.action) and set(other.duties) <= set(permission.duties)
        )
    for prohibition in parent.terms.prohibitions:
        yield any_of(
            _implies_all(parent, prohibition, child, own)
            for own in child.terms.prohibitions
            if covers(own.action, prohibition.action)
        )
    for obligation in parent.terms.obligations:
        yield any_of(
            all_of(
                implies(Listed(child.terms_index, own.constraints), constraint, parent.terms_index)
                for constraint in obligation.constraints
            )
            for own in child.terms.obligations
            if own.action == obligation.action
        )


def _implies_all(left: JudgedLicense, premise: Rule, right: JudgedLicense, conclusion: Rule) -> Answer:
    """Answer whether the constraints of a rule of one license imply each of a rule of another."""
    premises = Listed(left.terms_index, premise.constraints)
    return all_of(implies(premises, constraint, right.terms_index) for constraint in conclusion.constraints)
