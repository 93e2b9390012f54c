"""The text protocol: tools, calls and results as plain text, for models without native function calling."""
