"""Every entry of a log, in order: links, tree, rules, judgement, and what a report says of it all.

`replay` is the order; `workers` has entries examined on all cores; `ending` is what only the end can show (root, tiles,
clocks, whose log); `result` what is established, `report` how it reads. `receipt` checks one entry; `predecessor` a
ledger and the one that it continues; `state` what a later replay goes on from; `convicting` keeps a proof of what
turned out false.

Imports everything below it but bundle.
"""
