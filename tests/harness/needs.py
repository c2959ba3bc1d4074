"""What tests need of the machine, from the list that `make test` installs by: the one place where a test is skipped.

In CI nothing is skipped: what is missing there fails, so that a green run has looked at everything.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

LIST = Path(__file__).parents[2] / ".ci" / "needs.txt"
_FONTS = [
    Path(name).expanduser()
    for name in ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
]


class Need(NamedTuple):
    """A line of the list: any one of `these`, which are of a `kind`, will do."""

    name: str
    kind: str
    these: tuple[str, ...]
    package: str | None
    """The package of Debian that has it, or None where `.venv` brings it."""
    purpose: str

    def find(self) -> str | None:
        """Return where it is, or None."""
        # What the environment brings comes first: its version is known.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        match self.kind:
            case "program":
                found = (shutil.which(each, path=path) for each in self.these)
            case "font":
                found = (str(file) for place in _FONTS for each in self.these for file in place.rglob(each))
            case _:
                found = (each for each in self.these if Path(each).exists())
        return next((each for each in found if each is not None), None)


def read_needs() -> dict[str, Need]:
    """Return the list, by name."""
    needs = {}
    for line in LIST.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, how, package, purpose = (cell.strip() for cell in line.split("|"))
            kind, *these = how.split()
            needs[name] = Need(name, kind, tuple(these), None if package == "-" else package, purpose)
    return needs


def need(name: str) -> str:
    """Return where something of the list is; without it the test is skipped, and in CI fails."""
    wanted = read_needs()[name]
    found = wanted.find()
    if found is None:
        remedy = f"apt-get install {wanted.package}" if wanted.package else "make .venv/.installed"
        do_without(f"{name} is missing, which {wanted.purpose}: {remedy}")
    return found


def do_without(reason: str) -> NoReturn:
    """Skip the test that is running, with a reason; in CI, or with PROVENANCE_REQUIRE_ALL=1, fail it."""
    if os.environ.get("CI", "").lower() not in {"", "0", "false"} or os.environ.get("PROVENANCE_REQUIRE_ALL") == "1":
        pytest.fail(f"nothing is skipped here: {reason}", pytrace=False)
    pytest.skip(reason)
