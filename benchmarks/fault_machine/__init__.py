"""Trials that disturb small runs in random combinations, and check what is promised about each of them."""
