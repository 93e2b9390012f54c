"""Keeping what a run produces: journals, generated workflows, the JSON document."""
