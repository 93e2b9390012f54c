"""Command-line options of the `ultra` group, their ini keys, and the settings read from them."""
