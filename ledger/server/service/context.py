"""What every handler gets: the log, and how numbers in addresses are read."""

from __future__ import annotations

import re

from aiohttp import web

from ledger.core.encoding import MAX_INTEGER
from ledger.server.log.intake.submission import Published
from ledger.server.log.log import Log
from ledger.server.service.errors import ProblemError

LOG: web.AppKey[Log] = web.AppKey("log", Log)
MAX_PAGE = 500
DEFAULT_PAGE = 100
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


def log_of(request: web.Request) -> Log:
    """Return the log that this application serves."""
    return request.app[LOG]


def published(request: web.Request) -> Published:
    """Return the newest durable state; 503 before entry 0."""
    state = log_of(request).published
    if state is None:
        raise ProblemError(503, "not-created", "this ledger has no entry yet")
    return state


def shown(request: web.Request) -> Published:
    """Return what readers are shown: with witnesses, what they cosigned; 503 before entry 0."""
    return log_of(request).shown or published(request)


def number(text: str, field: str) -> int:
    """Read a decimal number of at most 2^53 − 1, without leading zeros; 400 otherwise."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_INTEGER:
        raise ProblemError(400, "wrong-value", "a decimal number without leading zeros", field)
    return int(text)


def page_limit(request: web.Request) -> int:
    """Read how many items a page may have, 1 … 500; 400 otherwise."""
    limit = queried(request, "limit") if "limit" in request.query else DEFAULT_PAGE
    if not 1 <= limit <= MAX_PAGE:
        raise ProblemError(400, "wrong-value", f"1 to {MAX_PAGE}", "limit")
    return limit


def queried(request: web.Request, name: str) -> int:
    """Read a number from the query; 400 where it is missing."""
    if name not in request.query:
        raise ProblemError(400, "missing-field", f"the query needs {name}=", name)
    return number(request.query[name], name)
