"""Charts of a run for papers, drawn by matplotlib: vector text, one column wide, the same bytes for the same run."""
