"""Evidence that stands alone, checked offline (docs/bundle.md).

Imports judgement, rules, sealed, schema, terms, times, core; no network, process or database.
"""
