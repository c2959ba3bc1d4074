"""Every bundle of the harness, good and forged."""

from __future__ import annotations

from tests.harness import (
    bundle_custody,
    bundle_lasting,
    bundle_pool,
    bundle_unicode,
    forged_bytes,  # noqa: F401 - importing it fills LIES
    forged_evidence,  # noqa: F401 - likewise
)
from tests.harness.bundles import GOOD, Case
from tests.harness.forged_bundles import LIES


def all_cases() -> list[Case]:
    """Return every good bundle, then every forged one, then those of one subject each."""
    of_subjects = (bundle_lasting.CASES, bundle_unicode.CASES, bundle_custody.CASES, bundle_pool.CASES)
    return [*GOOD, *LIES, *(case for cases in of_subjects for case in cases)]
