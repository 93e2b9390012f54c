"""`python -m pytest_ultra` is the `pytest-ultra` command."""

import sys

from pytest_ultra.cli import main

sys.exit(main())
