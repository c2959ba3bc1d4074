"""How a log starts, and what outside the database it is held against."""
