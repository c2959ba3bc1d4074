"""Every bundle of the harness, good and forged."""

from __future__ import annotations

from tests.harness import bundle_custody, bundle_lasting, bundle_unicode, forged_bytes, forged_evidence  # noqa: F401 - importing them fills LIES
from tests.harness.bundles import GOOD, Case
from tests.harness.forged_bundles import LIES


def all_cases() -> list[Case]:
    """Return every good bundle, then every forged one, then those of keys of both algorithms, and of Unicode."""
    return [*GOOD, *LIES, *bundle_lasting.CASES, *bundle_unicode.CASES, *bundle_custody.CASES]
