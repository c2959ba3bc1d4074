"""What version 3 of the rules adds to the tables of version 2 (docs/statements.md §5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verifier.schema.checks import codes, count, matching, members, sealed
from verifier.schema.v2 import OWN_FIELDS as VERSION_2

if TYPE_CHECKING:
    from verifier.schema.checks import Checker

is_bound = re.compile(r"0\.(?!0*\Z)[0-9]{1,30}").fullmatch
"""Match a false-accusation bound: a decimal above 0 and below 1."""
_marks = members(
    {
        "bound": matching(is_bound),
        "method": codes("canary", "tardos"),
        "seal": sealed,
        "threshold_millibits": count,
    }
)

OWN_FIELDS: dict[str, dict[str, Checker]] = VERSION_2 | {
    "transfer.offered": VERSION_2["transfer.offered"] | {"marks?": _marks},
}
"""The fields that each type has beside the common ones."""
