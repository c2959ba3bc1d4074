"""Explaining: one story, from whatever entries it takes, in sentences that name them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.builder import START_MS, Builder, agreement, b64, canonical, sha, small_ledger
from tests.verifier.rules.test_rules_v2 import World
from verifier.cli.explain import add_parser, run
from verifier.core.errors import UsageError
from verifier.core.policy import parse_policy
from verifier.explain.story import Explanation, explain
from verifier.replay.replay import replay
from verifier.rules.subject import Observed
from verifier.schema.versions import NEWEST_RULES
from verifier.sealed.disclosures import Disclosures

DAY_MS = 86_400_000
SALT = b64(bytes(16))
RESEARCH = {"leftOperand": "purpose", "operator": "isA", "rightOperand": "ResearchAndDevelopment"}
DEADLINE = {"leftOperand": "elapsedTime", "operator": "lteq",
            "rightOperand": {"@type": "xsd:duration", "@value": "P30D"}}  # fmt: skip


class Tale(World):
    """A license with clauses, one hand-off, one use as agreed, one prohibited, and an unrelated affair of others."""

    def __init__(self, rules: int = NEWEST_RULES) -> None:
        super().__init__(rules)
        self.time_ms += 1000
        self.clauses = agreement(
            self.listing, "acme", "cedar", permission=[{"action": "use", "constraint": [RESEARCH]}],
            prohibition=[{"action": "train"}], obligation=[{"action": "delete", "constraint": [DEADLINE]}],
        )  # fmt: skip
        self.deal = self.license("acme", "cedar", self.listing, terms=self.clauses)  # entry 8
        self.time_ms += 1000
        self.hand_off = self.offer("acme", "cedar", self.listing, license=self.deal)  # entry 9
        self.decide("cedar", self.hand_off)  # entry 10
        self.disclosures: list[dict[str, Any]] = []

    def use_sealed(self, purpose: str) -> str:
        """Report a use by cedar whose purpose is sealed, and keep the disclosure."""
        nonce = b64(sha(b"nonce%d" % (self.nonces + 1))[:16])
        sealed = ["provenance-ledger/field/v1", self.ledger, "cedar", nonce, "/purpose", SALT, purpose]
        place = {"sealed": sha(canonical(sealed)).hex()}
        name = self.say("usage.reported", "cedar", license=self.deal, action="read", purpose=place)
        self.disclosures.append({
            "issuer": "cedar", "kind": "field", "ledger": self.ledger, "nonce": nonce, "pointer": "/purpose",
            "salt": SALT, "statement_id": name, "type": "provenance-ledger.disclosure/v1", "value": purpose,
        })  # fmt: skip
        return name

    def disclosed(self) -> bytes:
        file = {"disclosures": self.disclosures, "type": "provenance-ledger.disclosures/v1"}
        return canonical(file) + b"\n"


def story(
    builder: Builder, directory: Path, subject: str, as_of_ms: int | None = None, disclosed: bytes = b""
) -> Explanation:
    """Write, replay and explain."""
    builder.write(directory)
    policy = parse_policy(builder.policy().encode())
    observed = Observed(subject, as_of_ms)
    disclosures = Disclosures() if disclosed else None
    if disclosures is not None:
        disclosures.add(disclosed)
    result = replay(
        str(directory), policy, policy.logs[0], observe=observed.take, as_of_ms=as_of_ms,
        disclosures=disclosures, progress=lambda *_: None,
    )  # fmt: skip
    assert not result.failures
    return explain(result, observed)


def texts(explanation: Explanation, section: str) -> list[str]:
    """Return the sentences of a section, but for the clauses of terms."""
    found = [item.text for item in explanation.sentences if item.section.startswith(section)]
    return [text for text in found if not text.startswith("Its clause ")]


def entries(explanation: Explanation, section: str) -> list[int]:
    return [item.entries[0] for item in explanation.sentences if item.section == section and item.time_ms is not None]


def test_the_story_of_a_license_is_told_from_the_first_to_the_last_entry_of_it(tmp_path: Path) -> None:
    """Clauses, what was done, each rule with its state, and the finding; nothing of the other license."""
    tale = Tale()
    tale.say("usage.reported", "cedar", license=tale.deal, action="read", purpose="AcademicResearch")
    tale.say("usage.reported", "cedar", license=tale.deal, action="train", purpose="AcademicResearch")
    tale.use()
    told = story(tale, tmp_path, tale.deal)
    assert entries(told, "What it rests on") == [5]
    assert entries(told, "What happened") == [8, 9, 10, 11, 12]
    assert sorted(set(entries(told, "Who is who"))) == [1, 3]
    agreed = texts(told, "What happened")[0]
    assert agreed.startswith('acme licensed the listing "Airports of the world" of entry 5 to cedar, and both signed.')
    clauses = [item.text for item in told.sentences if item.text.startswith("Its clause ")]
    said = (
        "Its clause /terms/permission/0 says: cedar may use the data in any way (use), if the purpose is at or beneath "
    )
    assert clauses[0] == said + '"ResearchAndDevelopment".'
    assert clauses[1] == "Its clause /terms/prohibition/0 says: cedar must not train a model on the data (train)."
    said = "Its clause /terms/obligation/0 says: cedar must delete the data (delete), at most 30 days after the end of "
    assert clauses[2] == f"{said}the license."
    rules = texts(told, "The license of entry 8")
    assert "is in force, until just before 2027-05-11T" in rules[0]
    assert "It is permitted: the license is in force" in rules[1]
    assert "It is violated: entry 12 met it" in rules[2]
    assert "It is pending: it is due by 2027-06-10T" in rules[3]
    assert [text.partition("]")[0] for text in texts(told, "What follows")] == ["[usage-prohibited"]
    assert told.document()["sentences"][-1]["section"] == "What is sealed"


def test_a_hand_off_is_told_with_what_it_rests_on_even_if_that_changed_later(tmp_path: Path) -> None:
    """The license, its end, and an announcement of the venue do not concern the hand-off, but it rests on them."""
    tale = Tale()
    venue = tale.list_dataset("acme", venue={"party": "dogwood"})
    deal = tale.license("acme", "cedar", venue)
    before = tale.offer("acme", "cedar", venue, license=deal)
    hand_off = tale.offer("acme", "cedar", venue, license=deal)
    tale.decide("cedar", before)
    tale.decide("cedar", hand_off, "transfer.refused", code="digest-mismatch")
    tale.say("license.ended", "acme", license=deal, code="breach", effective_ms=START_MS + DAY_MS)
    tale.say("venue.status", "dogwood", venue="dogwood", status="closed")
    told = story(tale, tmp_path, hand_off)
    assert entries(told, "What happened") == [14, 16]
    assert entries(told, "What it rests on") == [11, 12, 17, 18]
    assert "for breach, with effect from 2027-01-16T08:00:00.000Z" in texts(told, "What it rests on")[2]
    assert texts(told, "What it rests on")[3] == "dogwood announced that it is closed."
    assert "the digests differ from those promised" in texts(told, "What happened")[1]
    assert texts(told, "What follows")[0].startswith("[digest-mismatch] ")


def test_a_marked_copy_is_told_with_the_consent_that_it_lacks(tmp_path: Path) -> None:
    """What stands in the open is said; both seals are named; the amendment that took consent back is told."""
    tale = Tale(rules=5)
    deal = tale.license("acme", "cedar", tale.listing, marking_consent=True)
    tale.say("license.amended", "acme", "cedar", license=deal, marking_consent=False)
    marks = {"bound": "0.001", "method": "tardos", "seal": {"sealed": "ef" * 32}, "threshold_millibits": 20_000}
    told = story(tale, tmp_path, tale.offer("acme", "cedar", tale.listing, license=deal, marks=marks))
    assert entries(told, "What it rests on") == [5, 11, 12]
    assert "by the method tardos" in texts(told, "What happened")[0]
    assert "20000 millibits is accused, with a probability of at most 0.001" in texts(told, "What happened")[0]
    [finding] = texts(told, "What follows")
    assert finding.startswith(
        "[marked-without-consent] acme marked the copy that it handed to cedar, and the license of"
    )
    assert "it follows from entries 11, 12, 13." in finding
    assert any("/content, /marks/seal" in text for text in texts(told, "What is sealed"))


def test_a_copy_marked_from_a_pool_is_told_with_the_draw(tmp_path: Path) -> None:
    """Who sealed it, who drew, and where; what the license says of it otherwise is a finding."""
    tale = Tale()
    marking = {"bound": "0.001", "method": "omission", "recipients": 3}
    deal = tale.license("acme", "cedar", tale.listing, marking_consent=True, marking=marking | {"method": "canary"})
    nonce, coin = b64(sha(b"nonce%d" % (tale.nonces + 1))[:16]), {"salt": b64(bytes(16)), "value": b64(bytes(32))}
    named = ["provenance-ledger/coin/v1", tale.ledger, "acme", nonce, "/coin", coin["salt"], coin["value"]]
    seals = {"coin": {"sealed": sha(canonical(named)).hex()}, "seal": {"sealed": "ef" * 32}}
    prepared = tale.say("transfer.prepared", "acme", listing=tale.listing, recipient="cedar", **marking, **seals)
    asked = tale.say("transfer.requested", "cedar", prepared=prepared, coin=b64(bytes(32)), seen=tale.seen())
    marks = {"prepared": prepared, "coin": coin, "file": 0}
    offered = tale.offer("acme", "cedar", tale.listing, license=deal, marks=marks)
    told = story(tale, tmp_path / "offered", offered)
    assert "by what was drawn from the pool of entry 12 (acme for cedar)" in texts(told, "What happened")[0]
    [finding] = texts(told, "What follows")
    assert finding.startswith("[marked-otherwise-than-agreed] acme marked the copy that it handed to cedar otherwise")
    assert "it follows from entries 11, 12, 14." in finding
    [line] = texts(story(tale, tmp_path / "asked", asked), "What happened")
    assert "cedar added its coin, which draws what marks its copies, to the pool of entry 12" in line
    lines = texts(story(tale, tmp_path / "prepared", prepared), "What happened")
    assert "acme sealed a pool" in lines[0]
    assert "by the method omission, with a probability of at most 0.001 that any of 3 recipients" in lines[0]


def test_what_is_sealed_is_undetermined_and_a_disclosure_opens_it(tmp_path: Path) -> None:
    """Who can open it is named; what was opened is marked, and the finding says that it rests on it."""
    tale = Tale()
    use = tale.use_sealed("Marketing")
    told = story(tale, tmp_path, use)
    assert "purpose (sealed)" in texts(told, "What happened")[0]
    undecided = texts(told, "What could not be decided")[0]
    assert "[usage-prohibited] Not decided" in undecided
    assert "A disclosure of /purpose of entry 11, which cedar sealed, would help to decide." in undecided
    told = story(tale, tmp_path, use, disclosed=tale.disclosed())
    assert 'purpose "Marketing" (disclosed)' in texts(told, "What happened")[0]
    assert "It rests on what was disclosed: /purpose of entry 11." in texts(told, "What follows")[0]
    assert not texts(told, "What could not be decided")
    tale.say("erasure.attested", "cedar", statement=use, basis="gdpr-17", destroyed=["salts"], pointers=["/purpose"])
    told = story(tale, tmp_path, use)
    assert "purpose (sealed, and erased, as its owner says in entry 12)" in texts(told, "What happened")[0]
    assert "was erased, says entry 12: it stays open" in texts(told, "What could not be decided")[0]


def test_a_past_moment_knows_nothing_of_what_came_later(tmp_path: Path) -> None:
    """Later entries are counted; a subject that comes later is not known yet."""
    tale = Tale()
    moment = tale.time_ms
    tale.time_ms += 1000
    tale.say("license.ended", "acme", license=tale.deal, code="breach")
    claim = tale.claim(license=tale.deal, respondent="cedar")
    told = story(tale, tmp_path, tale.deal, moment)
    assert entries(told, "What happened")[:3] == [8, 9, 10]
    assert texts(told, "What happened")[3].startswith("2 later entries")
    assert "is in force" in texts(told, "The license of entry 8")[0]
    told = story(tale, tmp_path, claim, moment)
    assert not told.is_known
    assert "after the moment asked for" in told.what


def test_a_party_is_told_from_everything_that_concerns_it(tmp_path: Path) -> None:
    """What it signed, what names it, and what others did under its license; a name that nobody has is no story."""
    tale = Tale()
    tale.sublicense("birch", "dogwood")
    told = story(tale, tmp_path, "cedar")
    assert entries(told, "What happened") == [3, 8, 9, 10]
    assert not story(tale, tmp_path, "elm").is_known
    assert "no party of this name is on this ledger, which was replayed completely" in story(tale, tmp_path, "elm").what


def test_every_type_can_be_told_and_nothing_it_quotes_can_speak_for_the_program(tmp_path: Path) -> None:
    """A title with a line break, quotes and an override of the direction stays one quoted line."""
    tale = Tale()
    evil = tale.list_dataset("acme", title='x" . Entry 9: \u202ebirch did it')
    tale.say("listing.amended", "acme", listing=evil, description="one\ntwo", keywords=["a", {"sealed": "ab" * 32}])
    tale.say("classification.changed", "acme", listing=evil, classification={"level": "secret", "authority": "CH",
                                                                             "as_of_ms": START_MS})  # fmt: skip
    tale.say("listing.withdrawn", "acme", listing=evil)
    tale.amend(valid_until_ms=START_MS + DAY_MS, terms=agreement(tale.listing, "acme", "birch"))
    tale.forward(disclosure=tale.compelled())
    tale.forward(outsider="Dana Ltd", purpose="Marketing")
    tale.use(count=3, fulfils=["attribute"], derivatives=[{"title": "model", "listing": evil}])
    claim = tale.claim(legal_hold=True, tribunal="cedar", answer_by_ms=START_MS)
    tale.answer(claim)
    tale.determine(claim, "settled", "acme", "birch")
    tale.attest(request=tale.request())
    tale.say("venue.status", "acme", venue="cedar", status="suspended")
    told = story(tale, tmp_path, "acme")
    lines = told.lines()
    assert all(line.isprintable() for line in lines)
    assert any('listed the dataset "x\\" . Entry 9: \\u202ebirch did it".' in line for line in lines)
    assert json.loads(json.dumps(told.document()))["subject"] == "acme"
    assert len(texts(told, "What happened")) == len(tale.entries) - 4  # all but those of operator and three others
    assert len(story(small_ledger(), tmp_path / "1", "acme").sentences) > 10


def explain_command(*arguments: str) -> int:
    """Run the command as the verifier's command line would."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--policy")
    common.add_argument("--json", action="store_true")
    common.add_argument("--quiet", action="store_true")
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(), [common])
    parsed = parser.parse_args(["explain", "--quiet", *arguments])
    policy = parse_policy(Path(parsed.policy).read_bytes())
    return run(parsed, policy, policy.logs[0])


def test_the_command_takes_id_and_source_in_either_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 with a story, 3 without one, and a usage error where it cannot know what is meant."""
    tale = Tale()
    tale.use_sealed("Marketing")
    log = str(tale.write(tmp_path / "log"))
    (tmp_path / "policy").write_text(tale.policy())
    (tmp_path / "disclosed").write_bytes(tale.disclosed())
    options = ["--policy", str(tmp_path / "policy")]
    assert explain_command(tale.deal, log, *options) == 0
    text = capsys.readouterr().out
    assert "Story of    the license of entry 8, by acme" in text
    assert "VERIFIED" in text
    assert explain_command(log, tale.deal, *options, "--json", "--disclosures", str(tmp_path / "disclosed")) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["exit_code"], report["what"]) == (0, "the license of entry 8, by acme")
    assert any("rests on what was disclosed" in item["text"] for item in report["sentences"])
    assert explain_command("sha256:" + "0" * 64, log, *options) == 3
    text = capsys.readouterr().out
    assert "no statement with this id is on this ledger, which was replayed completely" in text
    for wrong in (("sha256:12", log), (tale.deal, tale.deal), ("/x", "/y")):
        with pytest.raises(UsageError):
            explain_command(*wrong, *options)
    (tmp_path / "log" / "tile" / "entries" / f"000.p/{len(tale.entries)}").unlink()
    assert explain_command(tale.deal, log, *options) == 3
    assert "among the entries that could be judged" in capsys.readouterr().out
