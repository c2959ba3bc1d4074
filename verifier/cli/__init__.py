"""The `verifier` command: arguments in, a call, words and an exit code out.

`main` has the table of sub-commands; each other file is one of them, but for `arguments`, `manual` and `progress`,
which they share, and `times` and `predecessor`, which are options of `replay`. Exit codes are made in
`verifier.core.verdict`.

Imports every room; reaches aiohttp through service alone.
"""
