"""Commands of whoever runs a ledger."""
