"""What parties could say until version 5 of the rules, where version 6 has another form (docs/statements.md §4, §5)."""

from __future__ import annotations

from typing import ClassVar, Literal

from ledger.statements import license, version_2  # noqa: A004 - a module of ours, not the builtin
from ledger.statements.common import OnLedger
from ledger.statements.fields import Bound, Count, Id, Maybe, Model, NotYet, Sealed


class Marks(Model):
    """How the copy is marked: `bound` is the greatest probability that the whole case accuses somebody falsely.

    Whose score reaches `threshold_millibits` is accused; `seal` is a commitment of kind `marks`.
    """

    bound: Bound
    method: Literal["canary", "tardos"]
    seal: Sealed
    threshold_millibits: Count


class TransferOffered(version_2.TransferOffered):
    """A hand-off whose marks the offer itself seals."""

    marks: Maybe[Marks] = None


class TransferAcknowledged(OnLedger):
    """The recipient computed the same content and seals it under a salt of its own."""

    type: Literal["transfer.acknowledged"] = "transfer.acknowledged"
    transfer: Id
    content: Sealed

    references: ClassVar[tuple[str, ...]] = ("transfer",)


class LicenseAgreed(license.LicenseAgreed):
    """A license that consents to marks, or does not, and no more."""

    marking: NotYet = None


class LicenseAmended(license.LicenseAmended):
    """An amendment that consents to marks, or does not, and no more."""

    marking: NotYet = None
