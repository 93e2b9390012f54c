"""Cassettes: models' answers kept in files that people can review, to be given again without a model."""
