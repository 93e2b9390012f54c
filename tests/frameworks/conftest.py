"""These tests run one example with the package that it needs: `tox -e agent-NAME`. Without one, there are none."""

from __future__ import annotations

import os

from tests.run.conftest import project

__all__ = ["project"]

_NEEDED = {"test_example_agents.py": "ULTRA_TEST_FRAMEWORK", "test_example_programs.py": "ULTRA_TEST_PROGRAM"}

collect_ignore = [name for name, variable in _NEEDED.items() if not os.environ.get(variable)]
"""The variables hold the example of a framework, and the command of an example of a program."""
