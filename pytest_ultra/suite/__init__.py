"""The test module of the built-in suite, collected when `--ultra-model` is given."""
