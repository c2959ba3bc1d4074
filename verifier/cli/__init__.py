"""The `verifier` command: arguments in, a call, words and an exit code out."""
