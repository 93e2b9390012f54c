"""Scoring of a transcript, from its typed events alone."""

from pytest_ultra.benchmark.scoring.score import score

__all__ = ["score"]
