"""The operator's wing: the log, its recovery, and HTTP."""
