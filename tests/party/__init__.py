"""The companies' wing, tested beside a ledger that can lie."""
