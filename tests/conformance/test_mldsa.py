"""ML-DSA-44 (docs/format.md §3.5): ledger and verifier say of others' cases what these say."""

from __future__ import annotations

import pytest

from ledger.core.mldsa import verify_mldsa44
from tests.harness.vectors import Wycheproof, mldsa44
from verifier.core.mldsa import is_mldsa44_signed


def test_the_excerpt_is_complete() -> None:
    cases = mldsa44()
    assert (len(cases), sum(not case.is_valid for case in cases)) == (46, 24)


@pytest.mark.parametrize("case", mldsa44(), ids=lambda case: str(case.number))
def test_wycheproof(case: Wycheproof) -> None:
    opinions = {verify(case.public, case.message, case.signature) for verify in (verify_mldsa44, is_mldsa44_signed)}
    assert opinions == {case.is_valid}
