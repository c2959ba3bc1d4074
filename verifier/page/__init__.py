"""The third reading of docs/bundle.md: verify.html, one page for any browser, joined from the modules of src/."""
