"""Which version of this program it is: stands in every report, so that it can be run again."""

from __future__ import annotations

from functools import cache

_DISTRIBUTION = "provenance-ledger"


@cache
def version() -> str:
    """Return the version of the installed distribution; `unknown` for files that nobody installed."""
    from importlib import metadata  # noqa: PLC0415 - takes longer than most checks, and few commands ask

    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"
