"""Terms as facts hold them: read again, and only once while they are in use."""

from __future__ import annotations

import json
from functools import lru_cache

from ledger.core.encoding import Json
from ledger.statements.terms import Rules

_KEPT = 512  # read terms take some ten times their bytes: about a MB as a rule, 150 MB if all are as long as can be
_MEMBERS = ("obligation", "permission", "prohibition")


def read_rules(document: dict[str, Json]) -> Rules:
    """Return the rules of accepted terms, given as `Agreement.document()`; contradictions are not looked for again.

    The same `Rules` for the same JSON, while it is one of the last 512 that were asked for.
    """
    return _read(json.dumps({name: document[name] for name in _MEMBERS if name in document}, sort_keys=True))


@lru_cache(maxsize=_KEPT)
def _read(text: str) -> Rules:
    return Rules.model_validate(json.loads(text))
