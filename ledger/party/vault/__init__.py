"""What a company keeps: receipts, entries, configuration, and what opens its seals.

`vault` is the directory, `locker` what opens seals, encrypted at rest. `sealing` seals places of a statement and puts
values back; `disclosures` is the form in which they are shown (docs/format.md §8).

Imports keys and the ground.
"""
