"""The HTML report of a run, which needs no network: an overview, a table of cases and a page for each case."""
