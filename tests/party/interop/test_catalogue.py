"""What catalogues say of a dataset becomes the fields of a listing, and what does not is named."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.cli.demo.story import EXAMPLES
from ledger.core.encoding import Json
from ledger.party.chain.gathering import story_of
from ledger.party.interop.catalogue import import_listing
from ledger.party.interop.errors import NotUnderstood
from ledger.party.interop.exporting import Format, export
from ledger.party.interop.fitting import Listing
from ledger.party.interop.foreign import MAX_BYTES, parse_foreign
from ledger.party.interop.forms import from_plain, read_listing
from tests.party.interop.contexts import expand
from tests.party.interop.scenario import LISTING, Scenario, hand_off

DESCRIPTIONS = Path(__file__).parents[3] / "examples"
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"


def dataset(**members: Json) -> Json:
    """Return a DCAT dataset with a title."""
    return {"@context": {"dcat": DCAT, "dct": DCT}, "@type": "dcat:Dataset", "dct:title": "T"} | {
        name.replace("_", ":", 1): value for name, value in members.items()
    }


def read(document: Json) -> Listing:
    """Import a document as a file has it."""
    return import_listing(parse_foreign(json.dumps(document).encode()))


def named(listing: Listing) -> set[str]:
    """Return the names of what was left out."""
    return {item.name for item in listing.left}


def test_a_listing_goes_out_as_dcat_and_comes_back_whole() -> None:
    story = Scenario()
    origin = story.say("origin", "listing.registered", "beta", title="O", content={"sealed": "0" * 64})
    fields = LISTING | {"derived_from": [origin], "venue": {"party": "exchange", "name": "X"}}
    listing = story.say("listing", "listing.registered", "alpha", content={"sealed": "1" * 64}, **fields)
    document = parse_foreign(export(story_of(story.told, listing), Format.DCAT))
    found = import_listing(document)
    assert found.fields == fields
    assert named(found) == {"dct:issued", "prov:wasAttributedTo"}

    (expanded,) = expand(document)
    assert expanded["@type"] == [DCAT + "Dataset"]
    assert expanded[DCAT + "keyword"] == [{"@value": word} for word in ("airports", "aviation", "机场")]
    (distribution, _) = expanded[DCAT + "distribution"]
    assert distribution[DCAT + "byteSize"][0]["@type"] == "http://www.w3.org/2001/XMLSchema#nonNegativeInteger"
    assert import_listing(expanded).fields == fields


def test_what_is_sealed_goes_out_as_sealed_and_is_not_taken_over() -> None:
    story = Scenario()
    seal = {"sealed": "ab" * 32}
    fields = {
        "title": seal,
        "keywords": ["open", seal],
        "sources": [{"title": "S", "uri": seal}, seal],
        "distributions": [{"media_type": "text/csv", "sha256": seal}, seal],
        "classification": {"level": seal, "authority": "A", "as_of_ms": 0},
        "use": {"license": seal, "patent": "none"},
        "version": "1",
    }
    listing = story.say("listing", "listing.registered", "alpha", content=seal, **fields)
    document = parse_foreign(export(story_of(story.told, listing), Format.DCAT))
    assert json.dumps(document).count("ab" * 32) == 8
    found = import_listing(document)
    assert found.fields == {
        "distributions": [{"media_type": "text/csv"}],
        "keywords": ["open"],
        "sources": [{"title": "S"}],
        "use": {"patent": "none"},
        "version": "1",
    }
    assert "sealed" not in json.dumps(found.fields)
    assert {"dct:title", "dcat:keyword", "dct:license", "pl:level"} <= named(found)


@pytest.mark.parametrize("name", ["croissant.json", "dcat.jsonld"])
def test_the_examples_say_the_same_of_the_example_data(name: str) -> None:
    fields = read_listing(DESCRIPTIONS / name).fields
    assert fields["title"].startswith("Airports of the United States")
    assert fields["spatial"] == ["US"]
    assert fields["temporal"] == {"from_ms": 1_356_998_400_000, "until_ms": 1_388_534_400_000}
    assert fields["use"] == {"license": "https://creativecommons.org/publicdomain/zero/1.0/"}
    for file, distribution in zip(("airports.csv", "planes.csv"), fields["distributions"], strict=True):
        assert distribution["bytes"] == (EXAMPLES / file).stat().st_size
        assert distribution["media_type"] == "text/csv"


def test_a_language_is_chosen_and_the_others_are_named() -> None:
    listing = read_listing(DESCRIPTIONS / "dcat.jsonld", language="zh-CN")
    assert listing.fields["title"] == "美国机场与2013年离开纽约市的飞机"
    assert [item.pointer for item in listing.left] == ["/@graph/1/dct:title/0"]


def test_texts_in_a_language_map_and_with_a_default_language() -> None:
    document = {
        "@context": {
            "@language": "de",
            "title": {"@id": DCT + "title", "@container": "@language"},
            "dcat": DCAT,
            "description": DCT + "description",
        },
        "@type": "dcat:Dataset",
        "title": {"de": "Flughäfen", "en": ["Airports"], "fr": "Aéroports"},
        "description": "Wo sie liegen.",
    }
    assert read(document).fields == {"title": "Airports", "description": "Wo sie liegen."}


def test_one_of_several_datasets_is_asked_for() -> None:
    several = {
        "@context": {"dcat": DCAT, "dct": DCT},
        "@graph": [
            {"@id": "https://a.example/1", "@type": "dcat:Dataset", "dct:title": "One", "dct:identifier": "I"},
            {"@id": "https://a.example/2", "@type": ["dcat:Dataset"], "dct:title": "Two"},
        ],
    }
    with pytest.raises(NotUnderstood, match="2 datasets in the document; name one: One, Two"):
        import_listing(several)
    for name in ("https://a.example/1", "I", "One"):
        assert import_listing(several, dataset=name).fields["title"] == "One"
    with pytest.raises(NotUnderstood, match="0 datasets"):
        import_listing(several, dataset="Three")


def test_what_a_listing_has_no_place_for_is_named() -> None:
    listing = read(
        dataset(
            dcat_theme={"@id": "http://example.com/theme"},
            dcat_contactPoint={"vcard:fn": "Somebody"},
            dct_publisher={"foaf:name": "P", "foaf:homepage": "https://p.example"},
            mine="x",
        )
    )
    assert listing.fields == {"title": "T", "publisher": "P"}
    assert named(listing) == {"dcat:theme", "dcat:contactPoint", "dct:publisher/foaf:homepage", "mine"}


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"dct_title": "x" * 301}, "dct:title"),
        ({"dct_description": "x" * 4001}, "dct:description"),
        ({"dct_temporal": {"dcat:startDate": "2013-01-01"}}, "dct:temporal"),
        ({"dct_temporal": {"dcat:startDate": "1960-01-01", "dcat:endDate": "1961-01-01"}}, "dct:temporal"),
        ({"dct_spatial": {"dcat:bbox": "POLYGON((1 1,2 2))"}}, "dct:spatial"),
        ({"dct_description": "a\u0001b"}, "dct:description"),
        ({"dcat_distribution": "file.csv"}, "distribution"),
        ({"dcat_distribution": {"dcat:byteSize": "1.2 MB"}}, "dcat:byteSize"),
        ({"dcat_distribution": {"dcat:mediaType": "no such"}}, "dcat:mediaType"),
        (
            {
                "dcat_distribution": {
                    "spdx:checksum": {
                        "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_md5"},
                        "spdx:checksumValue": "a",
                    }
                }
            },
            "checksum",
        ),
    ],
)
def test_what_does_not_fit_is_left_out_and_named(members: dict[str, Json], name: str) -> None:
    assert name in named(read(dataset(**members)))


def test_a_bad_item_does_not_take_the_good_ones_with_it() -> None:
    listing = read(dataset(dcat_keyword=["good", "x" * 101, "fine", {"@value": 7}, " "]))
    assert listing.fields["keywords"] == ["good", "fine", "7"]
    assert [(item.pointer, item.name) for item in listing.left] == [("/dcat:keyword/1", "dcat:keyword")]


def test_too_much_for_one_statement_loses_its_longest_part_alone() -> None:
    listing = read(
        dataset(
            dcat_distribution=[
                {"dct:title": "t" * 300, "dcat:accessURL": {"@id": f"https://a.example/{at}/{'u' * 300}"}}
                for at in range(90)
            ]
        )
    )
    assert listing.fields == {"title": "T"}
    assert "too-large" in next(item.why for item in listing.left if item.name == "dcat:distribution")


def test_croissant_reads_sizes_file_sets_and_keywords_as_people_write_them() -> None:
    listing = read(
        {
            "@context": {"@vocab": "http://schema.org/", "cr": "http://mlcommons.org/croissant/"},
            "@type": "Dataset",
            "name": "N",
            "keywords": "one, two,three",
            "creator": [{"@type": "Person", "name": "A"}, {"@type": "Person", "name": "B"}],
            "temporalCoverage": "2013-02/2013-03",
            "distribution": [
                {"@type": "cr:FileObject", "name": "a.bin", "contentSize": "17 B", "md5": "x"},
                {"@type": "cr:FileSet", "@id": "all", "name": "all", "includes": "*.csv"},
            ],
        }
    )
    assert listing.fields == {
        "title": "N",
        "publisher": "A",
        "keywords": ["one", "two", "three"],
        "temporal": {"from_ms": 1_359_676_800_000, "until_ms": 1_364_774_400_000},
        "distributions": [{"title": "a.bin", "bytes": 17, "media_type": "application/octet-stream"}],
    }
    assert named(listing) == {"creator", "all", "md5", "media_type"}


def test_the_plain_form_takes_times_as_text_and_names_what_is_no_field() -> None:
    listing = from_plain(
        {
            "title": "T",
            "temporal": {"from": "2013-01-01", "until": "2013-12-31"},
            "sources": [{"title": "S", "retrieved": "2014-01-01T00:00:00Z"}],
            "classification": {"level": "public", "authority": "A", "as_of": "2014-13-01"},
            "owner": "me",
            "version": Decimal("1.5"),
        }
    )
    assert listing.fields == {
        "title": "T",
        "temporal": {"from_ms": 1_356_998_400_000, "until_ms": 1_388_534_400_000},
        "sources": [{"title": "S", "retrieved_ms": 1_388_534_400_000}],
    }
    assert named(listing) == {"owner", "as_of", "classification", "version"}


def test_the_edges_of_time_go_out_and_come_back() -> None:
    story = Scenario()
    fields = {"title": "T", "temporal": {"from_ms": 0, "until_ms": 2**53 - 1}}
    listing = story.say("listing", "listing.registered", "alpha", content={"sealed": "0" * 64}, **fields)
    document = parse_foreign(export(story_of(story.told, listing), Format.DCAT))
    assert import_listing(document).fields == fields


@pytest.mark.parametrize("raw", [b"", b"7", b'"text"', b"{}", b"[1]", b'{"@graph": 1}', b'{"@type": 5}'])
def test_what_describes_no_dataset_is_refused(raw: bytes) -> None:
    with pytest.raises(NotUnderstood):
        import_listing(parse_foreign(raw))
    with pytest.raises(NotUnderstood):
        parse_foreign(b" " * (MAX_BYTES + 1))


def test_the_newest_words_are_exported() -> None:
    story = hand_off()
    found = import_listing(parse_foreign(export(story_of(story.told, story.ids["transfer"]), Format.DCAT)))
    assert (found.fields["version"], found.fields["derived_from"]) == ("1.1", [story.ids["planes"]])


def test_a_dataset_in_the_dataspace_protocols_words_is_dcat() -> None:
    described: dict[str, Json] = {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "Catalog",
        "dataset": [
            {
                "@id": "urn:uuid:3dd1add8-4d2d-569e-d634-8394a8836a88",
                "@type": "Dataset",
                "title": "Airports",
                "description": "Where aircraft land.",
                "keyword": ["airport"],
                "hasPolicy": [{"@type": "Offer", "@id": "urn:uuid:1", "permission": [{"action": "use"}]}],
                "distribution": [{"@type": "Distribution", "format": "text/csv", "accessService": "urn:uuid:2"}],
            }
        ],
    }
    found = import_listing(described)
    assert (found.fields["title"], found.fields["keywords"]) == ("Airports", ["airport"])
    assert found.fields["distributions"] == [{"media_type": "text/csv"}]
    assert "hasPolicy" in {item.name for item in found.left}
