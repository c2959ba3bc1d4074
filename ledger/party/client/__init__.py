"""The SDK's client: asks, submits, and believes nothing without proof.

`client` is `LedgerClient`; `submitting` one statement on its way, `bulk` many; `vouching` walks signatures back to a
registration.

Imports audit, vault, answers and the ground.
"""
