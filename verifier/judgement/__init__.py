"""What follows from accepted entries: terms in a situation, findings, identities.

Source: docs/statements.md §10, docs/terms.md §5–§7. `judge` takes one entry after the other: `grants` (listings,
licenses), `handoffs` (and uses), `claims` (and erasure); `decision` says whether an act is permitted, `duties` when one
is due, `sublicense` whether it is wider; `closing` decides what only a moment can: what is overdue, whose key was
stolen. `pins` and `identity` say how far a name is known. `facts` and `state` are what it remembers, `dump` that as
JSON, `words` what a report says.

Imports rules, sealed, schema, terms, core; reaches no network, process or database.
"""
