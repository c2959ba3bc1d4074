"""The independent verifier: replays a ledger from nothing but its public bytes and a policy file.

It shares no line with the ledger's own package, and needs only the standard library and PyNaCl. Every rule it applies
is cited by its number in docs/format.md.
"""
