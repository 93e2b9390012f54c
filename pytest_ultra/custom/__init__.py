"""Suites of the user's own: tools, tasks and their worlds, with flaws and faults injected."""
