"""One HTML page that holds a bundle and the page that checks it."""

from __future__ import annotations

import re

from ledger.core.encoding import b64encode
from ledger.party.evidence.errors import EvidenceError

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_END = "</body>"
WARNING = (
    "This page brings its own verifier, so believe it no more than whoever gave it to you: a sceptic opens the bundle "
    "in a verify.html of their own."
)


def single_page(verify_page: bytes, archive: bytes) -> bytes:
    """Return `verify.html` with the bundle in it, and a warning as its first visible line.

    The bundle stands in a data block, which no browser runs: the page's Content-Security-Policy stays as it is.
    Raises EvidenceError where the page has no body.
    """
    text = verify_page.decode()
    start, end = _BODY.search(text), text.rfind(_END)
    if start is None or end < start.end():
        raise EvidenceError("the page verify.html is damaged: it has no body", "install the distribution again")
    warning = f'\n<p role="note"><strong>{WARNING}</strong></p>'
    data = f'<script type="application/octet-stream" id="bundle">{b64encode(archive)}</script>\n'
    return (text[: start.end()] + warning + text[start.end() : end] + data + text[end:]).encode()
