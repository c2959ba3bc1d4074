"""What the whole session shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from ledger.server.log.intake.workers import Workers

# A busy machine is slow, and that is no failure: no test asserts times.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One pool of worker processes for all logs in this process: starting one takes about a second."""
    pool = Workers()
    yield pool
    pool.close()
