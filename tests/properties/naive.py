"""What the chain says, read off the accepted statements again from the first one on, a question at a time."""

from __future__ import annotations

from hashlib import sha256

from ledger.core.encoding import Json, b64decode

Accepted = list[tuple[int, str, Json]]
"""Index, statement id and statement of each accepted entry, in order."""


def keyid(document: Json) -> str:
    return sha256(b"ed25519\n" + b64decode(document["public_key"])).hexdigest()


def _introduced(statement: Json) -> list[tuple[Json, str]]:
    if "recovery_keys" in statement:
        both = [(item, "signing") for item in statement["keys"]]
        return both + [(item, "recovery") for item in statement["recovery_keys"]]
    return [(statement["key"], statement["use"])] if "key" in statement else []


def _first(accepted: Accepted, kind: str, **fields: Json) -> tuple[int | None, Json]:
    """Return index and statement of the first entry of a type with these members."""
    for index, _, statement in accepted:
        if statement["type"] == kind and all(statement.get(name) == value for name, value in fields.items()):
            return index, statement
    return None, {}


def facts(accepted: Accepted) -> dict[str, Json]:
    """Return every fact but the ledger's, by its store key, as JSON without `subjects`."""
    found: dict[str, Json] = {}
    for index, statement_id, said in accepted:
        issuer = said["issuer"]
        for document, use in _introduced(said):
            name = keyid(document)
            revoked, revocation = _first(accepted, "party.key_revoked", keyid=name)
            found[f"key:{name}"] = {
                "index": index, "keyid": name, "alg": "ed25519", "public_key": document["public_key"], "party": issuer,
                "use": use, "revoked_index": revoked, "compromised_since_ms": revocation.get("compromised_since_ms"),
            }  # fmt: skip
        match said["type"]:
            case "ledger.created" | "party.registered":
                everything = [
                    item for _, _, other in accepted if other["issuer"] == issuer for item in _introduced(other)
                ]
                found[f"party:{issuer}"] = {
                    "index": index, "name": issuer, "keyids": [keyid(document) for document, _ in everything],
                }  # fmt: skip
            case "listing.registered":
                found[statement_id] = {
                    "index": index, "id": statement_id, "issuer": issuer, "title": said["title"],
                    "withdrawn_index": _first(accepted, "listing.withdrawn", listing=statement_id)[0],
                }  # fmt: skip
            case "license.agreed":
                found[statement_id] = {
                    "index": index, "id": statement_id, "listing": said["listing"], "licensor": issuer,
                    "licensee": said["licensee"], "terms": said["terms"],
                    "ended_index": _first(accepted, "license.ended", license=statement_id)[0],
                }  # fmt: skip
            case "transfer.offered":
                done, _ = _first(accepted, "transfer.acknowledged", transfer=statement_id)
                turned_down, _ = _first(accepted, "transfer.refused", transfer=statement_id)
                found[statement_id] = {
                    "index": index, "id": statement_id, "listing": said["listing"], "license": said.get("license"),
                    "sender": issuer, "recipient": said["recipient"],
                    "decided_index": done if turned_down is None else turned_down,
                    "state": "acknowledged" if done is not None else "offered" if turned_down is None else "refused",
                }  # fmt: skip
            case _:
                pass
    return found
