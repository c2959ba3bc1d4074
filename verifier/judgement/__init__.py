"""What follows from accepted entries: terms in a situation, findings, identities.

Source: docs/statements.md §10, docs/terms.md §5–§7.

Imports rules, sealed, schema, terms, core.
"""
