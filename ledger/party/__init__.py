"""The companies' wing: what runs on a company's machine, next to its keys and its data. It never imports the server."""
