"""The page reads no time-stamps, and says so; without roots, the command says the same (docs/bundle.md §6)."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from tests.harness.bundles import good, with_manifest, zipped
from tests.harness.verify import run_verifier
from tests.page.browser import Opened


def test_time_stamps_are_said_to_be_there(page: Opened, tmp_path: Path) -> None:
    maker = good()
    files = maker.files() | {"timestamps/0.tsr": b"any bytes", "timestamps/7.json": b"{}", "timestamps/7.tsr": b""}
    bundle, policy = zipped(with_manifest(files)), maker.story.policy()
    result = page.call(
        "const bytes = text => new TextEncoder().encode(text), bundle = parts.decode64(argument[0]);"
        "return parts.describe(await parts.verifyBundle({bundle, policy: bytes(argument[1])}));",
        [b64encode(bundle).decode(), policy],
    )
    (tmp_path / "b.zip").write_bytes(bundle)
    (tmp_path / "policy.txt").write_text(policy)
    verdict = run_verifier("bundle", str(tmp_path / "b.zip"), "--policy", str(tmp_path / "policy.txt"))
    assert (result["exit_code"], verdict.exit_code) == (0, 0)
    assert "2 time-stamp tokens are in the bundle, and were not checked." in verdict.report["open"]


def test_other_files_beside_them_are_unknown(page: Opened) -> None:
    for path in ("timestamps/00.json", "timestamps/1.txt", "timestamps/x.json"):
        maker = good()
        bundle = zipped(with_manifest(maker.files() | {path: b"{}"}))
        result = page.call(
            "const bytes = text => new TextEncoder().encode(text), bundle = parts.decode64(argument[0]);"
            "return parts.describe(await parts.verifyBundle({bundle, policy: bytes(argument[1])}));",
            [b64encode(bundle).decode(), maker.story.policy()],
        )
        assert [(item["check"], item["reason"]) for item in result["failures"]] == [("bundle-form", "unknown-path")]
