"""What a run imports, so that runs within a test's process need not do so anew: pytester forgets their imports."""

from __future__ import annotations

import aiohttp  # noqa: F401 - likewise all below
import jinja2  # noqa: F401
import rich.table  # noqa: F401

import pytest_ultra.analysis.gates
import pytest_ultra.analysis.summary
import pytest_ultra.benchmark.generator.generate
import pytest_ultra.judgement
import pytest_ultra.models.aiohttp_transport
import pytest_ultra.reporting.comparison
import pytest_ultra.reporting.failure
import pytest_ultra.reporting.markdown
import pytest_ultra.reports
import pytest_ultra.run
import pytest_ultra.session
import pytest_ultra.shard
import pytest_ultra.storage.store.filling  # noqa: F401
