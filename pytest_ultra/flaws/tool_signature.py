"""What a plan's reader can know of a tool from its schema and description alone."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Protocol

from pytest_ultra.core.output_path import Path
from pytest_ultra.core.workflow import Call


class DataKind(StrEnum):
    """The kind of a tool's output, or of what a tool works on."""

    TEXT = "text"
    TABLE = "table"
    RECORD = "record"
    UNKNOWN = "unknown"  # it depends on the world


class ToolSignature(Protocol):
    """One tool. `parameters` is a JSON Schema of an object; tools of one category are easily confused."""

    @property
    def parameters(self) -> dict[str, Any]: ...

    @property
    def category(self) -> str: ...

    @property
    def takes(self) -> Collection[DataKind]:
        """The kinds of outputs that the tool can work on; those of all its arguments that refer to an output."""

    @property
    def handles(self) -> Collection[str]:
        """The arguments that stand for an earlier output."""

    @property
    def open_arguments(self) -> Collection[str]:
        """The arguments that can be an earlier output or a literal."""

    def makes(self, call: Call, /) -> DataKind | None:
        """Return the kind of the call's output; None if later steps cannot use any."""

    def unfit(self, argument: str, source: ToolSignature, path: Path, /) -> str | None:
        """Return why an argument cannot be this part of the output of another tool, in words; None if it can."""

    def has_effect(self, call: Call, /) -> bool:
        """Return whether the call hands something over or stores it."""

    def informs(self, call: Call, /) -> bool:
        """Return whether the call's result may be meant for the reader alone, such as that of a check of the data."""

    def place(self, call: Call, /) -> str | None:
        """Return the place that the call overwrites, such as a path; None if a second call adds to the first."""

    def fields(self, call: Call, /) -> Collection[str]:
        """Return the columns that the call needs in its input."""

    def columns(self, call: Call, before: Collection[str] | None, /) -> Collection[str] | None:
        """Return the columns of the call's output, given those of its input; None if the schema cannot say."""

    def reads_as(self, call: Call, /) -> str | None:
        """Return the format in which the call reads its input; None if it reads no text."""

    def writes_as(self, call: Call, /) -> str | None:
        """Return the format of the text that the call makes; None if it makes none of a known format."""

    def violation(self, call: Call, /) -> str | None:
        """Return how the call's arguments break the schema, in words; None if they do not."""
