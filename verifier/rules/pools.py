"""What statements about marks from a sealed pool refer to: step 9.14 of docs/statements.md §5, one function a type.

Whoever says it first, sender or recipient, must not know what the other one says: so a preparation commits to pool and
coin, a request adds the recipient's coin over a tree that holds the preparation, and only then an offer opens the coin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.core.checks import Check
from verifier.core.ids import id_text
from verifier.rules.refusal import (
    find_listing,
    refuse,
    refuse_unknown,
    verify_issuer,
    verify_other_party,
    verify_undecided,
)
from verifier.sealed.disclosures import COIN_KIND, COIN_PLACE, Disclosure

if TYPE_CHECKING:
    from verifier.rules.examine import Statement
    from verifier.rules.registry import Preparation, Registry


def transfer_prepared(registry: Registry, statement: Statement, index: int) -> None:
    """`transfer.prepared`."""
    find_listing(registry, statement.body.id("listing"), index)
    verify_other_party(registry, statement, statement.body["recipient"], index, "/recipient")


def transfer_requested(registry: Registry, statement: Statement, index: int) -> None:
    """`transfer.requested`."""
    named = statement.body.id("prepared")
    preparation = registry.preparations.get(named) or refuse_unknown(index, "/prepared", named)
    verify_issuer(statement, index, preparation.recipient)
    verify_undecided(preparation.requested_index, index)
    seen_size = 0 if statement.seen is None else statement.seen[0]
    if seen_size <= preparation.index:  # whoever adds its coin later than the pool must be able to show that
        refuse(Check.REFERENCE, "wrong-value", index, "/seen", f"size > {preparation.index}", f"size {seen_size}")


def verify_marked(registry: Registry, statement: Statement, index: int) -> None:
    """Check the marks of an offer, where they come from a pool."""
    offer = statement.offer
    if offer.marks is None or "prepared" not in offer.marks:
        return
    named = bytes.fromhex(offer.marks["prepared"].removeprefix("sha256:"))
    preparation = registry.preparations.get(named) or refuse_unknown(index, "/marks/prepared", named)
    _verify_prepared(preparation, statement, index)
    coin = offer.marks["coin"]
    place = (id_text(registry.ledger or b""), id_text(named), preparation.issuer, preparation.nonce)
    opened = Disclosure(*place, COIN_KIND, COIN_PLACE, coin["salt"], coin["value"]).commitment()
    if opened != preparation.coin:  # with another coin, the sender would choose what is drawn
        refuse(Check.REFERENCE, "wrong-value", index, "/marks/coin", preparation.coin, opened)


def _verify_prepared(preparation: Preparation, statement: Statement, index: int) -> None:
    """Refuse a pool that was prepared for another hand-off, or from which its recipient has not drawn."""
    offer = statement.offer
    prepared = (preparation.issuer, id_text(preparation.listing), preparation.recipient)
    offered = (statement.issuer, id_text(offer.listing), offer.recipient)
    if prepared != offered:
        refuse(Check.REFERENCE, "wrong-value", index, "/marks/prepared", " ".join(prepared), " ".join(offered))
    if preparation.requested_index is None:
        refuse(Check.REFERENCE, "wrong-value", index, "/marks/prepared", "requested", "not requested")
