"""The fields of every statement by version of the rules, and entries read into them (docs/format.md §5, §6, §7).

Imports terms, core.
"""
