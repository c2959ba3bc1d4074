"""The SDK against a real ledger: bulk, histories and lists, which no command shows yet at this size."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.policy import parse_policy
from ledger.core.receipt import open_receipt
from ledger.party.acts.enrolment import register
from ledger.party.answers.recorded import Recorded
from ledger.party.client.client import LedgerClient
from ledger.party.errors import Problem, Unproven
from ledger.party.speaking.composing import Frame, sign_statement
from ledger.party.speaking.speaker import Speaker, now_ms
from ledger.party.vault.vault import Vault
from tests.cli.running import serving
from tests.harness.people import person

ALPHA = person("alpha")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    directory = tmp_path_factory.mktemp("sdk") / "operator"
    with serving(directory) as url:
        yield url, (directory / "policy.txt").read_text()


async def test_many_statements_are_recorded_kept_and_found_again(ledger: tuple[str, str], tmp_path: Path) -> None:
    url, policy = ledger[0], parse_policy(ledger[1])
    vault = Vault(tmp_path)
    async with LedgerClient(url, policy, vault) as client:
        await register(client, "alpha", ALPHA.key, ALPHA.recovery, now_ms)
        speaker = Speaker(client, vault, "alpha", ALPHA.key)
        frame = await speaker.frame()

        def listing(number: int) -> dict[str, object]:
            fresh = Frame.fresh(frame.ledger, "alpha", frame.issued_ms, frame.seen)
            return fresh.statement(
                "listing.registered", [ALPHA.key.public.keyid], title=f"L{number}", content={"sealed": "ab" * 32}
            )

        envelopes = [sign_statement(listing(number), [ALPHA.key]) for number in range(1000)]
        stale = Frame.fresh(frame.ledger, "alpha", 0, None)
        wrong = stale.statement("listing.withdrawn", [ALPHA.key.public.keyid], listing="sha256:" + "0" * 64)
        envelopes.insert(500, sign_statement(wrong, [ALPHA.key]))
        results = [result async for result in client.submit_many([*envelopes, envelopes[0]])]
        problems = [result for result in results if isinstance(result, Problem)]
        good = [result for result in results if isinstance(result, Recorded)]
        assert [problem.type for problem in problems] == ["expired"]
        assert problems[0].refusal is not None
        assert [result.index for result in good] == [*range(2, 1002), 2]
        assert [result.duplicate for result in good] == [False] * 1000 + [True]
        for result in (good[0], good[499], good[-2]):
            kept = vault.entry(result.statement_id)
            assert kept is not None
            assert open_receipt(kept[1], kept[0], policy)[0].index == result.index

        history = await client.history(["alpha"])
        assert history.indexes == tuple(range(1, 1002))
        assert (await client.history([good[7].statement_id])).indexes == (9,)
        page = await client.listings([("party", "alpha"), ("limit", "300")])
        titles = [item.title for item in page.items]
        while page.next is not None:
            page = await client.listings([("party", "alpha"), ("limit", "300"), ("cursor", page.next)])
            titles += [item.title for item in page.items]
        assert sorted(titles) == sorted(f"L{number}" for number in range(1000))


async def test_an_operator_that_starts_over_is_noticed(tmp_path: Path) -> None:
    """The same keys, the same entry 0, another history: what a restored backup looks like to a company."""
    with serving(tmp_path / "operator") as url:
        policy = parse_policy((tmp_path / "operator" / "policy.txt").read_text())
        shutil.copytree(tmp_path / "operator", tmp_path / "backup")
        vault = Vault(tmp_path / "home")
        async with LedgerClient(url, policy, vault) as client:
            await register(client, "alpha", ALPHA.key, ALPHA.recovery, now_ms)
    with serving(tmp_path / "backup", fresh=False) as url:
        async with LedgerClient(url, policy, vault) as client:
            with pytest.raises(Unproven) as caught:
                await register(client, "alpha", ALPHA.key, ALPHA.recovery, now_ms)
            assert caught.value.kept is not None
