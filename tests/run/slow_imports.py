"""Import slow dependencies in the test process, because pytester discards what an in-process run imports."""

from __future__ import annotations

import aiohttp  # noqa: F401 - only imported to be loaded, like those below
import jinja2  # noqa: F401
import rich.table  # noqa: F401
