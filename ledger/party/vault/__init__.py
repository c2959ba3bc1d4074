"""What a company keeps: receipts, entries, and what opens its seals."""
