"""The file tools: read, find, write, convert and compress."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from pytest_ultra.benchmark.tables import WRITERS, UnreadableTextError, read_csv, read_json, read_lines, write_json
from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import get_artefact, get_entry, get_page, kind_of, wrong_data
from pytest_ultra.benchmark.tools.mirrors import Storage, mirrored_names, original_of
from pytest_ultra.benchmark.tools.parameters import choice, handle, page, parameters, text
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row

_MIN_RUN = 4


def read(world: World, arguments: dict[str, Any]) -> Effect:
    path = arguments["path"]
    if path not in world.files:
        path = original_of(world, Storage.FILE, path)
    content = get_entry(world.files, path, "file", "Files can be listed by a pattern of their paths.")
    if "offset" not in arguments and "limit" not in arguments:
        return Effect(world, content)
    lines = content.splitlines(keepends=True)
    return Effect(world, "".join(get_page(lines, arguments)))


def scan(world: World, arguments: dict[str, Any]) -> Effect:
    paths = {*world.files, *mirrored_names(world, Storage.FILE, world.files)}
    matching = sorted(path for path in paths if fnmatchcase(path, arguments["pattern"]))
    return Effect(world, [_describe_file(world, path) for path in matching])


def _describe_file(world: World, path: str) -> Row:
    stored = path if path in world.files else original_of(world, Storage.FILE, path)
    size, modified = len(world.files[stored].encode()), world.modified.get(stored, "just now")
    return {"path": path, "size": size, "modified": modified}


def write(world: World, arguments: dict[str, Any]) -> Effect:
    path, content = arguments["path"], _as_text(get_artefact(world, arguments))
    modified = {other: at for other, at in world.modified.items() if other != path}
    changed = replace(world, files={**world.files, path: content}, modified=modified)
    return Effect(changed, {"written": path, "characters": len(content)}, artefact=False)


def convert(world: World, arguments: dict[str, Any]) -> Effect:
    value = get_artefact(world, arguments)
    kind = kind_of(value)
    if kind == "value":
        raise wrong_data(f"A table, a record or text is needed, but {arguments['data']} is a single value.")
    rows = _text_rows(value) if kind == "text" else value if kind == "table" else [value]
    return Effect(world, WRITERS[arguments["to"]](rows))


def compress(world: World, arguments: dict[str, Any]) -> Effect:
    content, method = _as_text(get_artefact(world, arguments)), arguments["method"]
    packed = _COMPRESSORS[method](content)
    return Effect(world, {"method": method, "original_characters": len(content), "content": packed})


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else write_json(value)


def _text_rows(content: str) -> list[Row]:
    """Read text as JSON or as CSV of several columns if possible, else as lines."""
    for read_rows, fewest_fields in ((read_json, 0), (read_csv, 2)):
        try:
            rows = read_rows(content)
        except UnreadableTextError:
            continue
        if rows and len(rows[0]) >= fewest_fields:
            return rows
    return read_lines(content)


def _run_length(content: str) -> str:
    """Encode runs of four or more characters as `~<count>~<character>`, and every `~` as such a run."""
    runs = ((character, sum(1 for _ in same)) for character, same in groupby(content))
    return "".join(f"~{n}~{c}" if n >= _MIN_RUN or c == "~" else c * n for c, n in runs)


def _dedupe_lines(content: str) -> dict[str, Json]:
    lines = content.split("\n")
    distinct = list(dict.fromkeys(lines))
    numbers = {line: number for number, line in enumerate(distinct)}
    return {"lines": distinct, "order": [numbers[line] for line in lines]}


_COMPRESSORS = {"run_length": _run_length, "dedupe_lines": _dedupe_lines}

TOOLS = (
    Tool(
        "file_operations_reader",
        "Read one file. Produces its content as text, just as it stands in the file, or some of its lines.",
        parameters({"path": text("Path of the file to read."), **page("line")}, optional=("offset", "limit")),
        ("FILE_LOCKED", "DISK_BUSY", "TIMEOUT"),
        read,
    ),
    Tool(
        "file_operations_scanner",
        "Find files by a pattern of their paths. Produces a table with the path, the size in bytes and the time of the "
        "last change of each match, without any content.",
        parameters({"pattern": text("Pattern of paths; * stands for any characters, / included, ? for one.")}),
        ("VOLUME_BUSY", "TRY_AGAIN_LATER"),
        scan,
    ),
    Tool(
        "file_operations_writer",
        "Write an earlier output to a file, replacing what is there. Text is written as it is, anything else as JSON.",
        parameters({"path": text("Path of the file to write."), "data": handle("what to write")}),
        ("DISK_BUSY", "FILE_LOCKED", "TRY_AGAIN_LATER"),
        write,
    ),
    Tool(
        "file_operations_converter",
        "Rewrite rows in another text format. Produces text, from a table or from text that holds CSV or JSON; "
        "no file is written.",
        parameters(
            {
                "data": handle("the table or text to convert"),
                "to": choice("Format of the text to produce; lines is one 'field: value; ...' line a row.", *WRITERS),
            }
        ),
        ("CONVERTER_BUSY", "TRY_AGAIN_LATER"),
        convert,
        weight=0.5,
    ),
    Tool(
        "file_operations_compressor",
        "Pack an earlier output into an archive record. Produces a record with the packed content, "
        "which has to be unpacked before anything can work with it.",
        parameters({"data": handle("what to pack"), "method": choice("How to pack.", *_COMPRESSORS)}),
        ("COMPRESSOR_BUSY", "TRY_AGAIN_LATER", "TIMEOUT"),
        compress,
    ),
)
