"""`python -m pytest_ultra` is the `pytest-ultra` command."""

import sys

from pytest_ultra.commands.cli import main

sys.exit(main())
