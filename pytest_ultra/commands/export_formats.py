"""A run's episodes as rows of other programs' files: JSON lines, CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, Score, Usage, flatten
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.codec import encode

Row = dict[str, Any]

_FORMULA = ("=", "+", "-", "@")
_LARGEST = 2**63 - 1


def make_rows(run_id: str, episodes: Iterable[Episode]) -> list[Row]:
    """Return a row an episode: the run's id, and the fields of the `--ultra-json` document; at least one."""
    rows = [{"run_id": run_id} | flatten(episode) for episode in episodes]
    if not rows:
        raise ConfigurationError(f"the run {run_id} holds no episodes, so there is nothing to export")
    return rows


def to_jsonl(rows: Sequence[Row]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


def to_csv(rows: Sequence[Row]) -> bytes:
    """Return a table for spreadsheets; what is null is empty, and no text is a formula or holds a control code."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(map(_cell, row.values()) for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        shown = neutralise(value)
        return f"'{shown}" if shown.startswith(_FORMULA) else shown
    return value


def to_parquet(rows: Sequence[Row]) -> bytes:
    """Return a typed table; raise ConfigurationError where pyarrow is missing."""
    pyarrow = _import_pyarrow()
    types = {"text": pyarrow.string(), "int": pyarrow.int64(), "float": pyarrow.float64(), "bool": pyarrow.bool_()}
    arrays = {}
    for name in rows[0]:
        kind, values = _KINDS.get(name, "text"), [row[name] for row in rows]
        is_too_long = kind == "int" and any(value is not None and abs(value) > _LARGEST for value in values)
        arrays[name] = pyarrow.array(
            map(str, values) if is_too_long else values, types["text" if is_too_long else kind]
        )
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(arrays), buffer)
    return buffer.getvalue()


def _import_pyarrow() -> Any:
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra, and 100 ms
    except ImportError as error:
        raise ConfigurationError(
            f"Parquet needs pyarrow ({error}); install it with: pip install 'pytest-ultra[parquet]', or export as csv "
            "or jsonl"
        ) from error
    return pyarrow


FORMATS: Mapping[str, Callable[[Sequence[Row]], bytes]] = MappingProxyType(
    {"jsonl": to_jsonl, "csv": to_csv, "parquet": to_parquet}
)


def _kind(declared: msgspec.inspect.Type) -> str:
    if isinstance(declared, msgspec.inspect.UnionType):
        declared = next(kind for kind in declared.types if not isinstance(kind, msgspec.inspect.NoneType))
    return _NAMES.get(type(declared), "text")


_NAMES: Mapping[type[msgspec.inspect.Type], str] = {
    msgspec.inspect.IntType: "int",
    msgspec.inspect.FloatType: "float",
    msgspec.inspect.BoolType: "bool",
}

_KINDS = {
    field.name: _kind(msgspec.inspect.type_info(field.type))
    for record in (Case, Score, Usage, Episode)
    for field in msgspec.structs.fields(record)
}
"""What the records declare; what is in none of them, such as ids, is text."""
