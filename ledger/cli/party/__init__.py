"""Commands of companies, one file a subject: arguments in, a call of `ledger.party`, words out.

Imports kit and `ledger.party`.
"""
