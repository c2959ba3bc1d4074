"""What time-stamping authorities signed (RFC 3161), and what a date that somebody proved says about an entry.

Imports core.
"""
