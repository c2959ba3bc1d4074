"""verifier/page/verify.html in a real browser: the third reading of docs/bundle.md."""
