"""The statements that make up most of a ledger, read by one regular expression each.

A hand-off's canonical bytes have one shape: names in order, values of fixed forms. What matches here is canonical and
well-formed; what does not is left to `verifier/jcs.py` and `verifier/schema.py`, which give the reasons. Tests hold the
two against each other.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from verifier.jcs import MAX_INTEGER
from verifier.schema_checks import LABEL, MAX_NAME_CHARS
from verifier.schema_v1 import MAX_LIFETIME_MS, MAX_SIGNERS

_HEX32 = "[0-9a-f]{64}"
_INTEGER = "(0|[1-9][0-9]{0,15})"
_NAME = rf'"({LABEL}(?:\.{LABEL})*)"'
_ID = f'"(sha256:{_HEX32})"'
_HEAD = rf'"content":{{"sealed":"({_HEX32})"}},"issued_ms":{_INTEGER},"issuer":{_NAME},"ledger":{_ID},'
_NONCE = rf'"nonce":"([A-Za-z0-9+/]{{21}}[AQgw]==)","not_after_ms":{_INTEGER},'
_SEEN = rf'(?:"seen":{{"root":"({_HEX32})","size":{_INTEGER}}},)?'
_SIGNERS = rf'"signers":\["({_HEX32}(?:","{_HEX32}){{0,{MAX_SIGNERS - 1}}})"\],'
_OFFERED = re.compile(
    rf'{{(?:"acknowledge_by_ms":{_INTEGER},)?{_HEAD}(?:"license":{_ID},)?"listing":{_ID},{_NONCE}"recipient":{_NAME},{_SEEN}{_SIGNERS}"type":"transfer\.offered"}}'
)
_ACKNOWLEDGED = re.compile(rf'{{{_HEAD}{_NONCE}{_SEEN}{_SIGNERS}"transfer":{_ID},"type":"transfer\.acknowledged"}}')


def read_template(payload: bytes, rules: int) -> dict[str, Any] | None:  # noqa: C901, PLR0911 (one return a doubt)
    """Return the statement of a well-formed offer or acknowledgement of a transfer, None for anything else.

    `rules` is the version to read it by: only under version 2 does an offer say by when it is to be acknowledged.
    """
    if not payload.isascii():
        return None
    text = payload.decode()
    if match := _OFFERED.fullmatch(text) if text.endswith('offered"}') else None:
        due, sealed, issued, issuer, ledger, terms, listing, nonce, not_after, recipient, root, size, signers = (
            match.groups()
        )
        own: dict[str, Any] = {"listing": listing, "recipient": recipient, "type": "transfer.offered"}
        if terms is not None:
            own["license"] = terms
        if due is not None:
            if rules < 2 or int(due) > MAX_INTEGER:
                return None
            own["acknowledge_by_ms"] = int(due)
        if len(recipient) > MAX_NAME_CHARS:
            return None
    elif match := _ACKNOWLEDGED.fullmatch(text):
        sealed, issued, issuer, ledger, nonce, not_after, root, size, signers, transfer = match.groups()
        own = {"transfer": transfer, "type": "transfer.acknowledged"}
    else:
        return None
    issued_ms, not_after_ms = int(issued), int(not_after)
    if not issued_ms <= not_after_ms <= issued_ms + MAX_LIFETIME_MS or not_after_ms > MAX_INTEGER:
        return None
    keyids = signers.split('","')
    if len(issuer) > MAX_NAME_CHARS or (len(keyids) > 1 and any(left >= right for left, right in pairwise(keyids))):
        return None
    statement: dict[str, Any] = {
        "content": {"sealed": sealed},
        "issued_ms": issued_ms,
        "issuer": issuer,
        "ledger": ledger,
        "nonce": nonce,
        "not_after_ms": not_after_ms,
        "signers": keyids,
        **own,
    }
    if size is not None:
        statement["seen"] = {"root": root, "size": int(size)}
        if not 1 <= int(size) <= MAX_INTEGER:
            return None
    return statement
