"""The dialect of an endpoint: what its requests must look like, within OpenAI's chat completions."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from pytest_ultra.core.stream_mode import StreamMode

MAX_REPLY_TOKENS = 8192
"""The default cap on the tokens of a reply, so that a runaway ends as a reply that was cut and not as a timeout."""


class EmptyContent(StrEnum):
    """The content of an assistant message that has tool calls and no text."""

    TEXT = "empty"
    NULL = "null"
    ABSENT = "absent"


class Schemas(StrEnum):
    """How much of JSON Schema the tools' parameters may use."""

    FULL = "full"
    PLAIN = "plain"  # `anyOf` in place of lists of types; no keywords for lengths, patterns and sizes
    BARE = "bare"  # one type each, properties, items, enums and descriptions only


class Dialect(msgspec.Struct, frozen=True):
    """What an endpoint wants. The default is what most of them take.

    `echoed` are the unknown fields of an assistant message and its calls that go back as received; None is all of
    them, without the `dropped` ones. `filled` are fields that each assistant message with calls must have, empty if
    the model sent none. `omitted` are parameters that must not be sent; `optional` are those that may be left out,
    besides the request's own. `stream` is whether streams are asked for.
    """

    has_short_ids: bool = False
    has_tool_names: bool = False
    empty_content: EmptyContent = EmptyContent.TEXT
    is_system_folded: bool = False
    schemas: Schemas = Schemas.FULL
    tool_choice: str = ""
    limit_name: str = "max_tokens"
    max_tokens: int = MAX_REPLY_TOKENS
    omitted: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    echoed: frozenset[str] | None = None
    dropped: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    stream: StreamMode = StreamMode.AUTO

    def echoes(self, field: str) -> bool:
        return (self.echoed is None or field in self.echoed) and field not in self.dropped


DEFAULT = Dialect()


def describe_traits(dialect: Dialect) -> list[str]:
    """Return the traits of a dialect in a few words each, the limit of a reply's length first."""
    found = [f"`{dialect.limit_name}`" if dialect.limit_name else "no limit", f"content {dialect.empty_content}"]
    found += [f"{dialect.schemas} schemas"]
    found += ["call ids of nine characters"] if dialect.has_short_ids else []
    found += [f"`tool_choice` {dialect.tool_choice}"] if dialect.tool_choice else []
    if dialect.echoed is None:
        found.append("echoes what it sent")
    else:
        found.append("echoes " + (", ".join(f"`{name}`" for name in sorted(dialect.echoed)) or "nothing unknown"))
    found += [f"never `{name}`" for name in sorted(dialect.dropped | (dialect.omitted - {"stream"}))]
    return found + [f"`{name}` in each turn with calls" for name in sorted(dialect.filled)]
