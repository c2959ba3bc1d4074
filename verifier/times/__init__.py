"""What time-stamping authorities signed, and what a proven date says about an entry.

Source: RFC 3161; docs/format.md §21. `tokens` checks a token with the user's own roots: it is false, proves a time, or
proves none. `form` and `der` read it. `dating` says what bounds an entry: not after, not before, and that it claims to
be younger than a stamp that covers it.

Imports core.
"""
