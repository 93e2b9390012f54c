"""Distribution of the cases among xdist's workers. Only this folder imports xdist."""
