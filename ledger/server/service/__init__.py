"""HTTP: one thin handler a call (`submission`, `reading`, `tiles`, `operations`), one table from errors to problems."""
