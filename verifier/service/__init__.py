"""Answering HTTP: the one room that loads aiohttp.

`mirror` answers in a log's place, `witness` for a witness; `limits` are the bounds of both.

Imports mirror, witness and what is below them.
"""
