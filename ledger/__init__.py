"""The data provenance ledger: `core`, `statements` and `registry` are pure; `server` and `party` are the two wings.

core        bytes: canonical JSON, hashes, tree, notes, checkpoints, signed statements, entries, receipts
statements  what parties can say
registry    what the chain says now, and what may enter it
server      the operator's machine: store, sequencer, HTTP
party       a company's machine: client, keyring, vault, hand-offs
cli         arguments in, a call, words out
"""
