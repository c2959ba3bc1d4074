"""A bundle in words: the report as pages, pictures and PDF, made of nothing but the bundle."""
