"""Ledger, verifier and reference agree."""
