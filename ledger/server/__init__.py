"""The operator's wing: `store` keeps, `log` sequences (the only writer), `service` answers over HTTP.

It holds the log's key and the service key, and no key of any party.
"""
