"""Ground floor: bytes in, bytes out. Each module cites its section of docs/format.md.

`encoding` (canonical JSON, base64), `hashing`, `merkle` (roots and proofs), `tiles`; `keys`, `mldsa`, `dsse` (signed
statements), `note`, `checkpoint`, `cosignature`, `policy` (whose signatures make a checkpoint believable), `entry`,
`receipt`, `commitment` (sealed values); `unicode` (the one version); `errors`, the root of all.

Imports no other room; no file, network or clock.
"""
