"""Evidence bundles: one file that a court can check when the ledger is gone (docs/bundle.md).

`building` goes from a trace and a vault to what a verifier reads (`parts`); `finishing` from that to pages, report and
archive (`report`); `single` is all of it in one page.

Imports acts, interop, trace, speaking, chain and below.
"""
