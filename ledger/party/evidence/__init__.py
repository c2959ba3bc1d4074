"""Evidence bundles: one file that a court can check when the ledger is gone (docs/bundle.md)."""
