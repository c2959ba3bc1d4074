"""What the companies do: list, license, hand off, use, misuse, leak, end, erase, claim; and the exchange closes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.cli.demo.leak import Leak, leak
from ledger.cli.demo.stage import Stage, first_line

ORIGIN = "exchange.example/ledger"
OPERATOR = "exchange.example"
SKYWAYS, NORTHWIND = "skyways.example", "northwind.example"
HARBOUR, LANTERN = "harbour.example", "lantern.example"
EXAMPLES = Path(__file__).with_name("data")
"""Real data that travel with the program: its README says from where."""
DATA = ("airports.csv", "planes.csv")
MARKED = "planes.csv"
METHOD, RECIPIENTS, BOUND = "canary", 20, "0.000001"
MARKING = f"{METHOD}:{RECIPIENTS}:{BOUND}"
_USES = ("signing", "recovery", "lasting-signing", "lasting-recovery")
_KEY_OPTIONS = ("--key", "--recovery-key", "--lasting-key", "--lasting-recovery-key")
_SEALED_COUNT = "/terms/permission/0/constraint/2/rightOperand"


@dataclass(frozen=True)
class Affair:
    """The ids of what happened, for those who check it afterwards."""

    listing: str
    good_license: str
    bad_license: str
    disclosures: Path
    claim: str
    leak: Leak
    backup: Path
    """The exchange's database, as it was before Harbour broke the rules."""


def act(stage: Stage, data: Path) -> Affair:
    """Let it all happen; raise NotAsTold at the first step that does not go as told."""
    _companies(stage)
    listing = _listing(stage, data)
    licenses = _licenses(stage, listing)
    good, bad = licenses[NORTHWIND], licenses[HARBOUR]
    _damaged(stage, data, listing, bad)
    _draw(stage, data, listing)
    copies = _hand_off(stage, data, listing, licenses)
    _keep_the_rules(stage, good)
    backup = stage.out / "backup.db"
    stage.ledger("backup", stage.out / "exchange", backup)
    _break_the_rules(stage, bad, copies[HARBOUR])
    leaked = leak(stage, HARBOUR, SKYWAYS)
    claim = _claim(stage, bad, leaked)
    disclosures = _disclose(stage, good)
    _provenance(stage, listing)
    _close(stage)
    return Affair(listing, good, bad, disclosures, claim, leaked, backup)


def _companies(stage: Stage) -> None:
    stage.tell(
        "Four companies make their keys and register",
        "Each signs on its own machine: a key for every day, and a recovery key to keep offline. Skyways and Harbour "
        "have two of each, and sign with both algorithms. The exchange is a party too.",
    )
    pins = []
    for name in (SKYWAYS, NORTHWIND, HARBOUR, LANTERN):
        folder = stage.home(name).parent
        folder.mkdir()
        keys = _keys(stage, name)
        for path in keys:
            algorithm = "ml-dsa-44" if path.stem.startswith("lasting") else "ed25519"
            made = stage.ledger_json("key", "new", path, "--alg", algorithm)
            pins.append(f"party {name} {made['keyid']}\n")
        done = _register(stage, name, keys)
        stage.saw(f"{name} is entry {done['index']}")
    (stage.out / "parties.txt").write_text("".join(pins))
    own = ("operator", "operator-recovery", "operator-lasting", "operator-recovery-lasting")
    _register(stage, OPERATOR, [stage.out / "exchange" / "keys" / f"{name}.json" for name in own])


def _keys(stage: Stage, name: str) -> list[Path]:
    """Return a company's key files, in the order of `_USES`."""
    count = 4 if name in {SKYWAYS, HARBOUR} else 2
    return [stage.home(name).parent / f"{use}.json" for use in _USES[:count]]


def key_options(stage: Stage, name: str) -> list[object]:
    """Return the options of 'party register' that name a company's keys."""
    return _options(_keys(stage, name))


def _options(keys: list[Path]) -> list[object]:
    return [word for option, path in zip(_KEY_OPTIONS, keys, strict=False) for word in (option, path)]


def _register(stage: Stage, name: str, keys: list[Path]) -> dict[str, Any]:
    trust = ["--ledger", stage.url, "--policy", stage.out / "policy.txt"]
    return stage.as_party(name, "party", "register", name, *trust, *_options(keys))


def _listing(stage: Stage, data: Path) -> str:
    files = [data / name for name in DATA]
    rows = sum(len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in files)
    stage.tell(
        f"Skyways lists its airports and planes: {rows} real rows",
        "The rows stay at home. The ledger gets what a catalogue says, and one digest that only Skyways can open.",
    )
    words = ["--title", "Airports and aircraft of the United States", "--publisher", "Skyways", "--version", "1.0"]
    done = stage.as_party(SKYWAYS, "listing", "register", *files, *words, "--venue", OPERATOR)
    stage.saw(f"the listing is entry {done['index']}, on the exchange {OPERATOR}")
    return str(done["statement_id"])


def _licenses(stage: Stage, listing: str) -> dict[str, str]:
    stage.tell(
        "Skyways licenses the data to Northwind, Harbour and Lantern; both sides sign each",
        "Research, in the EU, for a year, no training of models, all copies deleted within 30 days of the end, and "
        "consent to marked copies, by which method and bound: terms that a machine can judge (ODRL). "
        "How often Northwind may use them is sealed.",
    )
    secret = {NORTHWIND: ["--count", "12", "--seal", _SEALED_COUNT]}
    licenses = {name: _license(stage, listing, name, secret.get(name, [])) for name in (NORTHWIND, HARBOUR, LANTERN)}
    stage.saw("three licenses are in force; nobody, the exchange included, can change a word of them")
    return licenses


def _license(stage: Stage, listing: str, licensee: str, options: list[str]) -> str:
    draft = stage.out / f"license-{licensee}.json"
    today = datetime.now(UTC).date()
    term = ["--from", str(today), "--until", str(today + timedelta(days=365))]
    rules = ["--purpose", "ResearchAndDevelopment", "--region", "EU", "--prohibit", "train", "--delete-within", "P30D"]
    who = ["--listing", listing, "--licensee", licensee, "--marking", MARKING]
    home = ["--home", stage.home(SKYWAYS)]
    stage.ledger("license", "draft", *who, *term, *rules, *options, "--out", draft, *home)
    for name in (SKYWAYS, licensee):
        stage.ledger("license", "sign", draft, "--yes", "--home", stage.home(name))
    return str(stage.as_party(licensee, "license", "submit", draft)["statement_id"])


def _damaged(stage: Stage, data: Path, listing: str, license_id: str) -> None:
    stage.tell(
        "A first parcel reaches Harbour damaged",
        "Harbour's machine hashes what arrived, sees that it is not what was sealed, and signs nothing. It refuses.",
    )
    parcel = _parcel(stage, HARBOUR, "damaged")
    files = [data / name for name in DATA]
    for path in files:
        shutil.copy(path, parcel)
    stage.as_party(SKYWAYS, "transfer", "offer", *files, *_to(listing, license_id, HARBOUR, parcel))
    damaged = parcel / DATA[0]
    damaged.write_bytes(damaged.read_bytes().replace(b"Lansdowne", b"Landsdown", 1))
    failed = stage.ledger("transfer", "acknowledge", "--dir", parcel, "--home", stage.home(HARBOUR), expect=1)
    stage.saw(first_line(failed.stderr))
    manifest = ["--manifest", parcel / "transfer-manifest.json", "--code", "digest-mismatch"]
    refused = stage.as_party(HARBOUR, "transfer", "refuse", *manifest)
    stage.saw(f"the refusal is entry {refused['index']}")


def _draw(stage: Stage, data: Path, listing: str) -> None:
    stage.tell(
        "Skyways seals a pool of made-up rows for each of the three, and each throws in a coin",
        "What will mark a copy is drawn from its pool by two coins: Skyways sealed one with the pool, and the other is "
        "what the recipient signs only then. So neither chooses which rows are drawn, nor the exchange.",
    )
    how = ["--listing", listing, "--mark", METHOD, "--recipients", RECIPIENTS, "--bound", BOUND, "--yes"]
    for name in (NORTHWIND, HARBOUR, LANTERN):
        prepared = stage.as_party(SKYWAYS, "transfer", "prepare", data / MARKED, "--to", name, *how)
        requested = stage.as_party(name, "transfer", "request", prepared["prepared"], "--yes")
        stage.saw(f"{name}: prepared at entry {prepared['index']}, requested at entry {requested['index']}")


def _hand_off(stage: Stage, data: Path, listing: str, licenses: dict[str, str]) -> dict[str, str]:
    stage.tell(
        f"Skyways hands {MARKED} to the three, a marked copy to each, and all countersign",
        "Each copy holds the few rows that were drawn for it. Each recipient computes the root over all records that "
        "it really received, opens with it what Skyways sealed, signs that, and sends back what opens its own seal.",
    )
    copies = {}
    for name, license_id in licenses.items():
        parcel = _parcel(stage, name, "received")
        copy = ["--marked-copy", parcel / MARKED]
        offered = stage.as_party(
            SKYWAYS, "transfer", "offer", data / MARKED, *_to(listing, license_id, name, parcel), *copy
        )
        done = stage.as_party(name, "transfer", "acknowledge", "--dir", parcel)
        stage.as_party(SKYWAYS, "transfer", "keep-opening", done["opening"])
        stage.saw(f"{name}: offered at entry {offered['index']}, acknowledged at entry {done['index']}")
        copies[name] = str(offered["statement_id"])
    return copies


def _parcel(stage: Stage, recipient: str, folder: str) -> Path:
    """Make the folder where a hand-off arrives."""
    parcel = stage.home(recipient).parent / folder
    parcel.mkdir()
    return parcel


def _to(listing: str, license_id: str, recipient: str, parcel: Path) -> list[object]:
    """Return the options that say what is handed to whom, and where the manifest arrives."""
    terms: list[object] = ["--listing", listing, "--license", license_id, "--to", recipient, "--acknowledge-by", "P2D"]
    return [*terms, "--manifest", parcel / "transfer-manifest.json"]


def _keep_the_rules(stage: Stage, license_id: str) -> None:
    stage.tell(
        "Northwind keeps the rules",
        "It reports what it did, ends its license when it is done, deletes its copies, and says so.",
    )
    use = ["--action", "derive", "--purpose", "AcademicResearch", "--region", "DE"]
    done = stage.as_party(NORTHWIND, "usage", "report", license_id, *use)
    stage.saw(f"a use for academic research in Germany is entry {done['index']}")
    stage.as_party(NORTHWIND, "license", "end", license_id, "--code", "convenience")
    gone = ["--license", license_id, "--basis", "contract", "--destroyed", "data"]
    done = stage.as_party(NORTHWIND, "erasure", "attest", *gone)
    stage.saw(f"the erasure is attested at entry {done['index']}")


def _break_the_rules(stage: Stage, license_id: str, transfer: str) -> None:
    stage.tell(
        "Harbour does not",
        "It trains a model for marketing, and hands the data to somebody else. Both in its own signed words: the "
        "ledger records what parties sign, lawful or not, and a replay judges it.",
    )
    use = ["--action", "train", "--purpose", "Marketing", "--region", "DE"]
    done = stage.as_party(HARBOUR, "usage", "report", license_id, *use)
    stage.saw(f"the training is entry {done['index']}")
    done = stage.as_party(HARBOUR, "transfer", "forward", transfer, "--outsider", "a broker, no party of this ledger")
    stage.saw(f"the onward hand-off is entry {done['index']}")


def _claim(stage: Stage, license_id: str, leaked: Leak) -> str:
    stage.tell(
        "Skyways ends Harbour's license and opens a claim with a legal hold",
        "The claim commits to the trace, so that it cannot be changed later. Nothing may be erased until the claim is "
        "determined: not even Harbour's copies, which are evidence now.",
    )
    stage.as_party(SKYWAYS, "license", "end", license_id, "--code", "breach")
    words = [
        "--clause",
        "no training, research only",
        "--answer-by",
        "P14D",
        "--legal-hold",
        "--evidence",
        leaked.trace,
    ]
    done = stage.as_party(SKYWAYS, "claim", "open", "--license", license_id, "--against", HARBOUR, *words)
    stage.saw(f"the claim is entry {done['index']}")
    gone = ["--license", license_id, "--basis", "contract", "--destroyed", "data", "--home", stage.home(HARBOUR)]
    refused = stage.ledger("erasure", "attest", *gone, expect=1)
    stage.saw(first_line(refused.stderr))
    return str(done["statement_id"])


def _disclose(stage: Stage, license_id: str) -> Path:
    stage.tell(
        "Skyways shows the sealed clause to an auditor, and to nobody else",
        "The file opens one commitment. Without it, the clause stays secret, and what depends on it undetermined.",
    )
    out = stage.out / "for-the-auditor.json"
    whom = ["--for", "the auditor", "--out", out, "--home", stage.home(SKYWAYS)]
    stage.ledger("disclose", license_id, _SEALED_COUNT, *whom)
    stage.saw("one place disclosed: how often Northwind may use the data")
    return out


def _provenance(stage: Stage, listing: str) -> None:
    stage.tell(
        "Anybody can draw where the data went",
        "The same chain as W3C PROV, for any tool that speaks it.",
    )
    out = stage.out / "provenance.json"
    stage.ledger("provenance", "export", listing, "--format", "prov-json", "--out", out, "--home", stage.home(SKYWAYS))
    stage.saw(f"{out.stat().st_size} bytes of PROV-JSON")


def _close(stage: Stage) -> None:
    stage.tell(
        "The exchange closes",
        "It announces it, a stranger copies the whole log, checking every byte before it is written, and the server is "
        "switched off for good.",
    )
    done = stage.as_party(OPERATOR, "venue", "announce", "closed")
    stage.saw(f"the announcement is entry {done['index']}")
    stage.verifier("mirror", stage.url, stage.out / "mirror", expect=0)
