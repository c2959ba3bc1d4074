"""The worked examples of docs/terms.md §8, told to a ledger and replayed by the verifier."""
