"""The story of a hand-off as W3C PROV: loadable, complete, the same every time, and silent about what is sealed."""

from __future__ import annotations

import json
import random

import pytest
from prov.model import (
    ProvActivity,
    ProvAgent,
    ProvAssociation,
    ProvDelegation,
    ProvDerivation,
    ProvDocument,
    ProvEntity,
    ProvInvalidation,
    ProvRecord,
)

from ledger.party.chain.gathering import Story, story_of
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.exporting import Format, export
from ledger.party.interop.provenance import provenance
from tests.harness.speech import sealed
from tests.party.interop.scenario import Scenario, hand_off

STORY = hand_off()


def about(name: str, scenario: Scenario = STORY) -> Story:
    """Return the story of a statement by its name in the scenario."""
    return story_of(scenario.told, scenario.ids[name])


def load(name: str) -> ProvDocument:
    """Return a story's PROV-JSON as the library reads it."""
    return ProvDocument.deserialize(content=export(about(name), Format.PROV_JSON).decode(), format="json")


def pairs(document: ProvDocument, kind: type[ProvRecord], subtype: str = "") -> set[tuple[str, ...]]:
    """Return relations by the labels of their ends; `subtype` is the local name of a further type."""
    labels = {
        str(record.identifier): str(record.label).replace("\n", ", ")
        for record in document.get_records()
        if isinstance(record, ProvEntity | ProvActivity | ProvAgent)
    }
    return {
        tuple(labels.get(str(value), "?") for value in record.args if value is not None and str(value) in labels)
        for record in document.get_records(kind)
        if not subtype or subtype in {kind.localpart for kind in record.get_asserted_types()}
    }


def test_it_loads_as_what_was_written() -> None:
    for name in ("listing", "license", "transfer", "claim"):
        assert load(name) == provenance(about(name))
        text = export(about(name), Format.PROV_N).decode()
        assert text.startswith("document\n")
        assert text.endswith("endDocument\n")


def test_the_copy_comes_from_a_version_under_the_agreement_and_ends_with_its_erasure() -> None:
    document = load("transfer")
    airports, copy = "Airports of the United States, version 1.1", "copy for beta"
    derived = pairs(document, ProvDerivation)
    assert (copy, airports, "transfer.offered") in derived
    assert ("copy for gamma", copy, "transfer.forwarded") in derived
    assert ("copy for A Newspaper", copy, "transfer.forwarded") in derived
    assert ("Map of airports", copy, "usage.reported, derive") in derived
    assert (airports, "Airports of the United States, version 1.0", "listing.amended") in pairs(
        document, ProvDerivation, "Revision"
    )
    assert pairs(document, ProvDerivation, "PrimarySource") == {
        ("Airports of the United States, version 1.0", "OpenFlights airports"),
        ("Airports of the United States, version 1.0", "A list on paper"),
    }
    associated = pairs(document, ProvAssociation)
    assert ("transfer.offered", "alpha", "license of beta") in associated
    assert ("transfer.acknowledged", "beta", "license of beta") in associated
    assert ("transfer.forwarded", "beta", "license of gamma") in associated
    erasure = "erasure.attested, contract"
    assert pairs(document, ProvInvalidation) == {
        (copy, erasure),
        ("Map of airports", erasure),
        ("sealed title", erasure),
    }
    assert ("alpha", "United States Government", "listing.registered") in pairs(document, ProvDelegation)


def test_a_circle_of_derivations_survives() -> None:
    derived = pairs(load("listing"), ProvDerivation)
    assert ("Airports of the United States, version 1.0", "Planes", "listing.registered") in derived
    assert ("Planes, version 2", "Airports of the United States, version 1.0", "listing.amended") in derived


def test_every_statement_stands_with_its_index_and_id() -> None:
    document = load("listing")
    found = {
        tuple(next(iter(record.get_attribute(name))) for name in ("pl:index", "pl:statement"))
        for record in document.get_records(ProvActivity)
    }
    assert found == {(told.index, told.id) for told in about("listing").statements}


def test_what_is_sealed_is_a_commitment_of_its_own_type_and_nobodys_name() -> None:
    story = Scenario()
    listing = story.say(
        "listing",
        "listing.registered",
        "alpha",
        title=sealed("t"),
        content=sealed("c"),
        publisher=sealed("p"),
        rights_holder=sealed("r"),
        sources=sealed("s"),
    )
    transfer = story.say(
        "transfer", "transfer.offered", "alpha", listing=listing, recipient="beta", content=sealed("x")
    )
    story.say("forwarded", "transfer.forwarded", "beta", transfer=transfer, outsider=sealed("o"))
    document = ProvDocument.deserialize(
        content=export(about("transfer", story), Format.PROV_JSON).decode(), format="json"
    )
    commitments = [sealed(name)["sealed"] for name in "tcprsxo"]
    text = document.get_provn()
    for commitment in commitments:
        assert f'"{commitment}" %% pl:Sealed' in text
    agents = {str(record.identifier).split(":")[0] for record in document.get_records(ProvAgent)}
    assert agents == {"party", "key"}


@pytest.mark.parametrize("form", list(Format))
def test_the_same_story_is_the_same_bytes(form: Format) -> None:
    shuffled = STORY.told
    random.Random(7).shuffle(shuffled)
    name = "license" if form is Format.ODRL else "transfer"
    assert export(story_of(shuffled, STORY.ids[name]), form) == export(about(name), form)


def test_a_transfer_tells_nothing_of_other_licenses_and_a_listing_tells_all() -> None:
    everything = {told.id for told in about("listing").statements}
    of_transfer = {told.id for told in about("transfer").statements}
    names = {name for name, found in STORY.ids.items() if found in everything - of_transfer}
    assert names == set()
    assert STORY.ids["other"] not in everything

    story = Scenario()
    listing = story.say("listing", "listing.registered", "alpha", title="T", content=sealed("c"))
    for name in ("one", "two"):
        story.say(name, "transfer.offered", "alpha", listing=listing, recipient="beta", content=sealed(name))
        story.say(f"{name} ack", "transfer.acknowledged", "beta", transfer=story.ids[name], content=sealed(name))
    assert [told.id for told in about("one", story).statements] == [
        story.ids[name] for name in ("listing", "one", "one ack")
    ]
    assert about("one ack", story) == about("one", story)


def test_terms_go_out_as_they_are_stored_in_their_newest_version() -> None:
    story = hand_off()
    (agreed,) = [told for told in story.told if told.id == story.ids["license"]]
    assert json.loads(export(about("license", story), Format.ODRL)) == agreed.fields["terms"]
    terms = agreed.fields["terms"] | {"permission": [{"action": "read"}]}
    story.say("amended", "license.amended", "alpha", "beta", license=story.ids["license"], terms=terms)
    assert json.loads(export(about("transfer", story), Format.ODRL)) == terms
    with pytest.raises(NotUnderstood, match="no license"):
        export(about("listing", story), Format.ODRL)
