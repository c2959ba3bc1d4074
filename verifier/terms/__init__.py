"""The machine terms of a license: their form, what contradicts what, what implies what (docs/terms.md §1–§3, §6.2).

Imports core.
"""
