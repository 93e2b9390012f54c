"""Sharing out the cases among xdist's workers; xdist is imported here and nowhere else."""
