"""A dataspace connector that puts a hand-off on the ledger: `register_hand_off` is all it needs.

    LEDGER_PASSPHRASE=… python examples/connector.py HOME TRANSFER_REQUEST.json LISTING LICENSE RECIPIENT FILE…

HOME is the vault that `ledger party register` made, TRANSFER_REQUEST.json the Dataspace Protocol's message that the
connector is about to answer. The manifest that is written beside the request travels with the files.
"""
# ruff: noqa: INP001 - a script, and no package

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ledger import LedgerClient, Recorded, Speaker, Vault, from_transfer, offer, parse_policy, read_foreign, read_key


async def register_hand_off(  # noqa: PLR0917 - what a connector knows of a hand-off
    home: Path, passphrase: bytes, request: Path, files: Sequence[Path], listing: str, license_id: str, recipient: str
) -> Recorded:
    """Offer `files` under a license, with the ids of the transfer request; return the verified receipt."""
    vault = Vault(home)
    config = vault.config()
    key = read_key(Path(config.key), passphrase)
    dsp = from_transfer(read_foreign(request)).dsp
    manifest = request.with_name("transfer-manifest.json")
    async with LedgerClient(config.ledger_url, parse_policy(config.policy), vault) as client:
        speaker = Speaker(client, vault, config.party, key)
        return await offer(
            speaker, files, listing=listing, license_id=license_id, recipient=recipient, manifest_path=manifest, dsp=dsp
        )


def main() -> None:
    """Run it with the arguments that the module's first lines say."""
    home, request, listing, license_id, recipient, *files = sys.argv[1:]
    paths = [Path(file) for file in files]
    passphrase = os.environ["LEDGER_PASSPHRASE"].encode()
    recorded = asyncio.run(
        register_hand_off(Path(home), passphrase, Path(request), paths, listing, license_id, recipient)
    )
    print(recorded.statement_id, recorded.index)  # noqa: T201 - words out


if __name__ == "__main__":
    main()
