"""One HTML page that holds a bundle and the page that checks it."""

from __future__ import annotations

import re

from ledger.core.encoding import b64encode
from ledger.party.evidence.parts.errors import EvidenceError

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b|</body>", re.IGNORECASE)
_NOTE = ('<div id="sceptic" role="note" hidden>', '<p data-t="sceptic"></p>')
"""The page's own place for the warning, which it shows in the reader's language once its program runs."""
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
    body = _BODY.search(text)
    # Before the page's own program, which looks for it when it starts.
    script = _SCRIPT.search(text, body.end()) if body is not None else None
    if body is None or script is None:
        raise EvidenceError("the page verify.html is damaged: it has no body", "install the distribution again")
    data = f'<script type="application/octet-stream" id="bundle">{b64encode(archive)}</script>\n'
    top, rest = text[body.end() : script.start()], text[script.start() :]
    if all(mark in top for mark in _NOTE):
        top = top.replace(_NOTE[0], _NOTE[0].replace(" hidden", ""), 1)
        top = top.replace(_NOTE[1], _NOTE[1].replace("></p>", f">{WARNING}</p>"), 1)
    else:
        top = f'\n<p role="note"><strong>{WARNING}</strong></p>{top}'
    return (text[: body.end()] + top + data + rest).encode()
