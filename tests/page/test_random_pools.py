"""The page computes the numbers of random bundles with pools as the command does."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest

from tests.conformance.effort import rounds
from tests.forgeries.test_random_pools import examined, random_pool
from tests.harness.bundles import finished
from tests.page.browser import Opened


@pytest.mark.parametrize("seed", range(100, 100 + rounds(6)))
def test_the_page_takes_random_pools(page: Opened, seed: int) -> None:
    """None of their numbers is another's: the story knows them, command and page compute them."""
    bundle, policy = finished(random_pool(Random(seed)))
    result = page.call(
        "const bytes = text => new TextEncoder().encode(text), bundle = parts.decode64(argument[0]);"
        "return parts.describe(await parts.verifyBundle({bundle, policy: bytes(argument[1])}));",
        [b64encode(bundle).decode(), policy],
    )
    assert (result["exit_code"], result["failures"]) == (0, [])
    assert examined(bundle, policy).exit_code == 0
