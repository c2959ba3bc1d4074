"""The numbers of the evidence, computed anew and compared (docs/marks.md §4, §5, §9; checks `score`, `control`)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verifier.bundle.checks import BundleCheck, Outcome
from verifier.bundle.custody import first_handled_ms
from verifier.bundle.enough import NOT_OPENED, SINCE, shortcomings
from verifier.bundle.marks import Seal
from verifier.bundle.pool import PoolMarks
from verifier.bundle.score import millibits, needed_millibits, surprise_bits
from verifier.core.ids import id_bytes, id_text

if TYPE_CHECKING:
    from verifier.bundle.case import Case
    from verifier.bundle.entries import Chain
    from verifier.bundle.form import Bundle
    from verifier.bundle.marks import Tried
    from verifier.rules.subject import Told

TOLERANCE_MILLIBITS = 2
"""Two programs may differ by so much (docs/marks.md §4)."""


class Scores:
    """What the evidence has to say, computed anew, and compared."""

    def __init__(self, bundle: Bundle, chain: Chain, case: Case, tried: Tried, outcome: Outcome) -> None:
        self.evidence, self.case, self.tried, self.outcome = bundle.evidence, case, tried, outcome
        self.preparations = chain.registry.preparations
        counts = self.evidence["counts"]
        self.share = Fraction(counts["records_found"], counts["records"]) if counts["records"] else None

    def verify(self) -> None:
        """Compare marks, counts, hypotheses, conclusion and controls."""
        counts, own = self.evidence["counts"], self.tried.own
        if counts["records_found"] > counts["records"]:
            self.outcome.fail(BundleCheck.SCORE, "more-than-all", "evidence.json/counts/records_found")
            return
        for item in self.evidence["marks"]:
            seal = self.tried.seals.get(bytes.fromhex(item["transfer"].removeprefix("sha256:")))
            if seal is not None:
                self._verify_mark(item, seal)
        found = own.observed if own is not None else 0
        self._expect(BundleCheck.SCORE, "counts/marks", found, counts["marks"])
        self._verify_hypotheses()
        self._verify_controls()
        self._verify_conclusion()

    def _expect(self, check: BundleCheck, where: str, expected: object, actual: object) -> None:
        if expected != actual:
            self.outcome.fail(check, "wrong-number", f"evidence.json/{where}", expected, actual)

    def _expect_near(self, check: BundleCheck, where: str, expected: int | None, actual: int | None) -> None:
        if (expected is None) != (actual is None) or abs((expected or 0) - (actual or 0)) > TOLERANCE_MILLIBITS:
            self.outcome.fail(check, "wrong-number", f"evidence.json/{where}", expected, actual)

    def _verify_mark(self, item: dict[str, Any], seal: Seal | PoolMarks) -> None:
        expected, said = seal.numbers, item.keys() - {"status", "transfer"}
        for name in sorted(expected.keys() | said):
            where = f"marks: {item['transfer']} {name}"
            expect = self._expect_near if name.endswith("_millibits") else self._expect
            expect(BundleCheck.SCORE, where, expected.get(name), item.get(name))

    def hypotheses(self) -> list[dict[str, Any]]:
        """Return the hypotheses in their order (docs/marks.md §5)."""
        own = self.tried.own
        if own is None or self.share is None or not own.is_fit_known:
            return []
        listed = [
            self._hypothesis("recipient", own, self.case.respondent),
            self._hypothesis("sender", own, self.case.sender),
        ]
        listed += [
            self._hypothesis("other", seal, told.body["recipient"])
            for told in self.tried.others
            if (seal := self.tried.seals.get(told.statement.id)) is not None and seal.is_fit_known
        ]
        nothing = {
            "expected_milli": 0,
            "observed": own.observed,
            "surprise_millibits": millibits(own.chance),
        }
        if [item["hypothesis"] for item in self.evidence["hypotheses"][-2:]] == ["public", "chance"]:
            return [*listed, {"hypothesis": "public"} | nothing, {"hypothesis": "chance"} | nothing]
        return [*listed, {"hypothesis": "none"} | nothing]

    def _hypothesis(self, name: str, seal: Seal | PoolMarks, party: str) -> dict[str, Any]:
        planted, found, counts = len(seal.planted), seal.observed, self.evidence["counts"]
        surprise = surprise_bits(planted, found, self.share or Fraction(0))
        return {
            "expected_milli": 1000 * planted * counts["records_found"] // counts["records"],
            "hypothesis": name,
            "observed": found,
            "party": party,
            "surprise_millibits": millibits(surprise),
        }

    def _verify_hypotheses(self) -> None:
        expected, actual = self.hypotheses(), self.evidence["hypotheses"]
        self._expect(BundleCheck.SCORE, "hypotheses", len(expected), len(actual))
        for position, (wanted, said) in enumerate(zip(expected, actual, strict=False)):
            where = f"hypotheses/{position}"
            for name in ("hypothesis", "party", "expected_milli", "observed"):
                self._expect(BundleCheck.SCORE, f"{where}/{name}", wanted.get(name), said.get(name))
            near = (wanted["surprise_millibits"], said["surprise_millibits"])
            self._expect_near(BundleCheck.SCORE, f"{where}/surprise_millibits", *near)

    def _verify_controls(self) -> None:
        controls, own = self.evidence["controls"], self.tried.own
        greatest = own.control if own is not None else None
        wanted = None if greatest is None else millibits(greatest)
        self._expect_near(
            BundleCheck.CONTROL, "controls/greatest_millibits", wanted, controls.get("greatest_millibits")
        )
        scores = {id_text(told.statement.id): score for told, score in self._of_others()}
        said = {item["transfer"]: item for item in controls["others"]}
        self._expect(BundleCheck.CONTROL, "controls/others", sorted(scores), sorted(said))
        parties = {id_text(told.statement.id): told.body["recipient"] for told in self.tried.others}
        for transfer in scores.keys() & said.keys():
            where, item = f"controls/others: {transfer}", said[transfer]
            self._expect(BundleCheck.CONTROL, f"{where} party", parties[transfer], item["party"])
            self._expect_near(BundleCheck.CONTROL, where, millibits(scores[transfer]), item["score_millibits"])

    def _of_others(self) -> list[tuple[Told, float]]:
        """Return what the same test says of other recipients."""
        own, seals = self.tried.own, self.tried.seals
        if isinstance(own, Seal) and own.is_code:
            return [(told, own.score(told.body["recipient"])) for told in self.tried.others]
        tested = [(told, seals[told.statement.id]) for told in self.tried.others if told.statement.id in seals]
        return [(told, seal.own_score) for told, seal in tested]

    def _verify_conclusion(self) -> None:
        said, own = self.evidence["conclusion"], self.tried.own
        if own is None:
            self.tried.shortcomings = (NOT_OPENED,)
            self._expect(BundleCheck.SCORE, "conclusion", {"is_enough": False}, said)
            return
        if len(said) == 1:
            self.outcome.fail(BundleCheck.SCORE, "missing-field", "evidence.json/conclusion")
            return
        names = {told.body["recipient"] for told in (*self.tried.handoffs, *self.tried.others)}
        if isinstance(own, PoolMarks):  # whoever prepares for many, and offers where the draw suits, chose among all
            names |= own.prepared_for(self.preparations.values())
        recipients, seals = max(own.recipients, len(names)), len(self.tried.handoffs) + self._spent(own)
        needed = needed_millibits(own.threshold, recipients, own.bound, seals)
        score = millibits(own.own_score)
        self._expect(BundleCheck.SCORE, "conclusion/seals", seals, said["seals"])
        self._expect_near(BundleCheck.SCORE, "conclusion/needed_millibits", needed, said["needed_millibits"])
        self._expect_near(BundleCheck.SCORE, "conclusion/score_millibits", score, said["score_millibits"])
        examined_ms = first_handled_ms(self.evidence)
        is_before = examined_ms is not None and examined_ms < self.case.transfer.time_ms
        lacking = shortcomings(said, self.evidence["controls"], own, is_before=is_before)
        self.tried.shortcomings = lacking
        if not said["is_enough"] or not SINCE.issuperset(lacking):
            self._expect(BundleCheck.SCORE, "conclusion/is_enough", not lacking, said["is_enough"])

    def _spent(self, own: Seal | PoolMarks) -> int:
        """Return how many pools the sender prepared for this recipient, and used for nothing that is here.

        Whoever prepares again and again until a draw suits it pays for each (docs/marks.md §9.4).
        """
        if isinstance(own, Seal):
            return 0
        wanted = (id_bytes(self.case.raw["listing"]), self.case.sender, self.case.respondent)
        marks = (told.body["marks"] for told in self.tried.handoffs)
        used = {id_bytes(item["prepared"]) for item in marks if "prepared" in item}
        return sum(
            (item.listing, item.issuer, item.recipient) == wanted
            for name, item in self.preparations.items()
            if name not in used
        )
