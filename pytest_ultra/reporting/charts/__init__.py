"""Charts of a run for papers, drawn by Matplotlib: vector text, one column wide, the same bytes for the same run."""
