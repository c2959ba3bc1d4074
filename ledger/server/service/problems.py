"""The one table from errors to RFC 9457 problem documents. Nothing of our insides goes out."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from ledger.core.dsse import Envelope
from ledger.core.encoding import Json
from ledger.core.errors import FormatError, LedgerError, SignerError
from ledger.registry.refusal import Refused
from ledger.server.log.state.errors import BusyError, SignedRefusalError, UnavailableError
from ledger.server.service.errors import ProblemError
from ledger.server.store.contract import IntegrityError, StoreError

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_STATUS_OF_REASON = {
    "too-large": 413,
    "missing-signature": 403,
    "extra-signature": 403,
    "unknown-key": 403,
    "wrong-signature": 403,
    "revoked-key": 403,
    "wrong-signers": 403,
    "wrong-role": 403,
    "unknown-party": 422,
    "unknown-reference": 422,
    "name-taken": 409,
    "key-taken": 409,
    "already-created": 409,
    "already-decided": 409,
    "legal-hold": 409,
    "unjudgeable-terms": 422,
    "contradictory-terms": 422,
}
_MAX_DETAIL = 500
_logger = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem_of(error: Exception) -> dict[str, Json]:  # noqa: C901, PLR0911, PLR0912 - one table
    """Return the problem document for `error`; what is not ours is a 500 that says nothing."""
    match error:
        case ProblemError():
            return _document(error.status, error.reason, error.detail, error.field)
        case FormatError():
            return _document(_STATUS_OF_REASON.get(error.reason, 400), error.reason, error.detail, error.field)
        case Refused():
            return _refused(error, None)
        case SignedRefusalError():
            return _refused(error.refused, error.refusal)
        case BusyError():
            return _document(429, "busy", str(error))
        case UnavailableError():
            return _document(503, "unavailable", str(error))
        case SignerError():
            return _document(503, "unavailable", "the ledger cannot sign now; try again")
        case StoreError():
            return _document(503, "unavailable", "the ledger's storage failed; try again")
        case web.HTTPRequestEntityTooLarge():
            return _document(413, "too-large", "the body is larger than this call takes")
        case web.HTTPNotFound():
            return _document(404, "not-found", "there is nothing at this address; see /docs")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return _document(405, "method-not-allowed", f"this address takes {allowed}")
        case web.HTTPException():
            return _document(error.status, "bad-request", error.reason)
        case TimeoutError():
            return _document(408, "too-slow", "the request took too long to arrive")
        case _:
            return _document(
                500, "internal-error", "the fault is ours; the statement may or may not be recorded; resubmit"
            )


def problem_response(error: Exception) -> web.Response:
    """Return the response for `error`."""
    document = problem_of(error)
    response = web.Response(status=document["status"], body=json.dumps(document).encode(), content_type=CONTENT_TYPE)
    if document["status"] in {429, 503}:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    if document["status"] in {408, 413}:
        response.force_close()  # the rest of the body is not wanted
    return response


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of a handler into a problem document."""
    try:
        return await handler(request)
    except ConnectionError:
        raise
    except Exception as error:
        expected = isinstance(error, LedgerError | web.HTTPException | TimeoutError)
        if not expected or isinstance(error, IntegrityError):
            _logger.exception("%s %s failed", request.method, request.rel_url.path)
        if request.writer.output_size:  # half of an answer is out: a second one inside it would pass for its data
            raise ConnectionAbortedError("the answer under way cannot be finished") from error
        return problem_response(error)


def _refused(refused: Refused, refusal: Envelope | None) -> dict[str, Json]:
    document = _document(_STATUS_OF_REASON.get(refused.reason, 422), refused.reason, refused.detail, refused.field)
    if refusal is not None:
        document["refusal"] = refusal.document()
    return document


def _document(status: int, reason: str, detail: str, field: str = "") -> dict[str, Json]:
    document = {"type": reason, "title": reason.replace("-", " "), "status": status, "detail": detail[:_MAX_DETAIL]}
    if field:
        document["field"] = field
    return document
