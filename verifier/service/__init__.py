"""Answering HTTP: a mirror and a witness. The one room that loads aiohttp.

Imports mirror, witness and below.
"""
