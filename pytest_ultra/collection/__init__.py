"""Pytest items: the planned cases, their ids, and the built-in suite."""
