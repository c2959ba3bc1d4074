"""Ledgers that lie in one way each, and the check that catches each."""
