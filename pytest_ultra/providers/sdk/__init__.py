"""Other protocols than chat completions, through the providers' own SDKs."""
