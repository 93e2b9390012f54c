"""The built-in test suite, collected when `--ultra-model` is given."""
