"""A company's keys: in files, in tokens, in the environment; and certificates that stand for its name.

`files` and `token` (PKCS#11) hold keys, `signers` opens whichever it is; `certificates` is evidence for a name.

Imports the ground and the ground floor.
"""
