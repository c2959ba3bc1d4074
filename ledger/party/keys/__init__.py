"""A company's keys: files, tokens, signers, and the certificates that stand for a name."""
