"""What parties could say under version 2 of the rules, where version 3 has another form (docs/statements.md §5)."""

from __future__ import annotations

from ledger.statements import version_1
from ledger.statements.common import DataspaceIds
from ledger.statements.fields import Maybe, Sealable, Time


class TransferOffered(version_1.TransferOffered):
    """An offer that may say by when it is to be answered, and what the Dataspace Protocol calls it."""

    acknowledge_by_ms: Maybe[Time] = None
    dsp: Maybe[Sealable[DataspaceIds]] = None
