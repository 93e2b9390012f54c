"""Imports for the end of a run happen while it runs, or not at all if it ends first."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
from pytest_ultra.controller.warm_up import WarmUp
warm_up = WarmUp({delay})
warm_up.start()
warm_up.start()
assert threading.active_count() == 2
{then}
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
print("scipy.special" in sys.modules, "jinja2" in sys.modules)
"""


@pytest.mark.parametrize(("delay", "then", "printed"), [(0.01, "", "True True"), (60, "warm_up.stop()", "False False")])
def test_imports_come_in_time_or_not_at_all(delay: float, then: str, printed: str) -> None:
    program = PROGRAM.format(delay=delay, then=then)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own program
    assert done.stdout.strip() == printed
