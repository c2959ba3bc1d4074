"""Copies of a log: backups of its database, and mirrors from which it is restored or continued."""
