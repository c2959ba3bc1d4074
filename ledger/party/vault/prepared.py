"""What a vault knows of the pools that its party sealed (docs/marks.md §9)."""

from __future__ import annotations

from ledger.core.policy import parse_policy
from ledger.party.answers.recorded import Recorded, open_recorded
from ledger.party.vault.vault import Vault
from ledger.statements.transfer import TransferPrepared


def preparations(vault: Vault, listing: str, recipient: str | None = None) -> list[Recorded]:
    """Return our preparations for a listing, and for one recipient if one is named, the newest first.

    Each is opened with its receipt, under the vault's own policy; raises what `open_recorded` raises.
    """
    config = vault.config()
    policy = parse_policy(config.policy)
    found = []
    for pair in vault.entries():
        recorded = open_recorded(*pair, policy, policy.logs[0].name)
        said = recorded.statement
        if not isinstance(said, TransferPrepared) or (said.issuer, said.listing) != (config.party, listing):
            continue
        if recipient in {None, said.recipient}:
            found.append(recorded)
    return sorted(found, key=lambda recorded: recorded.index, reverse=True)
