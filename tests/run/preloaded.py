"""What a run imports, so that runs within a test's process need not do so anew: pytester forgets their imports."""

from __future__ import annotations

import aiohttp  # noqa: F401 - likewise all below
import jinja2  # noqa: F401
import rich.table  # noqa: F401
