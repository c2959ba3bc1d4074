"""Bundles with code points that Unicode 14.0 does not assign (docs/format.md §15.8): one verdict on every machine."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

from ledger.core.encoding import b64encode
from tests.harness import bundle_story
from tests.harness.bundle_math import canonical_record
from tests.harness.bundles import Case, Maker, document, finished, good, with_manifest, zipped

UNASSIGNED = "\U000105d2\u0307"
"""TODHRI and a dot above: since Unicode 16 the same text as U+105C9."""
COMPOSED = "\U000105c9"
_FOREIGN = 3


def _good(**fields: Any) -> Maker:
    """Return a maker whose table has such text in the last cell of some rows."""
    plain = bundle_story.plane

    def strange(label: str) -> list[str | None]:
        *cells, note = plain(label)
        return [*cells, UNASSIGNED if note is None and label.startswith("base") else note]

    with mock.patch.object(bundle_story, "plane", strange):
        return good(**fields)


def _named(spelled: str) -> tuple[bytes, str]:
    """Show a row of the found file that is nobody's, and spell its last cell in one of two ways."""
    maker = good(shape="exact", includes_found=True)
    row = maker.leaked.rows[_FOREIGN]
    row[-1] = UNASSIGNED
    files = maker.files()
    evidence = json.loads(files["evidence.json"])
    shown = canonical_record([*row[:-1], spelled])
    evidence["found_rows"].append({"row": _FOREIGN, "value": b64encode(shown)})
    evidence["found_rows"].sort(key=lambda item: item["row"])
    files["evidence.json"] = document(evidence)
    return zipped(with_manifest(files)), maker.story.policy()


def _elsewhere() -> tuple[bytes, str]:
    """Put it where nothing is compared: in a column that is not mapped, and in the name of one that is."""
    maker = _good(includes_found=True)
    maker.leaked.columns[0] += " \U0001fae8"
    return finished(maker)


CASES = [
    Case("doubt-unassigned-in-a-row", lambda: _named(UNASSIGNED), 3, "found"),
    Case("doubt-unassigned-spelled-later", lambda: _named(COMPOSED), 3, "found"),
    Case("doubt-unassigned-in-a-match", lambda: finished(_good(shape="exact", includes_found=True)), 3, "found"),
    Case("good-unassigned-elsewhere", _elsewhere),
]
