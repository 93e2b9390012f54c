"""The run as a whole, as the first process sees it: opening, lifecycle, and the hooks at its end."""
