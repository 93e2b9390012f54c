"""Statistics of episodes: rates, paired differences, counts, gate verdicts."""
