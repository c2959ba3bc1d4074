"""`ledger disclose` and `ledger erase`: what you sealed, shown to whom you choose, or made unreadable for good."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.kit.exit_codes import decline
from ledger.cli.kit.home import run, speaking
from ledger.cli.kit.options import DEFAULT_HOME as HOME
from ledger.cli.kit.options import Home, JsonOutput, PassphraseFile
from ledger.cli.kit.saying import pointers
from ledger.cli.kit.words import as_json, fields, say, tell, when
from ledger.core.encoding import Json, canonical
from ledger.party.acts import disclosing
from ledger.party.acts.disclosing import SealedPlace
from ledger.party.answers.recorded import Recorded
from ledger.party.errors import Unfit
from ledger.party.vault.locker import Kept

_MAX_SHOWN = 200

Statement = Annotated[str, typer.Argument(metavar="ID", help="The statement's id, sha256:…")]
Pointers = Annotated[
    list[str] | None,
    typer.Argument(metavar="POINTER", help="Places in it, as in /title or /terms/permission/0/constraint/1."),
]


class Basis(StrEnum):
    """On what basis something is destroyed (docs/statements.md §9)."""

    CONTRACT = "contract"
    COURT_ORDER = "court-order"
    GDPR_17 = "gdpr-17"
    OTHER = "other"
    PIPL_47 = "pipl-47"


def register(app: typer.Typer) -> None:
    """Add both commands to `app`."""
    app.command()(disclose)
    app.command()(erase)


def disclose(
    statement: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The statement's id; without one, all are listed.")
    ] = None,
    places: Pointers = None,
    *,
    whom: Annotated[
        str | None, typer.Option("--for", help="Whom you show it to, in words: they stand in the file.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write, and to send to them alone.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every place of the statement that you sealed.")
    ] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Show somebody what you sealed: values, and proof that they are what you sealed then.

    Without --out, it lists what you could show, and to whom you showed it before. With it, a file is written that opens
    the places you name; whoever has the file can read them and show them on, and 'verifier replay --disclosures FILE'
    checks them and judges with them. Nothing is sent: hand the file over yourself.

    Example: ledger disclose sha256:… /purpose /count --for "Court of Arbitration" --out for-the-court.json
    """
    wanted = pointers(places)
    if out is None:
        if whom is not None or everything or wanted:
            raise typer.BadParameter("say where to write it: --out FILE")
        _list(statement, home, passphrase_file, json_output=json_output)
        return
    if statement is None or whom is None:
        raise typer.BadParameter(
            "say of which statement, and for whom: ledger disclose ID POINTER… --for WHOM --out FILE"
        )
    if bool(wanted) == everything:
        raise typer.BadParameter("name the places to show, or give --all")

    async def work() -> list[str]:
        async with speaking(home, passphrase_file) as speaker:
            shown = await disclosing.hand_out(speaker, statement, wanted, whom=whom, path=out)
            return [item.pointer for item in shown]

    shown = run(work())
    if json_output:
        as_json({"file": str(out), "for": whom, "pointers": shown, "statement_id": statement})
        return
    say(f"{out} shows {', '.join(shown)} to {whom}.", "bold green")
    say("It cannot be taken back: whoever has the file can read these places, and show them on.")


def erase(
    statement: Statement,
    places: Pointers = None,
    *,
    basis: Annotated[Basis, typer.Option("--basis", help="Why, for everybody to read.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Erase every place of the statement that you sealed.")
    ] = False,
    method: Annotated[
        str | None, typer.Option("--method", help="How, for everybody to read; this command's own words without it.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--no-attest", help="Destroy it here, and say nothing on the ledger.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Destroy without asking.")] = False,
    home: Home = HOME,
    passphrase_file: PassphraseFile = None,
    json_output: JsonOutput = False,
) -> None:
    """Destroy what opens places that you sealed, for good, and say so on the ledger ('erasure.attested').

    The ledger stays as sound as it was: the commitment stands, and nobody can open it, you neither. A replay reports
    the place as erased. What is destroyed is the value and its salt in your vault, whose file is rewritten without
    them. Copies are NOT destroyed: files of 'ledger disclose' and drafts that you handed out, backups of your vault and
    snapshots of its disk, and what the other side of a license keeps. Ask for those yourself: 'ledger erasure request'.
    What a claim holds (--legal-hold) is not destroyed before the claim is determined.

    Example: ledger erase sha256:… /identity/legal_name --basis gdpr-17
    """
    wanted = pointers(places)
    if bool(wanted) == everything:
        raise typer.BadParameter("name the places to erase, or give --all")

    async def work() -> tuple[Recorded | None, list[str]]:
        async with speaking(home, passphrase_file) as speaker:
            found = await disclosing.places(speaker, statement)
            chosen = [place for place in found if everything or place.kept.pointer in wanted]
            unknown = sorted(set(wanted) - {place.kept.pointer for place in chosen})
            if unknown:
                raise Unfit(f"nothing of yours is sealed at {', '.join(unknown)}")
            _warn(chosen)
            if not yes and not typer.confirm("Destroy what opens this, for good?", err=True):
                decline()
            names = [place.kept.pointer for place in chosen]
            how = method or "value and salt overwritten in the vault's database, and the file rewritten"
            return await disclosing.erase(
                speaker, statement, names, basis=basis.value, method=how, attest=not quiet
            ), names

    recorded, erased = run(work())
    done = f"Erased: {', '.join(erased)}. Nobody can open it by what is in this vault."
    if recorded is not None:
        tell(recorded, done, json_output=json_output, pointers=erased if json_output else ", ".join(erased))
    elif json_output:
        as_json({"pointers": erased, "statement_id": statement})
    else:
        say(done, "bold green")
        say("Nothing was said of it on the ledger.")


def _list(statement: str | None, home: Path, passphrase_file: Path | None, *, json_output: bool) -> None:
    async def all_of_them() -> dict[str, list[Kept]]:
        async with speaking(home, passphrase_file) as speaker:
            return await disclosing.sealed_statements(speaker)

    async def one(statement_id: str) -> list[SealedPlace]:
        async with speaking(home, passphrase_file) as speaker:
            return await disclosing.places(speaker, statement_id)

    if statement is not None:
        _show(run(one(statement)), json_output=json_output)
        return
    found = run(all_of_them())
    if json_output:
        as_json({key: [{"erased_ms": item.erased_ms, "pointer": item.pointer} for item in found[key]] for key in found})
        return
    for statement_id, kept in found.items():
        say(statement_id, "bold")
        for item in kept:
            say(f"  {item.pointer}{'' if item.erased_ms is None else f'  (erased {when(item.erased_ms)})'}")
    say("Nothing is sealed." if not found else "'ledger disclose ID' shows the values of one.", "dim")


def _show(found: Sequence[SealedPlace], *, json_output: bool) -> None:
    if json_output:
        as_json([_document(place) for place in found])
        return
    for place in found:
        say(place.kept.pointer, "bold")
        value = None if place.kept.erased_ms is not None else _words(place.value)
        fields([("value", value), ("erased", when(place.kept.erased_ms)), *_handed(place)])


def _warn(chosen: Sequence[SealedPlace]) -> None:
    say("This destroys, here and for good, what opens:", "bold", err=True)
    for place in chosen:
        state = "" if place.kept.erased_ms is None else "  (destroyed before; it is attested again)"
        say(f"  {place.kept.pointer}{state}", err=True)
        fields(_handed(place), err=True)
    say("Copies that were handed out, and backups, are not destroyed by it.", "yellow", err=True)


def _handed(place: SealedPlace) -> list[tuple[str, object]]:
    return [("shown to", f"{item.whom}, {when(item.time_ms)}") for item in place.handed]


def _document(place: SealedPlace) -> dict[str, Json]:
    return {
        "erased_ms": place.kept.erased_ms,
        "handed": [{"for": item.whom, "time_ms": item.time_ms} for item in place.handed],
        "kind": place.kept.kind,
        "pointer": place.kept.pointer,
        "value": place.value,
    }


def _words(value: Json) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… (--json shows all)"
