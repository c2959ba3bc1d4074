"""A case's documents, read back from the members that the harness makes by the letter of docs/bundle.md."""

from __future__ import annotations

from typing import Any

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.encoding import Json, parse_json
from ledger.core.entry import parse_entry
from ledger.core.note import parse_note
from ledger.core.policy import parse_policy
from ledger.party.evidence.parts.case import read_case
from ledger.party.evidence.parts.documents import Documents
from ledger.party.evidence.parts.gathering import Gathered
from ledger.party.evidence.parts.judgement import judge
from ledger.party.vault.disclosures import Disclosure
from ledger.statements.reading import read_model
from tests.harness.bundles import Maker


def documents_of(maker: Maker, **evidence: Json) -> Documents:
    """Return the documents of a made bundle, judged anew; `evidence` replaces members of evidence.json."""
    files = maker.files()
    note = files["checkpoint.txt"]
    entries = tuple(parse_entry(maker.story.entries[index]) for index in maker.indexes())
    histories = tuple(parse_json(raw) for path, raw in files.items() if path.startswith("histories/"))
    shown: list[Any] = parse_json(files["disclosures.json"])["disclosures"]
    disclosures = tuple(read_model(Disclosure, item) for item in shown)
    case = read_case(parse_json(files["case.json"]))
    return Documents(
        case=case,
        evidence=parse_json(files["evidence.json"]) | evidence,
        judgement=judge(entries, case.acts, disclosures),
        gathered=Gathered(note, parse_checkpoint(parse_note(note).text).head, entries, histories),
        disclosures=disclosures,
        made=parse_json(files["manifest.json"])["made"],
        paths=(),
        witnesses=tuple(parse_policy(maker.story.policy()).witnesses.values()),
    )
