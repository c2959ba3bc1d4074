"""Verify an evidence bundle with 1,000 opened records, by the verifier's own command: reading the program included.

`python -m benchmarks.bundles`
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.harness.bundles import finished, good

RECORDS = 1000
_RUNS = 5


def main() -> None:
    """Measure a bundle of either method of marks, and print as each figure comes."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
        for method in ("canary", "tardos"):
            measure(Path(directory), method)


def measure(home: Path, method: str) -> None:
    """Print the least of a few times, in seconds."""
    raw, policy = finished(good(method, base=RECORDS, base_count=3 * RECORDS // 2, includes_found=True))
    (home / "evidence.zip").write_bytes(raw)
    (home / "policy.txt").write_text(policy)
    command = [sys.executable, "-m", "verifier", "bundle", str(home / "evidence.zip"), "--policy"]
    seconds = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        subprocess.run([*command, str(home / "policy.txt")], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - start)
    print(f"{f'seconds, a bundle of {RECORDS:,} opened records, {method}':<60} {min(seconds):>8.2f}   < 1", flush=True)


if __name__ == "__main__":
    main()
