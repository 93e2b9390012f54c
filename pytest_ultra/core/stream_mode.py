"""Whether endpoints are asked to stream their replies."""

from __future__ import annotations

from enum import StrEnum


class StreamMode(StrEnum):
    """Streams are read whatever is asked for. AUTO asks for one where an endpoint answers nothing else."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"
