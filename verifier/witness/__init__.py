"""A witness: cosigns what it has checked (C2SP tlog-witness).

Imports replay and below.
"""
