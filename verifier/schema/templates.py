"""The statements that make up most of a ledger, read by one regular expression each.

The canonical bytes of a hand-off or of a use have one shape: names in order, values of fixed forms. What matches here
is canonical and well-formed; what does not is left to `verifier/core/jcs.py` and `verifier/schema/versions.py`, which
give the reasons. Tests hold the two against each other.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from verifier.core.jcs import MAX_INTEGER
from verifier.schema.checks import LABEL, MAX_NAME_CHARS
from verifier.schema.v1 import MAX_LIFETIME_MS, MAX_SIGNERS
from verifier.terms.vocabulary import ACTIONS

_DUE_RULES, _USE_RULES, _OPENING_RULES = 2, 2, 6
"""The versions of the rules since which an offer says when it is due, since which uses are reported, and since which an
acknowledgement says what it opens."""

_HEX32 = "[0-9a-f]{64}"
_INTEGER = "(0|[1-9][0-9]{0,15})"
_NAME = rf'"({LABEL}(?:\.{LABEL})*)"'
_ID = f'"(sha256:{_HEX32})"'
_LINE = r'"([ !#-\[\]-~]{1,200})"'
"""Printable ASCII without quote and backslash: some of what `line(200)` allows."""
_CONTENT = rf'"content":{{"sealed":"({_HEX32})"}},'
_ISSUED = rf'"issued_ms":{_INTEGER},"issuer":{_NAME},"ledger":{_ID},'
_NONCE = rf'"nonce":"([A-Za-z0-9+/]{{21}}[AQgw]==)","not_after_ms":{_INTEGER},'
_SEEN = rf'(?:"seen":{{"root":"({_HEX32})","size":{_INTEGER}}},)?'
_SIGNERS = rf'"signers":\["({_HEX32}(?:","{_HEX32}){{0,{MAX_SIGNERS - 1}}})"\],'

_match_offer = re.compile(
    rf'{{(?:"acknowledge_by_ms":{_INTEGER},)?{_CONTENT}{_ISSUED}(?:"license":{_ID},)?"listing":{_ID},{_NONCE}'
    rf'"recipient":{_NAME},{_SEEN}{_SIGNERS}"type":"transfer\.offered"}}'
).fullmatch
_match_acknowledgement = re.compile(
    rf'{{{_CONTENT}{_ISSUED}{_NONCE}(?:"opens":"({_HEX32})",)?{_SEEN}{_SIGNERS}"transfer":{_ID},'
    rf'"type":"transfer\.acknowledged"}}'
).fullmatch
_match_use = re.compile(
    rf'{{"action":"({"|".join(sorted(ACTIONS))})",(?:"count":{_INTEGER},)?{_ISSUED}"license":{_ID},{_NONCE}'
    rf'(?:"purpose":{_LINE},)?{_SEEN}{_SIGNERS}(?:"spatial":{_LINE},)?(?:"transfer":{_ID},)?"type":"usage\.reported"}}'
).fullmatch


def read_template(payload: bytes, rules: int) -> dict[str, Any] | None:
    """Return the statement of a well-formed offer, acknowledgement or report of a use, None for anything else.

    `rules` is the version to read it by.
    """
    if not payload.isascii():
        return None
    text = payload.decode()
    if text.endswith('offered"}'):
        return _read_offer(text, rules)
    if text.endswith('acknowledged"}'):
        return _read_acknowledgement(text, rules)
    return _read_use(text) if rules >= _USE_RULES else None


def _read_offer(text: str, rules: int) -> dict[str, Any] | None:
    match = _match_offer(text)
    if match is None:
        return None
    due, sealed, issued, issuer, ledger, terms, listing, nonce, not_after, recipient, root, size, signers = (
        match.groups()
    )
    statement = _common("transfer.offered", issued, issuer, ledger, nonce, not_after, root, size, signers)
    if statement is None or len(recipient) > MAX_NAME_CHARS:
        return None
    statement["content"] = {"sealed": sealed}
    statement["listing"] = listing
    statement["recipient"] = recipient
    if terms is not None:
        statement["license"] = terms
    if due is not None:
        statement["acknowledge_by_ms"] = due_ms = int(due)
        if rules < _DUE_RULES or due_ms > MAX_INTEGER:
            return None
    return statement


def _read_acknowledgement(text: str, rules: int) -> dict[str, Any] | None:
    match = _match_acknowledgement(text)
    if match is None:
        return None
    sealed, issued, issuer, ledger, nonce, not_after, opens, root, size, signers, transfer = match.groups()
    if (opens is None) != (rules < _OPENING_RULES):
        return None
    statement = _common("transfer.acknowledged", issued, issuer, ledger, nonce, not_after, root, size, signers)
    if statement is not None:
        statement["content"] = {"sealed": sealed}
        statement["transfer"] = transfer
        if opens is not None:
            statement["opens"] = opens
    return statement


def _read_use(text: str) -> dict[str, Any] | None:
    match = _match_use(text)
    if match is None:
        return None
    action, count, issued, issuer, ledger, terms, nonce, not_after, purpose, root, size, signers, spatial, transfer = (
        match.groups()
    )
    statement = _common("usage.reported", issued, issuer, ledger, nonce, not_after, root, size, signers)
    if statement is None:
        return None
    statement["action"] = action
    statement["license"] = terms
    if count is not None:
        statement["count"] = int(count)
        if not 1 <= statement["count"] <= MAX_INTEGER:
            return None
    for name, value in (("purpose", purpose), ("spatial", spatial), ("transfer", transfer)):
        if value is not None:
            statement[name] = value
    return statement


def _common(  # noqa: PLR0917 (in the order of the groups)
    kind: str,
    issued: str,
    issuer: str,
    ledger: str,
    nonce: str,
    not_after: str,
    root: str | None,
    size: str | None,
    signers: str,
) -> dict[str, Any] | None:
    """Return the fields that every statement has, None if one of them is not what its form allows."""
    issued_ms, not_after_ms = int(issued), int(not_after)
    if not issued_ms <= not_after_ms <= issued_ms + MAX_LIFETIME_MS or not_after_ms > MAX_INTEGER:
        return None
    keyids = signers.split('","')
    if len(issuer) > MAX_NAME_CHARS or (len(keyids) > 1 and any(left >= right for left, right in pairwise(keyids))):
        return None
    statement: dict[str, Any] = {
        "type": kind,
        "issuer": issuer,
        "signers": keyids,
        "nonce": nonce,
        "issued_ms": issued_ms,
        "not_after_ms": not_after_ms,
        "ledger": ledger,
    }
    if size is not None:
        seen_size = int(size)
        if not 1 <= seen_size <= MAX_INTEGER:
            return None
        statement["seen"] = {"root": root, "size": seen_size}
    return statement
