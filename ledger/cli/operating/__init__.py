"""Commands of whoever runs a ledger, one file a subject.

`operator` (init, serve, rules; `founding` makes keys and policy), `copies` (backup, restore, adopt, check), `log_keys`,
`timestamp`.

Imports kit, `ledger.server`, and of `ledger.party` what keys and clients are.
"""
