"""What may be recorded: one entry examined, and the acceptance rules of docs/format.md §9 against all before it.

Imports schema, terms, core.
"""
