"""Every call, in one table: the router, /openapi.json, /docs and the tests all read it."""

from __future__ import annotations

from ledger.server.service import (
    description,
    findings,
    operations,
    predecessor,
    reading,
    stamps,
    stated,
    submission,
    tiles,
)
from ledger.server.service.context import DEFAULT_PAGE, MAX_PAGE
from ledger.server.service.description import Route

_PAGING = (
    ("party", "only those that concern this party"),
    ("cursor", "`next` of the page before"),
    ("limit", f"1 to {MAX_PAGE}, {DEFAULT_PAGE} if left out"),
)
JSON = "application/json"
TEXT = "text/plain"
SCHEMA = "application/schema+json"
TOKEN = stamps.TOKEN_TYPE
BYTES = "application/octet-stream"

ROUTES = (
    Route("POST", "/v1/statements", submission.submit, "Record one signed statement, or many as JSON lines", JSON),
    Route("GET", "/checkpoint", tiles.checkpoint, "The newest signed checkpoint (C2SP tlog-checkpoint)", TEXT),
    Route("GET", "/tile/{path:.+}", tiles.tile, "A hash tile or an entry bundle (C2SP tlog-tiles)", BYTES),
    Route(
        "GET", "/predecessor/{path:.+}", predecessor.file, "The log that this one continues (C2SP tlog-tiles)", BYTES
    ),
    Route("GET", "/v1/statements/{statement_id}", reading.statement, "A statement's entry with its receipt", JSON),
    Route("GET", "/v1/entries/{index}", reading.entry, "The entry at an index with its receipt", JSON),
    Route(
        "GET",
        "/v1/receipts/{index}",
        reading.receipt,
        "A receipt (C2SP tlog-proof)",
        TEXT,
        (("size", "of a retained older checkpoint: one a minute is kept"),),
    ),
    Route(
        "GET",
        "/v1/consistency",
        reading.consistency,
        "The consistency path between two sizes",
        JSON,
        (("from", "the older size, at least 1"), ("to", "the newer size")),
    ),
    Route(
        "GET",
        "/v1/history",
        reading.history,
        "The signed list of all entries that concern the subjects",
        JSON,
        (("subject", "an id or a party's name; up to 32 times"),),
    ),
    Route(
        "GET",
        "/v1/findings",
        findings.findings,
        "What parties did wrong, as of the newest entry, and what could not be determined",
        JSON,
        (("party", "only what this party did"), *_PAGING[1:]),
    ),
    Route(
        "GET",
        "/v1/timestamps",
        stamps.stamps,
        "The time-stamped checkpoints, ascending by size",
        JSON,
        _PAGING[1:],
    ),
    Route("GET", "/v1/timestamps/{size}", stamps.token, "The RFC 3161 token over the checkpoint of a size", TOKEN),
    Route("GET", "/timestamps/{name}", stamps.file, "The same as the files of a mirror: sizes, <size>.tsr", TEXT),
    Route("GET", "/v1/rules", stated.rules, "The version of the rules in force", JSON),
    Route("GET", "/v1/schemas/{type}", description.schema, "The JSON Schema of a type of statement", SCHEMA),
    Route(
        "GET", "/v1/{kind:parties|listings|licenses|transfers|claims}", stated.things, "A page of them", JSON, _PAGING
    ),
    Route("GET", "/v1/parties/{name}", stated.party, "A party with its keys", JSON),
    Route(
        "GET", "/v1/{kind:listings|licenses|transfers|claims}/{id}", stated.thing, "One of them as it stands now", JSON
    ),
    Route("GET", "/healthz", operations.healthz, "200 while the process lives", TEXT),
    Route("GET", "/readyz", operations.readyz, "200 while statements are taken, else 503", TEXT),
    Route("GET", "/metrics", operations.metrics, "Prometheus metrics", TEXT),
    Route(
        "GET", "/openapi.json", description.openapi, "This table as OpenAPI 3.1, with the schemas of statements", JSON
    ),
    Route("GET", "/docs", description.docs, "This table as a page", "text/html"),
)
