"""What the log knows of itself while it runs: identity, right edge, views, errors."""
