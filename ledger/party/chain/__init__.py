"""Entries gathered to tell a story of: from a mirror, or from the ledger with receipts."""
