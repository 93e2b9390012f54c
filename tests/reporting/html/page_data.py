"""Read the data that a page contains for its script."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any


def unpack(text: str) -> Any:
    return json.loads(gzip.decompress(base64.b64decode(text)))


def read_columns(page: str) -> dict[str, list[Any]]:
    """Return the columns of the table of cases."""
    found = re.search(r'<script type="text/plain" id="columns">(.*?)</script>', page)
    assert found
    return {
        name: [column["values"][code] for code in column["codes"]] if "codes" in column else column["values"]
        for name, column in unpack(found[1]).items()
    }


def read_episodes(page: str) -> list[dict[str, Any]]:
    """Return the episodes as the script of the page gets them."""
    chunks = re.findall(r'<script type="text/plain" class="chunk">(.*?)</script>', page)
    return [episode for chunk in chunks for episode in unpack(chunk)]
