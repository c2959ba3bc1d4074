"""What a statement says is read one way, whatever form it is kept in and crossed between processes in."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from verifier.core.ids import id_bytes, id_text
from verifier.rules.body import Body, Offer, read_body, unpack_body

ONE, OTHER = id_text(b"\1" * 32), id_text(b"\2" * 32)
_COMMON: dict[str, Any] = {"type": "", "issuer": "acme", "nonce": "", "signers": [], "ledger": OTHER}
_SAID: dict[str, dict[str, Any]] = {
    "transfer.offered": {"listing": ONE, "recipient": "birch"},
    "transfer.acknowledged": {"transfer": ONE},
    "claim.opened": {"transfer": ONE, "respondent": "birch", "evidence": {"sealed": "00" * 32}},
}
_OPENING = {"transfer": ONE, "opens": "ef" * 32}
_ALL = {"license": OTHER, "acknowledge_by_ms": 0, "marks": {"seal": {"sealed": "11" * 32}}}
_SEALED = {"content": {"sealed": "cd" * 32}}
"""What offers and acknowledgements have beside that; their bodies leave it out."""
CASES = [*_SAID.items(), ("transfer.offered", _SAID["transfer.offered"] | _ALL), ("transfer.acknowledged", _OPENING)]


def crossed(body: Body) -> Body:
    """Return a body as another process gets it."""
    return unpack_body(pickle.loads(pickle.dumps(body.packed())))  # noqa: S301 (made in this line)


@pytest.mark.parametrize(("kind", "said"), CASES)
def test_a_body_says_what_its_statement_says(kind: str, said: dict[str, Any]) -> None:
    """Before it crosses between processes and after, by every way to read it, and nothing that all statements say."""
    body = read_body(kind, _COMMON | said | (_SEALED if kind.startswith("transfer") else {}))
    for each in (body, crossed(body)):
        assert dict(each) == said
        assert len(each) == len(said)
        assert [each.get(name, name) for name in ("issuer", "packed", "names")] == ["issuer", "packed", "names"]
        named = {name: value for name, value in said.items() if value in (ONE, OTHER)}
        assert {name: each.id(name) for name in named} == {name: id_bytes(value) for name, value in named.items()}
        assert sorted(each.ids((*named, "claim", "packed"))) == sorted(map(id_bytes, named.values()))
        for absent in ("claim", "packed"):
            with pytest.raises(KeyError):
                each.id(absent)
            with pytest.raises(KeyError):
                each[absent]


def test_the_subject_is_the_license_or_else_the_transfer() -> None:
    """One of them is always there in a claim, and in what is said of erasure."""
    assert read_body("claim.opened", _COMMON | _SAID["claim.opened"]).subject() == b"\1" * 32
    assert read_body("erasure.requested", _COMMON | {"license": OTHER}).subject() == b"\2" * 32


def test_an_offer_keeps_what_its_content_is_opened_by() -> None:
    """The commitment crosses with it, and is none of the fields."""
    offer = crossed(read_body("transfer.offered", _COMMON | _SAID["transfer.offered"] | _SEALED))
    assert isinstance(offer, Offer)
    assert offer.commitment == b"\xcd" * 32


def test_plain_forms_are_small() -> None:
    """Of the two types that make up most of a ledger, no dict is made, kept or sent."""
    kinds = {kind: type(read_body(kind, _COMMON | _SEALED | said).packed()) for kind, said in _SAID.items()}
    assert kinds == {"transfer.offered": tuple, "transfer.acknowledged": bytes, "claim.opened": dict}
