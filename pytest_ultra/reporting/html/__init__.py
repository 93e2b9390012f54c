"""The report of a run as an HTML page that needs no network: overview, table of cases, viewer of episodes."""
