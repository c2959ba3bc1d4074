"""How a log starts, and what outside the database it is held against (docs/format.md §20.1, §21).

`recovery` derives the tree again and compares it with the signed checkpoint, `rereading` reads entries back;
`rebuilding` derives facts again; `published` keeps what was published beside the database; `witness_views` asks what
the witnesses have; `stamping` asks a time-stamping authority.

Imports state, witnesses and the store.
"""
