"""The store: all runs in one SQLite file, filled from their journals."""
