"""What MCP tools answer as JSON, without the path of the folder that differs from episode to episode."""

from __future__ import annotations

import msgspec
from mcp.types import CallToolResult, TextContent

from pytest_ultra.core.json_types import Json
from pytest_ultra.faults.result_mutation import read_held
from pytest_ultra.mcp_suites.suite_document import SHOWN_FOLDER


class McpAnswer(msgspec.Struct, frozen=True):
    """What a tool returned, or the text of its error."""

    value: Json
    is_error: bool = False


def read_answer(result: object, folder: str | None) -> McpAnswer:
    """Return the structured content, else the text, as JSON if it holds an object or a list.

    The path of `folder` is replaced by the one that agents see.
    """
    if not isinstance(result, CallToolResult):
        return McpAnswer("the tool asks its client a question, which no agent could answer", is_error=True)
    content = [_read_block(block) for block in result.content]
    if result.is_error:
        text = "\n".join(part for part in content if isinstance(part, str))
        return McpAnswer(_shown(text, folder), is_error=True)
    if result.structured_content is not None:
        return McpAnswer(_shown(result.structured_content, folder))
    shown = [_parsed(_shown(part, folder)) for part in content]
    return McpAnswer(shown[0] if len(shown) == 1 else shown)


def with_path(value: Json, old: str, new: str) -> Json:
    """Return a value with another folder's path in its texts."""
    if isinstance(value, str):
        return value.replace(old, new) if old != SHOWN_FOLDER else _with_own_path(value, new)
    if isinstance(value, dict):
        return {with_path(name, old, new): with_path(inner, old, new) for name, inner in value.items()}
    return [with_path(inner, old, new) for inner in value] if isinstance(value, list) else value


def _with_own_path(text: str, folder: str) -> str:
    """Return a path that an agent gives as the server knows it; in other texts, the name may mean something else."""
    is_path = text == SHOWN_FOLDER or text.startswith(f"{SHOWN_FOLDER}/")
    return folder + text.removeprefix(SHOWN_FOLDER) if is_path else text


def _shown(value: Json, folder: str | None) -> Json:
    return value if folder is None else with_path(value, folder, SHOWN_FOLDER)


def _read_block(block: object) -> Json:
    if isinstance(block, TextContent):
        return block.text
    dump = getattr(block, "model_dump", None)
    return dump(mode="json", by_alias=True, exclude_none=True) if callable(dump) else repr(block)


def _parsed(value: Json) -> Json:
    held = read_held(value) if isinstance(value, str) else None
    return value if held is None else held[0]
