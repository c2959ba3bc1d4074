"""What a ledger answers: fetched, bounded, parsed, and opened against the policy.

`transport` is HTTP with every bound; `replies` the typed answers; `recorded` an entry whose receipt proves it;
`identity` which ledger this is; `versions` statements under any rules.

Imports the ground and the ground floor. The one room of this wing that loads aiohttp.
"""
