"""Time-stamps handed to a log that runs: taken if they are of it, set aside if not, and never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.note import parse_note
from ledger.server.log import stamp_inbox
from ledger.server.log.intake.workers import Workers
from ledger.server.log.stamp_inbox import INBOX, hand_over, taking_stamps
from ledger.server.store.contract import StoreError
from ledger.server.store.stamps import StoredStamp
from tests.harness.memory_store import MemoryStore
from tests.harness.people import person
from tests.harness.running import House, running, submit_all
from tests.harness.tsa import Authority
from tests.harness.waiting import until

ALPHA = person("alpha")
HOUSE = House()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "ec", kind="ec")


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamp_inbox, "LOOK_EVERY_S", 0.01)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / INBOX).iterdir())


async def test_a_running_log_takes_what_is_of_it(tmp_path: Path, workers: Workers, authority: Authority) -> None:
    """What waits from before, too; what is newer than the log waits, and what is false is set aside and said."""
    async with running(MemoryStore(), HOUSE, workers) as log:
        [one] = await submit_all(log, [HOUSE.created])
        [two] = await submit_all(log, [HOUSE.registration(ALPHA)])
        tokens = [authority.stamp(parse_note(item.checkpoint).text) for item in (one, two)]
        first, second = (StoredStamp(at, item.checkpoint, tokens[at - 1]) for at, item in ((1, one), (2, two)))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(stamp_inbox, "PATIENCE_S", 0.02)
            assert not await hand_over(tmp_path, first), "nobody takes it"
        assert files(tmp_path) == ["1.checkpoint", "1.tsr"]
        async with taking_stamps(log, tmp_path):
            assert await hand_over(tmp_path, second)
            assert (await log.store.stamp(1), await log.store.stamp(2)) == (first, second)
            assert files(tmp_path) == []
            for false in (
                StoredStamp(2, two.checkpoint, tokens[0]),
                StoredStamp(2, two.checkpoint, b"garbage"),
                StoredStamp(2, b"garbage", tokens[1]),
                StoredStamp(1, two.checkpoint, tokens[1]),
            ):
                with pytest.raises(StoreError, match="refused the time-stamp"):
                    await hand_over(tmp_path, false)
            (tmp_path / INBOX / "3.checkpoint").write_bytes(two.checkpoint)
            for name in ("3.tsr", "03.tsr", "x.tsr", f"{10**30}.tsr"):
                (tmp_path / INBOX / name).write_bytes(tokens[1])
            left = {"3.checkpoint", "3.tsr", "03.tsr", "x.tsr", "1.checkpoint", "2.checkpoint"}
            await until(lambda: set(files(tmp_path)) == left | {"1.refused", "2.refused", f"{10**30}.refused"})
            await submit_all(log, HOUSE.listings(ALPHA, 1))
            await until(lambda: "3.refused" in files(tmp_path))
            assert "3.tsr" not in files(tmp_path)
            assert await log.store.stamp_sizes(0, 10) == [1, 2]
