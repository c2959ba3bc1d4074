"""A source says in which encoding a file comes, truly or not: gzip is unfolded, and nothing is guessed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from tests.verifier.builder import small_ledger
from tests.verifier.replay.test_replay import checks, code, run
from tests.verifier.watch.test_process import answering, reply
from verifier.core.policy import parse_policy

LOG = small_ledger()
POLICY = parse_policy(LOG.policy().encode())
FILES = LOG.files()


def plain(raw: bytes) -> tuple[str, bytes]:
    return "identity", raw


def zipped(raw: bytes) -> tuple[str, bytes]:
    return "GZIP", gzip.compress(raw)


HONEST = (plain, zipped)
FALSE: dict[str, Callable[[bytes], tuple[str, bytes]]] = {
    "another than was asked for": lambda raw: ("deflate", zlib.compress(raw)),
    "one that nobody knows": lambda raw: ("br", raw),
    "two, one in the other": lambda raw: ("gzip, gzip", gzip.compress(gzip.compress(raw))),
    "gzip that is none": lambda raw: ("gzip", raw),
    "gzip that is cut short": lambda raw: ("gzip", gzip.compress(raw)[:-9]),
}


def test_a_source_that_changes_its_encoding_is_read_alike() -> None:
    """Each file in another encoding than the one before, and than the last time."""
    count = 0

    def answer(handler: BaseHTTPRequestHandler) -> None:
        nonlocal count
        count += 1
        if handler.path[1:] not in FILES:
            reply(handler, 404)
            return
        encoding, raw = HONEST[count % 2](FILES[handler.path[1:]])
        reply(handler, 200, raw, Content_Encoding=encoding)

    with answering(answer) as url:
        for _ in range(2):
            result = run(url, POLICY, processes=1)
            assert (code(result), result.failures, result.doubts) == (0, [], [])
            count += 1
    assert count > 6


@pytest.mark.parametrize("name", FALSE)
def test_an_encoding_that_was_not_asked_for_is_no_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be told what is in it: that accuses neither the log nor its operator."""
    monkeypatch.setattr("verifier.sources.source._ATTEMPTS", 1)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        encoding, raw = FALSE[name](FILES.get(handler.path[1:], b""))
        reply(handler, 200, raw, Content_Encoding=encoding)

    with answering(answer) as url:
        result = run(url, POLICY, processes=1)
    assert (code(result), checks(result)) == (3, set())
