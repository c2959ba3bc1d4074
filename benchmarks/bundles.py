"""Verify evidence bundles by the verifier's own command, reading the program included (docs/bundle.md).

`python -m benchmarks.bundles`: one with 1,000 opened records and the found file, and one with 100,000 entries.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.limits import verifications_per_second
from tests.harness.bundle_leak import leak
from tests.harness.bundle_story import Story
from tests.harness.bundles import Maker, finished, good
from tests.harness.speech import signed

RECORDS, ENTRIES = 1_000, 100_000
_RUNS = 5


def main() -> None:
    """Measure, and print as each figure comes."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        measure(Path(directory), 1)


def measure(home: Path, scale: int) -> None:
    """Print the least of a few times for a bundle of either method of marks; entries a second of a large one."""
    for method in ("canary", "tardos"):
        maker = good(method, base=RECORDS, base_count=3 * RECORDS // 2, includes_found=True)
        command = _written(home, maker)
        seconds = min(_seconds(command) for _ in range(_RUNS))
        print(
            f"{f's, bundle of {RECORDS:,} opened records, {method}':<44} {seconds:>12.2f} {1.0:>12.2f}   < 1",
            flush=True,
        )
    count = ENTRIES // scale
    command = _written(home, busy(count))
    limit = verifications_per_second()
    rate = count / _seconds(command)
    print(f"{f'entries/s, bundle of {count:,}':<44} {rate:>12,.0f} {limit:>12,.0f} {rate / limit:>8.2f}   ≥ 0.30")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of the largest child so far
    print(f"{'MB, at its peak':<44} {peak / 1e6:>12,.0f} {1000:>12} {peak / 1e9:>8.2f}   ≤ 1", flush=True)


class Busy(Maker):
    """A bundle of a story, and of all that the recipient says of its use of the data."""

    def about_the_listing(self) -> list[int]:
        """Return the entries that concern the listing, the uses among them."""
        told = max(said.index for said in self.story.said.values())
        return [*super().about_the_listing(), *range(told + 1, self.story.size)]


def busy(count: int) -> Maker:
    """Return the maker of a bundle in which a recipient reports so many uses, each signed."""
    story = Story()
    license_id = story.said["license bob.example"].id
    for number in range(count):
        uses = {"action": "read", "purpose": "ResearchAndDevelopment", "count": number + 1, "license": license_id}
        statement = story.speech.say("usage.reported", story.bob, story.bob.voice, **uses)
        story.force(signed(statement, *story.bob.voice))
    return Busy(story, leak([story.copies["bob.example"]]), acts=[], includes_found=True)


def _written(home: Path, maker: Maker) -> list[str]:
    """Write a bundle and its policy, and return the command that verifies it."""
    raw, policy = finished(maker)
    (home / "evidence.zip").write_bytes(raw)
    (home / "bundle-policy.txt").write_text(policy)
    command = [sys.executable, "-m", "verifier", "bundle", str(home / "evidence.zip"), "--policy"]
    return [*command, str(home / "bundle-policy.txt")]


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
