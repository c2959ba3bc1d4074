"""Good evidence bundles (docs/bundle.md), made from the harness' own ledgers and by the letter of the documents.

`python -m tests.harness.bundles OUT` writes every good and every forged bundle, with its policy, and `OUT/index.json`:
name, files, the exit code, and the check that must be the first to fail (null for none).
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.core.encoding import Json, b64encode, canonical
from ledger.core.receipt import format_receipt
from tests.harness.bundle_leak import Leak, Scores, leak
from tests.harness.bundle_math import needed_millibits
from tests.harness.bundle_story import BASE_COUNT, RECIPIENTS, Copy, Said, Story
from tests.harness.reference import ReferenceTree, entry_leaf
from tests.harness.sealing import disclosures_file
from tests.harness.speech import DAY_MS
from tests.harness.witness import Witness

Files = dict[str, bytes]
AT_MS = 1_700_100_000_000
RESEARCH = {"action": "read", "purpose": "AcademicResearch"}
SALE = {"action": "distribute", "purpose": "Advertising", "recipient": "anybody"}
NOT_NEEDED = frozenset({"party dave.example", "unrelated", "unrelated end"})
"""Labels of what has nothing to do with the case."""
FIXED = (1980, 1, 1, 0, 0, 0)


def document(value: Json) -> bytes:
    """Return a JSON file of a bundle."""
    return canonical(value) + b"\n"


def with_manifest(files: Files) -> Files:
    """Return the members with a manifest that says so, first."""
    listed = [
        {"bytes": len(raw), "path": path, "sha256": sha256(raw).hexdigest()}
        for path, raw in sorted(files.items())
        if path != "manifest.json"
    ]
    version = 1 if any(path.startswith("receipts/") for path in files) else 2
    made = {"at_ms": AT_MS, "by": "alice.example", "program": "the tests"}
    manifest = document({"files": listed, "made": made, "type": f"provenance-ledger.bundle/v{version}"})
    return {"manifest.json": manifest} | {path: raw for path, raw in files.items() if path != "manifest.json"}


def packed(entries: dict[int, bytes]) -> bytes:
    """Return the file that holds these entries, in their order (docs/bundle.md §2.2)."""
    return b"".join(index.to_bytes(8, "big") + len(raw).to_bytes(2, "big") + raw for index, raw in entries.items())


def unpacked(raw: bytes) -> dict[int, bytes]:
    """Return the entries of such a file, by index."""
    entries = {}
    while raw:
        end = 10 + int.from_bytes(raw[8:10], "big")
        entries[int.from_bytes(raw[:8], "big")], raw = raw[10:end], raw[end:]
    return entries


def zipped(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP file of the members, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, raw in files.items():
            info = zipfile.ZipInfo(path, FIXED)
            info.compress_type = compression
            archive.writestr(info, raw)
    return buffer.getvalue()


@dataclass
class Maker:
    """Makes a bundle of a story and a leak; every field may be changed before `files`."""

    story: Story
    leaked: Leak
    includes_found: bool = True
    is_whole: bool = False
    with_history: bool = True
    withheld: frozenset[str] = frozenset()
    """Labels of hand-offs whose marks are not opened."""
    left_out: frozenset[str] = NOT_NEEDED
    """Labels of what does not go in, unless the whole log does."""
    acts: list[dict[str, Json]] = field(default_factory=lambda: [dict(SALE), dict(RESEARCH)])
    version: int = 2
    """Of the packaging: 1 has two files an entry, 2 all entries in one."""
    cosigned: bytes = b""
    """A checkpoint to use in place of the newest."""
    is_earlier: bool = False
    """By a program that asked for neither three marks nor a low bound, and named nothing twice: `public`, `chance`."""

    @property
    def own(self) -> Copy:
        return self.story.copies["bob.example"]

    @property
    def said(self) -> dict[str, Said]:
        """What goes in of what was said."""
        skipped = frozenset[str]() if self.is_whole else self.left_out
        return {label: said for label, said in self.story.said.items() if label not in skipped}

    def indexes(self) -> list[int]:
        """Return the entries that go in."""
        told = {said.index for said in self.story.said.values()} - {said.index for said in self.said.values()}
        return [index for index in range(self.story.size) if index not in told]

    def about_the_listing(self) -> list[int]:
        """Return the entries that concern the listing (docs/format.md §12.3), by what the story is."""
        labels = ("listing", "license", "transfer", "acknowledged", "claim")
        return sorted(said.index for label, said in self.story.said.items() if label.startswith(labels))

    def files(self) -> Files:
        """Return the members, the manifest first."""
        story = self.story
        note = self.cosigned or story.checkpoint()
        tree = ReferenceTree([entry_leaf(raw) for raw in story.entries])
        files: Files = {"checkpoint.txt": note}
        if self.version == 1:
            for index in self.indexes():
                files[f"entries/{index}.entry"] = story.entries[index]
                path = tree.inclusion(index, story.size)
                files[f"receipts/{index}.tlog-proof"] = format_receipt(index, path, note)
        else:
            files["entries.bin"] = packed({index: story.entries[index] for index in self.indexes()})
            files["inclusion.bin"] = b"".join(tree.shared(self.indexes(), story.size))
        if self.with_history:
            files["histories/0.json"] = story.history(story.listing, self.about_the_listing())
        files["case.json"] = document(self.case())
        files["disclosures.json"] = disclosures_file(self.disclosures(), **{"for": "the court"})
        files["evidence.json"] = document(self.evidence())
        files["judgement.json"] = document(self.judgement())
        if "claim" in self.said:
            files["trace.json"] = story.trace
        if self.includes_found:
            files[f"found/{self.found_name}"] = self.leaked.raw
        files["policy-hint.txt"] = story.policy().encode()
        files["report.html"] = b"<!doctype html><title>For people</title>"
        return with_manifest(files)

    @property
    def found_name(self) -> str:
        return f"leak.{self.leaked.format}"

    def case(self) -> dict[str, Any]:
        story = self.story
        license_id = story.said["license bob.example"].id
        acts = [act | {"at_ms": AT_MS, "license": license_id} for act in self.acts]
        claim = {"claim": self.said["claim"].id} if "claim" in self.said else {}
        return claim | {
            "acts": acts,
            "claimant": "alice.example",
            "ledger": story.id,
            "license": license_id,
            "listing": story.listing,
            "question": "Does the file that was found come from the copy that bob.example received?",
            "respondent": "bob.example",
            "transfer": story.said["transfer bob.example"].id,
            "type": "provenance-ledger.case/v1",
        }

    def disclosures(self) -> list[dict[str, Any]]:
        said = self.said
        shown = [said["transfer bob.example"].disclosures[0]]
        if "claim" in said:
            shown.insert(0, said["claim"].disclosures[0])
        for label, item in said.items():
            if label.startswith("transfer") and label not in self.withheld:
                shown += item.disclosures[1:]
        return shown

    def judgement(self) -> dict[str, Any]:
        """Return what a lawyer would write down: bob sold what he might only study, and everybody was a second late."""
        license_index = self.story.said["license bob.example"].index
        late = []
        for label, said in self.said.items():
            if label.startswith("transfer"):
                party = label.split()[1]
                since_ms = self.story.times[said.index]
                late.append(
                    {
                        "entries": [said.index],
                        "index": said.index,
                        "party": party,
                        "since_ms": since_ms,
                        "slug": "not-acknowledged-in-time",
                    }
                )
        decided = [
            {"decision": "permitted" if act.get("purpose") == "AcademicResearch" else "prohibited",
             "entries": [license_index]}
            for act in self.acts
        ]  # fmt: skip
        return {"acts": decided, "findings": late, "type": "provenance-ledger.judgement/v1"}

    def evidence(self) -> dict[str, Any]:
        leaked, own = self.leaked, self.own
        found: dict[str, Any] = {
            "bytes": len(leaked.raw),
            "count": len(leaked.rows),
            "format": leaked.format,
            "name": "leak, as downloaded",
            "sha256": sha256(leaked.raw).hexdigest(),
        }
        if leaked.format != "chunks":
            found["columns"] = leaked.columns
        if leaked.format == "csv":
            found |= {"delimiter": leaked.delimiter, "encoding": "utf-8"}
        if self.includes_found:
            found["path"] = f"found/{self.found_name}"
        of_bob = sorted(
            (origin[1], row) for row, origin in enumerate(leaked.origin) if origin and origin[0] == "bob.example"
        )
        matches = [{"file": 0, "kind": leaked.kind, "record": record, "row": row} for record, row in of_bob]
        named = [row for row, origin in enumerate(leaked.origin) if origin is not None]
        found_rows = [{"row": row, "value": b64encode(leaked.canonical(row))} for row in named]
        custody = [
            {"at_ms": AT_MS, "tools": ["curl 7.88.1"], "what": "Downloaded.", "who": "A. Examiner"},
            {"at_ms": AT_MS + 1000, "tools": [], "what": "Hashed and compared.", "who": "A. Examiner"},
        ]
        return {
            "type": "provenance-ledger.evidence/v1",
            "found": found,
            "custody": custody,
            "mapping": leaked.mapping,
            "found_rows": found_rows,
            "records": [own.opened(number, [item["column"] for item in leaked.mapping]) for number, _ in of_bob],
            "matches": matches,
        } | Scores(self.story, leaked, self.withheld, self.said, is_earlier=self.is_earlier).members()


@dataclass(frozen=True)
class Case:
    """A bundle, the policy that it is checked by, and what must come out."""

    name: str
    make: Callable[[], tuple[bytes, str]]
    """Returns the ZIP and the policy."""
    exit_code: int = 0
    check: str | None = None
    """The check that is the first to fail, or to be in doubt."""


def good(
    method: str = "canary",
    shape: str = "changed",
    *,
    base: int = 40,
    marks: int = 8,
    redactable: bool = False,
    chunked: bool = False,
    base_count: int = BASE_COUNT,
    second_seal: bool = False,
    admission: str = "open",
    pooled: bool = False,
    **fields: Any,
) -> Maker:
    """Return the maker of a good bundle."""
    how: dict[str, Any] = {"redactable": redactable, "chunked": chunked, "base_count": base_count}
    story = Story(method, second_seal=second_seal, admission=admission, **how)
    copies = [story.copies["bob.example"], *([story.copies["carol.example"]] if pooled else [])]
    if method == "tardos":
        marks *= 5
    return Maker(story, leak(copies, shape, marks=marks, base=base), **fields)


def finished(maker: Maker, policy: str = "") -> tuple[bytes, str]:
    """Return the ZIP of a maker and the policy of its story."""
    return zipped(maker.files()), policy or maker.story.policy()


def _cosigned() -> tuple[bytes, str]:
    maker = good()
    witness = Witness("witness.example")
    maker.cosigned = witness.cosign(maker.story.checkpoint(), 1_700_000_100)
    return finished(
        maker, maker.story.policy().replace("quorum none", f"{witness.policy_line}\nquorum witness.example")
    )


def _without_quorum() -> tuple[bytes, str]:
    maker, witness = good(), Witness("witness.example")
    return finished(
        maker, maker.story.policy().replace("quorum none", f"{witness.policy_line}\nquorum witness.example")
    )


def _stored() -> tuple[bytes, str]:
    maker = good()
    return zipped(maker.files(), zipfile.ZIP_STORED), maker.story.policy()


def _hold() -> tuple[bytes, str]:
    """Tell of a legal hold that ended, of an erasure after that, and leave the end out."""
    story = Story()
    said, alice, bob = story.speech.say, story.alice, story.bob
    license_id = story.said["license bob.example"].id
    opened = said(
        "claim.opened", alice, [alice.key], license=license_id, respondent=bob.name, clause="4", legal_hold=True
    )
    story.tell("claim hold", opened, alice.key)
    hold = story.said["claim hold"].id
    story.tell("claim end", said("claim.determined", alice, [alice.key], claim=hold, outcome="withdrawn"), alice.key)
    attested = said("erasure.attested", bob, [bob.key], license=license_id, basis="contract", destroyed=["data"])
    story.tell("claim over", attested, bob.key)
    return finished(Maker(story, leak([story.copies[bob.name]]), left_out=NOT_NEEDED | {"claim end"}))


def _amendment() -> tuple[bytes, str]:
    """Move a license's end, then its beginning behind what was its end, and leave the first out."""
    story = Story()
    keys, license_id = [story.alice.key, story.bob.key], story.said["license bob.example"].id
    until_ms = story.now_ms + 1000 * DAY_MS
    for label, change in (("end", {"valid_until_ms": until_ms}), ("beginning", {"valid_from_ms": until_ms - DAY_MS})):
        amended = story.speech.say("license.amended", story.alice, keys, license=license_id, **change)
        story.tell(f"license amended {label}", amended, *keys)
    return finished(
        Maker(story, leak([story.copies["bob.example"]]), left_out=NOT_NEEDED | {"license amended end"}, acts=[])
    )


def _stated(bound: str) -> tuple[bytes, str]:
    """Return a bundle whose sender was content with another bound."""
    needed = needed_millibits(0, RECIPIENTS, bound, 1)
    story = Story(spoil=lambda value: value.update(bound=bound, threshold_millibits=needed))
    return finished(Maker(story, leak([story.copies["bob.example"]])))


GOOD = [
    Case("good-canary", lambda: finished(good())),
    Case("good-canary-exact", lambda: finished(good(shape="exact"))),
    Case("good-canary-jsonl", lambda: finished(good(shape="jsonl"))),
    Case("good-canary-redactable", lambda: finished(good(shape="exact", redactable=True))),
    Case("good-canary-some-cells", lambda: finished(good(redactable=True))),
    Case("good-canary-tsv", lambda: finished(good(shape="tsv"))),
    Case("good-without-claim", lambda: finished(good(left_out=NOT_NEEDED | {"claim"}))),
    Case("good-without-acts", lambda: finished(good(acts=[]))),
    Case("good-admitted-by-the-operator", lambda: finished(good(admission="operator"))),
    Case("good-canary-whole-log", lambda: finished(good(is_whole=True, with_history=False))),
    Case("good-canary-omissions-possible", lambda: finished(good(with_history=False))),
    Case("good-canary-pooled", lambda: finished(good(pooled=True))),
    Case("good-canary-not-enough", lambda: finished(good(marks=1))),
    Case("good-canary-nothing-found", lambda: finished(good(marks=0))),
    Case(
        "good-canary-second-seal-withheld",
        lambda: finished(good(second_seal=True, withheld=frozenset({"transfer bob.example again"}))),
    ),
    Case(
        "omitted-seal",
        lambda: finished(
            good(
                second_seal=True, left_out=NOT_NEEDED | {"transfer bob.example again", "acknowledged bob.example again"}
            )
        ),
    ),
    Case("good-canary-withheld", lambda: finished(good(withheld=frozenset({"transfer bob.example"})))),
    Case("good-without-marks", lambda: finished(good("", marks=0))),
    Case("doubt-chunks", lambda: finished(good("", "chunks", marks=0, chunked=True)), 3, "found"),
    Case(
        "good-conditional-chunks",
        lambda: finished(good("", "chunks", marks=0, chunked=True, includes_found=False)),
        3,
        "found",
    ),
    Case("good-conditional-canary", lambda: finished(good(includes_found=False)), 3, "found"),
    Case("good-conditional-not-enough", lambda: finished(good(marks=1, includes_found=False)), 3, "found"),
    Case("good-canary-bound-too-high", partial(_stated, "0.0010001")),
    Case("good-canary-bound-just-low-enough", partial(_stated, "0.00100")),
    Case("good-canary-two-marks", lambda: finished(good(marks=2))),
    Case("good-canary-two-marks-of-an-earlier-program", lambda: finished(good(marks=2, is_earlier=True))),
    Case("good-canary-of-an-earlier-program", lambda: finished(good(is_earlier=True))),
    Case("good-tardos", lambda: finished(good("tardos"))),
    Case("good-conditional-tardos", lambda: finished(good("tardos", includes_found=False)), 3, "found"),
    Case("good-tardos-pooled", lambda: finished(good("tardos", pooled=True))),
    Case("good-stored", _stored),
    Case("good-of-version-1", lambda: finished(good(version=1))),
    Case("good-whole-log-of-version-1", lambda: finished(good(version=1, is_whole=True, with_history=False))),
    Case("good-cosigned", _cosigned),
    Case("doubt-hold-that-ended-elsewhere", _hold, 3, "acceptance"),
    Case("doubt-amendment-on-another", _amendment, 3, "acceptance"),
    Case("doubt-quorum", _without_quorum, 3, "checkpoint"),
]


def write_all(directory: Path, cases: Iterable[Case]) -> None:
    """Write every case's bundle and policy, and the index of them."""
    directory.mkdir(parents=True, exist_ok=True)
    index = []
    for case in cases:
        raw, policy = case.make()
        (directory / f"{case.name}.zip").write_bytes(raw)
        (directory / f"{case.name}.policy.txt").write_text(policy)
        index.append(
            {
                "name": case.name,
                "bundle": f"{case.name}.zip",
                "policy": f"{case.name}.policy.txt",
                "exit_code": case.exit_code,
                "check": case.check,
            }
        )
    (directory / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    from tests.harness.bundle_set import all_cases

    write_all(Path(sys.argv[1]), all_cases())
