"""Stage one of the sequencer: from posted bytes to candidates whose signatures have been computed (§9.1–9.3, 9.8)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from ledger.core.encoding import b64decode
from ledger.core.errors import FormatError
from ledger.registry.acceptance import Candidate
from ledger.registry.facts import KeyFact, View, key_key
from ledger.server.log.intake.workers import Check, Opened, RawKey, Workers
from ledger.server.store.contract import Store
from ledger.statements.parse import InForce, read_statement

_MAX_SENT_KEYS = 512
_MAX_CACHED_KEYS = 65_536
_KeyT = TypeVar("_KeyT")
_ValueT = TypeVar("_ValueT")


@dataclass(frozen=True)
class Checked:
    """A candidate; `unchecked` are the keyids whose public key nobody knew when signatures were checked."""

    candidate: Candidate
    unchecked: tuple[str, ...] = ()

    def is_late(self, view: View) -> bool:
        """Tell whether such a key is known by now, so that its signature can be neither accepted nor called wrong."""
        return any(view.get(KeyFact, key_key(keyid)) is not None for keyid in self.unchecked)


class Checker:
    """Parses and checks what was posted, on the workers; remembers the public keys last used."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store = store
        self._workers = workers
        self._keys: OrderedDict[str, RawKey] = OrderedDict()

    async def check(self, raws: Sequence[bytes], in_force: InForce) -> list[Checked | FormatError]:
        """Return what became of each posted envelope under the rules in force, in order.

        Raises UnavailableError, StoreError.
        """
        recent = dict(islice(reversed(self._keys.items()), _MAX_SENT_KEYS))
        results: list[Candidate | FormatError] = []
        verdicts: list[dict[str, bool]] = []
        for opened in await self._workers.open(raws, recent, in_force):
            results.append(_read(opened, in_force.version))
            verdicts.append(opened.verdicts if isinstance(opened, Opened) else {})
        await self._check_rest(results, verdicts)
        return [
            result if isinstance(result, FormatError) else _judge(result, verdict)
            for result, verdict in zip(results, verdicts, strict=True)
        ]

    async def _check_rest(self, results: list[Candidate | FormatError], verdicts: list[dict[str, bool]]) -> None:
        """Check the signatures whose key the workers had not been sent."""
        keys = await self._find_keys([result for result in results if isinstance(result, Candidate)])
        places: list[dict[str, bool]] = []
        keyids: list[str] = []
        checks: list[Check] = []
        for result, verdict in zip(results, verdicts, strict=True):
            if isinstance(result, FormatError):
                continue
            for keyid, signature in result.envelope.signatures:
                if keyid not in verdict and keyid in keys:
                    places.append(verdict)
                    keyids.append(keyid)
                    checks.append((*keys[keyid], result.envelope.signed_bytes, signature))
        for place, keyid, valid in zip(places, keyids, await self._workers.check(checks), strict=True):
            place[keyid] = valid

    async def _find_keys(self, candidates: list[Candidate]) -> dict[str, RawKey]:
        """Return the public keys of all signers, as far as any entry or any waiting statement introduces them.

        A keyid is the hash of its key, so a key may be used for arithmetic before its statement is accepted.
        """
        signers = {keyid for candidate in candidates for keyid in candidate.statement.signers}
        keys = {keyid: self._keys[keyid] for keyid in signers & self._keys.keys()}
        for candidate in candidates:
            keys.update((keyid, (key.alg, key.raw)) for keyid, (key, _) in candidate.statement.introduced.items())
        wanted = signers - keys.keys()
        if wanted:
            view = await self._store.view([key_key(keyid) for keyid in wanted], [])
            for keyid in wanted:
                known = view.get(KeyFact, key_key(keyid))
                if known is not None:
                    keys[keyid] = known.alg, b64decode(known.public_key)
        for keyid, key in keys.items():
            remember(self._keys, keyid, key, _MAX_CACHED_KEYS)
        return keys


def remember(cache: OrderedDict[_KeyT, _ValueT], key: _KeyT, value: _ValueT, limit: int) -> None:
    """Keep `value` as the newest of at most `limit`."""
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > limit:
        cache.popitem(last=False)


def _read(opened: Opened | tuple[str, str, str], rules: int) -> Candidate | FormatError:
    if not isinstance(opened, Opened):
        return FormatError(*opened)
    try:
        return Candidate(read_statement(opened.kind, opened.payload, rules), opened.envelope)
    except FormatError as error:
        return error


def _judge(candidate: Candidate, verdict: dict[str, bool]) -> Checked:
    """Count what was not checked as invalid too: nothing enters on trust."""
    keyids = [keyid for keyid, _ in candidate.envelope.signatures]
    invalid = [keyid for keyid in keyids if not verdict.get(keyid, False)]
    if not invalid:
        return Checked(candidate)
    return Checked(replace(candidate, invalid=invalid), tuple(keyid for keyid in invalid if keyid not in verdict))
