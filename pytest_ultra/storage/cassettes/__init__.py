"""Cassettes: recorded model answers in reviewable files, for replay without a model."""
