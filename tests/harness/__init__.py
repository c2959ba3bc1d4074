"""What tests share: people who sign, an honest ledger, a lying one, and slow third opinions."""
