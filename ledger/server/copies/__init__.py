"""Copies of a log: backups of its database, and mirrors from which it is restored or continued (docs/format.md §20).

`checking` reads every byte of a database; `backup` copies a database that is being written; `restoring` makes one from
a mirror, with what `carrying` takes over (open promises, time-stamps); `adopting` continues a ledger that ended.
`source` fetches, bounded, and `reading` verifies every entry.

Imports log, store and the ground floor.
"""
