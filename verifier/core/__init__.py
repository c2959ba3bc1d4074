"""Ground floor: bytes, keys, signed notes, the tree, policies, receipts, and how checks, doubts and verdicts read.

Pure but for `files`. It imports no other room.
"""
