"""Figures from episodes: rates, paired differences, counts."""
