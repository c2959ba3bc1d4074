"""Lies of this harness as a stranger meets them: files in a directory, and command lines of the verifier there.

`python -m tests.lies` shows them. Each is made anew when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import NamedTuple, TypeVar

from tests.harness.builder import LedgerBuilder
from tests.harness.bundles import Case
from tests.harness.forger import Expected, Files, Scene
from tests.harness.frauds import Tell
from tests.harness.misdeeds import Misdeed
from tests.harness.scene_2 import Scene2

S = TypeVar("S", bound=Scene)

REPLAY = ("replay", "log", "--policy", "policy.txt", "--quiet")
REMEMBERED = ("--state", "state.json")
PROOFS = "proofs"
"""The folder in which a telling's command lines keep fraud proofs."""


class Catch(NamedTuple):
    """What catches a lie: its name in docs/threats.md, and the words of the output that say so."""

    name: str
    words: str


class Step(NamedTuple):
    """A command line of the verifier, the exit code that it must have, and what must catch the lie there."""

    words: tuple[str, ...]
    exit_code: int
    catches: tuple[Catch, ...] = ()


@dataclass(frozen=True)
class Telling:
    """One lie: what was done, in words; the files that came of it; and the command lines, of which the last catches."""

    done: str
    files: Files
    steps: tuple[Step, ...]


def log_files(scene: LedgerBuilder, files: Files | None = None, **more: Files) -> Files:
    """Return `log/` as a scene has it, or as `files` say; other folders by their names; and the policy."""
    folders = {"log": scene.files() if files is None else files} | more
    listed = {f"{folder}/{path}": raw for folder, own in folders.items() for path, raw in own.items()}
    return listed | {"policy.txt": scene.policy().encode()}


def check(slug: str, reason: str = "") -> Catch:
    """Return the catch by a check of a replay or a bundle, for a reason."""
    return Catch(slug, f"[{slug}] {reason}")


def finding(slug: str) -> Catch:
    """Return the catch by a finding: what a party did is recorded, and told."""
    return Catch(f"the finding {slug}", f"[{slug}]")


def told_on_a_log(lie: Callable[[S], list[Expected]], make: Callable[[], S]) -> Telling:
    """Return a lie of `LIES` or `LIES_2`; where somebody has seen the log before, that is replayed first."""
    scene = make()
    expected = lie(scene)
    scene.go_on()
    checks = dict.fromkeys(check(slug, reason) for _, slug, reason in expected)
    words = (*REPLAY, "--fraud-dir", PROOFS)
    if scene.remembered is None:
        return Telling(done_by(lie), log_files(scene, scene.directory()), (Step(words, 1, tuple(checks)),))
    before = Step(("replay", "before", *REPLAY[2:], *REMEMBERED), 0)
    files = log_files(scene, scene.directory(), before=scene.remembered)
    return Telling(done_by(lie), files, (before, Step((*words, *REMEMBERED), 1, tuple(checks))))


def told_of_a_party(misdeed: Misdeed) -> Telling:
    """Return what a party did wrong on a sound ledger."""
    scene = Scene2()
    found = misdeed(scene)
    scene.go_on()
    return Telling(
        done_by(misdeed), log_files(scene), (Step((*REPLAY, "--fail-on-findings"), 4, (finding(found.slug),)),)
    )


def told_by_a_proof(fraud: Tell) -> Telling:
    """Return a fraud of the operator's, and the file that convicts it."""
    scene = Scene()
    told = fraud(scene)
    files = {"fraud.json": told.file.raw, "policy.txt": (told.policy or scene.policy()).encode()}
    proven = Catch(f"the fraud proof {told.file.kind}", f"PROVEN: {told.file.kind}")
    catches = (proven, *(proven._replace(words=words) for words in told.words))
    return Telling(done_by(fraud), files, (Step(("fraud", "fraud.json", "--policy", "policy.txt"), 0, catches),))


def told_in_a_bundle(case: Case) -> Telling:
    """Return a forged bundle; of one that leaves out what nobody can miss, the report says so."""
    raw, policy = case.make()
    caught = check(case.check) if case.check else Catch("completeness", "omissions possible")
    step = Step(("bundle", "bundle.zip", "--policy", "policy.txt"), case.exit_code, (caught,))
    done = f"An evidence bundle, otherwise sound: {case.name.replace('-', ' ')}."
    return Telling(done, {"bundle.zip": raw, "policy.txt": policy.encode()}, (step,))


def done_by(tell: object) -> str:
    """Return what was done, as the docstring of a lie says it."""
    return cleandoc(tell.__doc__ or "")
