"""Constraints and worlds from small universes, in which the interesting cases are frequent."""

from __future__ import annotations

from hypothesis import strategies as st

from ledger.core.encoding import Json
from ledger.registry.terms.evaluation import Facts
from ledger.registry.terms.situation import SEALED, Count, Request, Standing
from ledger.statements.terms import Rules
from ledger.statements.terms.reading import OPERATORS
from tests.harness.agreements import atomic, moment, rule

SETS = ("isAnyOf", "isAllOf", "isNoneOf")
SEAL = {"sealed": "55" * 32}
WORDS = {
    "purpose": ["Marketing", "Advertising", "PersonalisedAdvertising", "PublicRelations", "研究"],
    "spatial": ["EEA", "EU", "DE", "DE-BY", "FR", "CH"],
    "industry": ["64", "64.1", "64.19", "64.1.9"],
    "product": ["a", "a.b", "ab"],
    "recipient": ["alice", "bob"],
    "version": ["1", "1.0", "1.2", "2", "v2"],
}
NUMBERS = [0, 1, 2, 3]

_NO_RULES = Rules.model_validate({"permission": [rule("use")]})


def _right(left: str, operator: str) -> st.SearchStrategy[Json]:
    if left == "dateTime":
        return st.sampled_from([moment(number) for number in NUMBERS])
    if left == "elapsedTime":
        texts = [f"PT{number}S" for number in NUMBERS]
        return st.sampled_from([{"@type": "xsd:duration", "@value": text} for text in texts])
    if left == "count":
        return st.sampled_from(NUMBERS)
    if operator in SETS:
        return st.lists(st.sampled_from(WORDS[left]), min_size=1, max_size=3)
    return st.sampled_from(WORDS[left] if operator not in ("lt", "lteq", "gt", "gteq") else WORDS[left][:-1])


@st.composite
def atomics(draw: st.DrawFn, lefts: list[str], *, seals: bool = False) -> Json:
    """Draw an atomic constraint on one of the left operands; with `seals`, now and then a sealed one."""
    left = draw(st.sampled_from(lefts))
    operator = draw(st.sampled_from(sorted(OPERATORS[left])))
    how = draw(st.integers(0, 9)) if seals else 9
    if how == 0:
        return SEAL
    return atomic(left, operator, SEAL if how == 1 else draw(_right(left, operator)))


def constraints(lefts: list[str], *, seals: bool = False) -> st.SearchStrategy[Json]:
    """Draw atomic constraints, and logical ones of them."""
    return st.recursive(
        atomics(lefts, seals=seals),
        lambda inner: st.builds(
            lambda connective, members: {connective: members},
            st.sampled_from(["and", "or", "xone"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        max_leaves=5,
    )


@st.composite
def worlds(draw: st.DrawFn, *, seals: bool = True) -> Facts:
    """Draw what constraints are compared with; some of it unsaid and, with `seals`, some of it sealed."""
    sealed = [SEALED] if seals else []
    stated = {
        left: word
        for left, words in WORDS.items()
        if (word := draw(st.sampled_from([None, *sealed, *words, "another"]))) is not None
    }
    version = stated.pop("version", None)
    own = draw(st.builds(Count, st.integers(1, 3), st.booleans() if seals else st.just(value=False)))
    earlier = Count(draw(st.integers(0, 3)), draw(st.booleans()) if seals else False)
    time_ms = draw(st.integers(0, 5000))
    standing = Standing(_NO_RULES, 0, 10_000, agreed_ms=draw(st.integers(0, time_ms)), counts={"read": earlier})
    return Facts(standing, Request("read", time_ms, version, stated, own), "use")
