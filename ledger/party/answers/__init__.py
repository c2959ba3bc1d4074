"""What a ledger answers: fetched, bounded, parsed, and opened against the policy."""
