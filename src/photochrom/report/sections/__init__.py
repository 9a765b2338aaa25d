"""The sections of the page, each made ready for its template."""
