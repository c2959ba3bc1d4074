"""The SDK's client: asks, submits, and believes nothing without proof.

`reader` is `LedgerReader`, which only reads; `client` is `LedgerClient`, a reader that also submits; `submitting` one
statement on its way, `bulk` many; `vouching` walks signatures back to a registration.

Imports audit, vault, answers and the ground.
"""
