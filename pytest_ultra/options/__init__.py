"""What the user asked for: the options of the `ultra` group, their ini keys and their values."""
