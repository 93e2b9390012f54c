"""The table of verdicts: what providers' errors mean, row by row with the source. The first row that fits decides.

An answer that no row fits is judged by its status, as `engine/backoff.py` does. Limits come first: a throttled endpoint
speaks of tokens as one whose context window is full does. The model's own failures come before rejected requests, since
both arrive with any status.
"""

from __future__ import annotations

from pytest_ultra.providers.limit_rows import LIMIT_ROWS
from pytest_ultra.providers.model_rows import MODEL_ROWS
from pytest_ultra.providers.request_rows import REQUEST_ROWS

VERDICTS = (*LIMIT_ROWS, *MODEL_ROWS, *REQUEST_ROWS)
