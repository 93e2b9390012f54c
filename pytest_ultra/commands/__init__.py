"""The subcommands of `pytest-ultra`, a module each."""
