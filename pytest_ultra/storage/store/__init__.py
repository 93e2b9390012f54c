"""The store: all runs in one SQLite file, built from their journals."""
