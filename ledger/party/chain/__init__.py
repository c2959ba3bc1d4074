"""Entries gathered to tell a story of: from a ledger with receipts, or from a mirror.

`gathering` asks a ledger, `mirror` reads a copy; `told` is what they say of one thing.

Imports client and the ground.
"""
