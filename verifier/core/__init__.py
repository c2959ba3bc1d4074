"""Ground floor: bytes, keys, signed notes, the tree, policies, receipts, and how checks, doubts and verdicts read.

Reading: `jcs` (canonical JSON), `b64`, `notes`, `receipt`, `policy` (is a checkpoint believable?), `certificates`.
Proving: `tree`, `keys`, `ed25519`, `mldsa`. Saying: `checks` (every check and its name), `verdict` (exit codes),
`words`, `moments`. `files` writes what a crash leaves whole.

Imports no other room; reaches no network, process or database.
"""
