"""These tests run one example with the framework that it needs: `tox -e agent-NAME`. Without one, there are none."""

from __future__ import annotations

import os

from tests.run.conftest import project

__all__ = ["project"]

collect_ignore_glob = [] if os.environ.get("ULTRA_TEST_FRAMEWORK") else ["test_*.py"]
