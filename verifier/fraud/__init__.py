"""Proofs that convict an operator: their form, what each kind shows, and how one is made (docs/format.md §19).

Imports rules, schema, terms, core.
"""
