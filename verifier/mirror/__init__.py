"""A verified copy of a log, and the proofs that its files can give.

Imports sources, core.
"""
