"""Traces of found files: real tables, leaked, changed and innocent."""
