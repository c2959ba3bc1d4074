"""Making a ledger: keys, entry 0, the policy file. `ledger init` and `ledger adopt` begin with it."""

from __future__ import annotations

import asyncio
import secrets
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ledger.cli.kit.passphrase import read_passphrase
from ledger.cli.kit.signing import open_keys
from ledger.core.dsse import sign
from ledger.core.encoding import Json, b64encode, canonical, parse_json
from ledger.core.keys import LastingKey, SigningKey
from ledger.party.errors import AlreadyThere
from ledger.party.files import create_file
from ledger.party.keys.files import HeldKey, write_key
from ledger.server.log.state.identity import Identity
from ledger.server.node import create, system_clock
from ledger.statements.ledger import LedgerCreated
from ledger.statements.parse import NEWEST_RULES
from ledger.statements.reading import read_model

LOG_KEY = "log.json"
SERVICE_KEY = "service.json"
OPERATOR_KEY = "operator.json"
RECOVERY_KEY = "operator-recovery.json"
KEYS = (LOG_KEY, SERVICE_KEY, OPERATOR_KEY, RECOVERY_KEY)
LASTING_OPERATOR_KEY = "operator-lasting.json"
LASTING_RECOVERY_KEY = "operator-recovery-lasting.json"
POLICY = "policy.txt"
_DAY_MS = 24 * 60 * 60 * 1000


class Admission(StrEnum):
    """Who may register a party."""

    OPEN = "open"
    OPERATOR = "operator"


class Plan(NamedTuple):
    """What a ledger is to be, and where."""

    directory: Path
    origin: str
    operator: str
    relation: str
    admission: Admission
    is_lasting: bool = False
    """The operator signs with ML-DSA-44 too."""


def found(
    plan: Plan,
    log_key: Path | None,
    service_key: Path | None,
    *,
    passphrase_file: Path | None,
    predecessor: Json = None,
) -> dict[str, object]:
    """Make a ledger, and return what to say of it; key files that are given are taken over instead of new ones.

    `predecessor` is the member of entry 0 (docs/format.md §6.1). A bad word is told before anything is written. Raises
    AlreadyThere, FormatError, StoreError, OSError.
    """
    keys = plan.directory / "keys"
    for name in KEYS:
        if (keys / name).exists():
            raise AlreadyThere(keys / name)
    given = {LOG_KEY: log_key, SERVICE_KEY: service_key}
    taken = {name: path for name, path in given.items() if path is not None}
    opened = dict(zip(taken, open_keys(list(taken.values()), "the given keys", passphrase_file), strict=True))
    made: dict[str, HeldKey] = {name: SigningKey.generate() for name in KEYS if name not in taken}
    if plan.is_lasting:
        made |= {name: LastingKey.generate() for name in (LASTING_OPERATOR_KEY, LASTING_RECOVERY_KEY)}
    signers = made | opened
    identity = Identity(plan.origin, signers[LOG_KEY], signers[SERVICE_KEY])
    own = [made[name] for name in (OPERATOR_KEY, LASTING_OPERATOR_KEY) if name in made]
    recovery = [made[name] for name in (RECOVERY_KEY, LASTING_RECOVERY_KEY) if name in made]
    now = system_clock()
    statement: dict[str, Json] = {
        "type": "ledger.created",
        "issuer": plan.operator,
        "signers": sorted(key.public.keyid for key in (*own, *recovery)),
        "nonce": b64encode(secrets.token_bytes(16)),
        "issued_ms": now,
        "not_after_ms": now + _DAY_MS,
        "origin": plan.origin,
        "keys": [key.public.document() for key in own],
        "recovery_keys": [key.public.document() for key in recovery],
        "log_keys": [identity.note_key.vkey()],
        "service_key": identity.service_key.public.document(),
        "rules": NEWEST_RULES,
        "relation": plan.relation,
        "admission": plan.admission.value,
    } | ({"predecessor": predecessor} if predecessor is not None else {})
    read_model(LedgerCreated, parse_json(canonical(statement)))  # a bad word is told before anything is written
    passphrase = read_passphrase("the operator's keys", passphrase_file, creating=True)
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, key in made.items():
        write_key(keys / name, key, passphrase)
    for name, path in taken.items():
        create_file(keys / name, path.read_bytes())
    recorded = asyncio.run(create(plan.directory, identity, sign(statement, [*own, *recovery])))
    policy = f"# Whom to trust about {plan.origin}: its log key alone. Add witness and group lines to require more.\n"
    create_file(plan.directory / POLICY, f"{policy}log {identity.note_key.vkey()}\nquorum none\n".encode())
    return {
        "ledger": recorded.statement_id,
        "log key": identity.note_key.vkey(),
        "policy": plan.directory / POLICY,
        "keys": keys,
    }
