"""Marked copies: both readings find the same ones without consent, from the same entries (docs/statements.md §10)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.core.encoding import Json
from ledger.statements.parse import NEWEST_RULES
from tests.harness.forger import Scene
from tests.harness.judged import Judging, ledger_judged, of_report, verifier_judged
from tests.harness.scene_2 import SEALED_MARKS
from tests.harness.sealing import disclosures_file, seal
from tests.harness.speech import OPENING_SINCE, drawn_marks, marks, sealed, sealed_marks, sealed_pool, signed
from tests.harness.verify import Verdict, replay_files, run_verifier

MARKED, OTHERWISE = "marked-without-consent", "marked-otherwise-than-agreed"
FORMS = [SEALED_MARKS, NEWEST_RULES]
"""Versions of the rules: one whose offers seal their marks themselves, one whose marks are drawn from a pool."""
PREPARED: dict[str, Json] = {"bound": "0.001", "method": "canary", "recipients": 2}
"""How copies are marked here."""


class Market(Scene):
    """Alice offers marked copies to bob."""

    def __init__(self, rules: int = NEWEST_RULES, until: int = NEWEST_RULES) -> None:
        """Tell the honest scene under a version, and change to those after it, one by one."""
        super().__init__(rules=rules)
        while self.rules < until:
            self.say(self.speech.rules_changed(self.operator, self.rules + 1), self.operator.key)
            self.speech.rules = self.rules

    def agree(self, listing: str | None = None, **fields: Json) -> str:
        """Agree a license with bob; `fields` may say `marking_consent`."""
        statement = self.speech.license_agreed(self.alice, self.bob, listing or self.listing, **fields)
        return self.say(statement, self.alice.key, self.bob.key)

    def amend(self, license_id: str, **fields: Json) -> None:
        keys = [self.alice.key, self.bob.key]
        self.say(self.speech.say("license.amended", self.alice, keys, license=license_id, **fields), *keys)

    def prepare(self, **fields: Json) -> str:
        """Have alice seal a pool, and bob ask for his copy; return the preparation's id."""
        prepared = self.say(self.speech.transfer_prepared(self.alice, self.bob, self.listing, **fields), self.alice.key)
        seen = {"root": self.root_at(self.size).hex(), "size": self.size}
        self.say(self.speech.transfer_requested(self.bob, prepared, seen=seen), self.bob.key)
        return prepared

    def mark(self, license_id: str | None) -> int:
        """Offer a marked copy; return its index."""
        said = drawn_marks(self.prepare()) if self.rules >= OPENING_SINCE else marks()
        offer = self.speech.transfer_offered(self.alice, self.bob, self.listing, license_id, marks=said)
        self.say(offer, self.alice.key)
        return self.size - 1


def _never(market: Market) -> list[int]:
    terms = market.agree()
    at = market.size - 1
    return [market.mark(terms), at]


def _refused(market: Market) -> list[int]:
    terms = market.agree(marking_consent=False)
    at = market.size - 1
    return [market.mark(terms), at]


def _agreed(market: Market) -> list[int]:
    market.mark(market.agree(marking_consent=True))
    return []


def _given_later(market: Market) -> list[int]:
    terms = market.agree(marking_consent=False)
    at = market.size - 1
    before = market.mark(terms)
    market.amend(terms, marking_consent=True)
    market.mark(terms)
    return [before, at]


def _taken_back(market: Market) -> list[int]:
    """Amend it to `false`, and then say nothing of it: the newest amendment that names it counts."""
    terms = market.agree(marking_consent=True)
    at = market.size - 1
    market.mark(terms)
    market.amend(terms, marking_consent=False)
    amended_at = market.size - 1
    market.amend(terms, forum="Zug")
    return [market.mark(terms), at, amended_at]


def _without_license(market: Market) -> list[int]:
    return [market.mark(None)]


def _of_another_listing(market: Market) -> list[int]:
    """Mark what bob agreed to be marked: that it was of another listing is another finding."""
    other = market.say(market.speech.listing_registered(market.alice, "Planes"), market.alice.key)
    market.mark(market.agree(other, marking_consent=True))
    return []


def _of_another_listing_without_consent(market: Market) -> list[int]:
    other = market.say(market.speech.listing_registered(market.alice, "Planes"), market.alice.key)
    terms = market.agree(other)
    at = market.size - 1
    return [market.mark(terms), at]


STORIES: list[Callable[[Market], list[int]]] = [
    _never, _refused, _agreed, _given_later, _taken_back, _without_license, _of_another_listing,
    _of_another_listing_without_consent,
]  # fmt: skip


def check(market: Market, expected: list[int]) -> None:
    """Compare both readings with the entries expected of the one finding, the offer first; none where empty."""
    ours = ledger_judged(market)
    found = [(item.at, item.party, list(item.entries)) for item in ours.findings if item.slug == MARKED]
    assert found == ([(expected[0], "alice.example", sorted(expected))] if expected else [])


@pytest.mark.parametrize("rules", FORMS)
@pytest.mark.parametrize("tell", STORIES, ids=lambda story: story.__name__.strip("_"))
def test_marked_without_consent(tell: Callable[[Market], list[int]], rules: int) -> None:
    market = Market(rules, rules)
    expected = tell(market)
    check(market, expected)
    assert verifier_judged(Judging(market).close()) == ledger_judged(market)


def _otherwise(market: Market, marking: Json, *amended: Json) -> list[int]:
    """Agree how copies are marked, amend it, and mark one; return the entries that a finding would rest on."""
    terms = market.agree(marking_consent=True, marking=marking)
    decided = [market.size - 1]
    for other in amended:
        market.amend(terms, marking_consent=True, marking=other)
        decided = [decided[0], market.size - 1]
    marked_at = market.mark(terms)
    return [marked_at, marked_at - 2, *decided]  # request and preparation stand before an offer


@pytest.mark.parametrize(
    ("marking", "is_otherwise"),
    [
        ([PREPARED], False),
        ([PREPARED | {"bound": "0.0001"}], True),
        ([PREPARED | {"bound": "0.0010"}], True),  # what is agreed is a text
        ([PREPARED | {"method": "omission"}], True),
        ([PREPARED | {"recipients": 3}], True),
        ([PREPARED | {"recipients": 3}, PREPARED], False),
        ([PREPARED, PREPARED | {"recipients": 3}], True),
        ([PREPARED | {"recipients": 3}, None], False),  # an amendment that names consent only says no longer how
    ],
)
def test_marked_otherwise_than_agreed(marking: list[Json], is_otherwise: bool) -> None:
    """Bound, method and number of recipients are those of the newest statement that names consent, to the letter."""
    market = Market()
    entries = _otherwise(market, *marking)
    ours = ledger_judged(market)
    found = [(item.at, item.slug, item.party, list(item.entries)) for item in ours.findings]
    assert found == ([(entries[0], OTHERWISE, "alice.example", sorted(entries))] if is_otherwise else [])
    assert verifier_judged(Judging(market).close()) == ours


def test_a_license_of_another_listing_does_not_say_how_copies_are_marked() -> None:
    """Of such a license only two findings are made, and this is neither."""
    market = Market()
    other = market.say(market.speech.listing_registered(market.alice, "Planes"), market.alice.key)
    market.mark(market.agree(other, marking_consent=True, marking=PREPARED | {"recipients": 3}))
    ours = ledger_judged(market)
    assert [item.slug for item in ours.findings] == ["transfer-without-license"]
    assert verifier_judged(Judging(market).close()) == ours


@pytest.mark.parametrize("rules", [1, 2])
def test_a_license_of_an_earlier_version(rules: int, tmp_path: Path) -> None:
    """Version 1 has no consent; what was agreed under version 2 can be amended to give it."""
    market = Market(rules)
    agreed_at = 7
    marked_at = market.mark(market.license)
    if rules > 1:
        market.amend(market.license, marking_consent=True)
        market.mark(market.license)
    check(market, [marked_at, agreed_at])
    verdict = replay_files(tmp_path, market.files(), market.policy())
    assert (verdict.exit_code, verdict.failures) == (0, [])
    assert of_report(verdict.report) == ledger_judged(market)


def disclosed(market: Market, tmp_path: Path, kind: str, value: Json) -> Verdict:
    """Replay with a disclosure of the marks of a copy of version 5 that `kind` and `value` were sealed of."""
    offer = market.speech.transfer_offered(market.alice, market.bob, market.listing, market.license)
    offer["marks"] = marks(method="canary", seal=value)
    return shown(market, tmp_path, offer, seal(offer, "/marks/seal", kind=kind))


def prepared(market: Market, tmp_path: Path, kind: str, value: Json) -> Verdict:
    """Replay with a disclosure of the pool that `kind` and `value` were sealed of."""
    statement = market.speech.transfer_prepared(market.alice, market.bob, market.listing, seal=value)
    return shown(market, tmp_path, statement, seal(statement, "/seal", kind=kind))


def shown(market: Market, tmp_path: Path, statement: Json, disclosures: list[dict[str, Json]]) -> Verdict:
    """Record a statement of alice's and replay with what opens it."""
    envelope = signed(statement, market.alice.key)
    market.record(envelope)
    market.write(tmp_path / "log")
    (tmp_path / "policy.txt").write_text(market.policy())
    (tmp_path / "shown.json").write_bytes(
        disclosures_file([item | {"statement_id": envelope.id} for item in disclosures])
    )
    arguments = ["--policy", str(tmp_path / "policy.txt"), "--disclosures", str(tmp_path / "shown.json"), "--quiet"]
    return run_verifier("replay", str(tmp_path / "log"), *arguments)


def test_what_is_sealed_of_marks_may_be_disclosed(tmp_path: Path) -> None:
    """It is counted as opened, and changes nothing of what follows."""
    for rules, disclose, kind, value in (
        (SEALED_MARKS, disclosed, "marks", sealed_marks()), (NEWEST_RULES, prepared, "pool", sealed_pool()),
    ):  # fmt: skip
        plain = Market(rules, rules)
        verdict = disclose(plain, tmp_path / kind, kind, value)
        assert (verdict.exit_code, verdict.failures) == (0, [])
        assert verdict.report["sealed"]["opened"] == 1
        assert of_report(verdict.report) == ledger_judged(plain)


@pytest.mark.parametrize(
    ("kind", "value"), [("marks", ["codes"]), ("field", {"codes": []}), ("content", {"files": []})]
)
def test_what_is_no_marks_opens_nothing(tmp_path: Path, kind: str, value: Json) -> None:
    verdict = disclosed(Market(SEALED_MARKS, SEALED_MARKS), tmp_path, kind, value)
    assert verdict.exit_code == 1
    assert [reason for _, _, reason in verdict.failures] == ["disclosure-malformed"]


@pytest.mark.parametrize(("kind", "value"), [("pool", ["codes"]), ("field", {"codes": []}), ("marks", sealed_marks())])
def test_what_is_no_pool_opens_nothing(tmp_path: Path, kind: str, value: Json) -> None:
    verdict = prepared(Market(), tmp_path, kind, value)
    assert verdict.exit_code == 1
    assert [reason for _, _, reason in verdict.failures] == ["disclosure-malformed"]


def test_a_replay_resumes_amid_consents(tmp_path: Path) -> None:
    """What a state remembers of consent is enough to judge what comes after."""
    market = Market()
    terms = market.agree(marking_consent=True)
    at = market.size - 1
    market.amend(terms, marking_consent=False)
    amended_at = market.size - 1
    assert replay_files(tmp_path, market.files(), market.policy(), is_remembered=True).exit_code == 0
    known = market.size
    check(market, [market.mark(terms), at, amended_at])
    verdict = replay_files(tmp_path, market.files(), market.policy(), is_remembered=True)
    assert (verdict.exit_code, verdict.report["resumed_size"]) == (0, known)
    assert of_report(verdict.report) == ledger_judged(market)


def destroyed(market: Market, tmp_path: Path, statement: str, *pointers: str) -> list[tuple[int, str]]:
    """Have alice destroy salts of a statement; return which are erased, by index and pointer."""
    own: dict[str, Json] = {"basis": "contract", "destroyed": ["salts"], "pointers": list(pointers)}
    said = market.speech.say("erasure.attested", market.alice, [market.alice.key], statement=statement, **own)
    market.say(said, market.alice.key)
    verdict = replay_files(tmp_path, market.files(), market.policy())
    return [(item["index"], item["pointer"]) for item in verdict.report["sealed"]["erased"]]


def test_salts_of_marks_may_be_destroyed(tmp_path: Path) -> None:
    """Both seals of a marked copy, and both of a preparation, are places of their own."""
    market = Market(SEALED_MARKS, SEALED_MARKS)
    statement = market.speech.transfer_offered(market.alice, market.bob, market.listing, market.license, marks=marks())
    offer = market.say(statement | {"content": sealed("x")}, market.alice.key)
    erased = destroyed(market, tmp_path / "marks", offer, "/content", "/marks/seal")
    assert erased == [(market.size - 2, "/content"), (market.size - 2, "/marks/seal")]
    market = Market()
    prepared = market.prepare()
    erased = destroyed(market, tmp_path / "pool", prepared, "/coin", "/seal")
    assert erased == [(market.size - 3, "/coin"), (market.size - 3, "/seal")]
