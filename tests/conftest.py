"""What the whole session shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.server.log.workers import Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """One pool of worker processes for all logs in this process: starting one takes about a second."""
    pool = Workers()
    yield pool
    pool.close()
