"""Statements composed (`composing`), drafted (`drafts`), signed (`speaker`) and countersigned (`countersigning`).

Imports client, vault, answers and below.
"""
