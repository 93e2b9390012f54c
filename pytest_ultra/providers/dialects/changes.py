"""The changes of a dialect that rejections ask for. Each is made once for an endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.request_parameters import LIMIT, LIMIT_NAMES
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.providers.dialects.dialect import Dialect, EmptyContent, Schemas
from pytest_ultra.providers.dialects.rejections import SpokenDialect
from pytest_ultra.providers.dialects.render import CALL_FIELDS, MESSAGE_FIELDS
from pytest_ultra.providers.dialects.requested import LIMIT_WORDS


class Change(msgspec.Struct, frozen=True):
    """One change of a dialect: what it sets, and how the run says that."""

    key: str
    text: str
    fields: dict[str, Any]

    def apply(self, dialect: Dialect) -> Dialect:
        """Change a dialect; sets of names grow."""
        grown = {
            name: getattr(dialect, name) | value if name in ("omitted", "dropped", "filled") else value
            for name, value in self.fields.items()
        }
        return msgspec.structs.replace(dialect, **grown)


def find_change(
    request: ChatRequest, used: SpokenDialect, text: str, fields: Collection[str] | None = None
) -> Change | None:
    """Return the first change that a rejection asks for and that was not made yet, None if there is none.

    `fields` are those of the dialect that the endpoint's requests depend on; None is all of them.
    """
    found = (change for rule in _RULES for change in rule(request, used.dialect, text))
    usable = (change for change in found if fields is None or change.fields.keys() <= set(fields))
    return next((change for change in usable if change.key not in used.changes), None)


_Changes = Iterator[Change]
_REFUSED = re.compile(r"unknown|unrecogni[sz]ed|unsupported|not supported|unexpected|extra|not permitted|not allowed")
_MISSED = re.compile(r"passed back|must be (?:passed|provided|sent|included|set|present)|missing|required")
_TOO_LARGE = re.compile(r"too (?:large|high|big|many)|exceed|at most|maximum|less than|<=|\brange\b|reduce")
_MIN_LIMIT = 256
_IDS = re.compile(r"tool[_ ]?call[_ ]?ids?\b|\bcall ids?\b|tool_calls\W+(?:\d+\W+)?id\b")
_SYSTEM = re.compile(
    r"""\bsystem['"`]?[ _-](?:role|message|prompt|instruction)|role['"`]?\W{1,6}(?:of )?['"`]?system\b"""
    r"""|['"`]system['"`]"""
    r"|developer instruction|roles? must alternate|messages\W+0\W+(?:system\W+)?role\b|only [^.]{0,40}\broles?\b"
)
_TOOL_NAME = re.compile(
    r"messages\W+\d+\W+(?:\w+\W+)?name\b|\btool (?:message|response|result)s?\b[^.]{0,60}\bname\b"
    r"|\bname\b[^.]{0,60}\btool (?:message|response|result)|function_?response\.name"
)
_NO_VALUE = r"null|none|string|str\b|required|missing|empty|blank|at least 1"
_CONTENT = re.compile(
    rf"messages\W+\d+\W+(?:\w+\W+)?content\b|\bcontent\b[^.]{{0,80}}(?:{_NO_VALUE})|(?:{_NO_VALUE})[^.]{{0,80}}\bcontent\b"
)
_IS_EMPTY = re.compile(r"empty|blank|at least 1")
_SCHEMA = re.compile(
    r"\bschemas?\b|function_?declarations?|\btools\W+\d+|(?:tools?|functions?)\b.{0,80}\bparameters\b"
    r"|\btype\b[^.]{0,60}(?:\blist|array|repeating)|minlength|maxlength|\bpattern\b|additionalproperties|uniqueitems"
    r"|minitems|maxitems|anyof|oneof"
)
_NO_STREAM = re.compile(
    rf"\bstream(?:ing)?\b.{{0,60}}(?:{_REFUSED.pattern}|not support)|(?:{_REFUSED.pattern}).{{0,60}}\bstream(?:ing)?\b"
)
_ONLY_STREAM = re.compile(
    r"\bonly\b[^.]{0,30}\bstream(?:ing|ed)?\b|\bstream(?:ing|ed)?\b(?: mode| responses?)? only\b"
    r"|\bstream\b\W{0,3}(?:parameter )?(?:must|should|has to|needs to) be (?:set to )?\W?(?:true|enabled)"
    r"|\bstreaming (?:is|must be) (?:required|enabled)|\bnon-?stream(?:ing|ed)?\b|\b(?:requires?|enable) streaming\b"
)
"""https://github.com/FoundationAgents/OpenManus/issues/330 and the like."""
_STREAM_OPTIONS = re.compile(r"\bstream[ _]options\b|\binclude_usage\b")
_REASONING_FIELDS = ("reasoning_content", "reasoning_details", "thought_signature", "extra_content", "reasoning")


def _parameters(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    """Leave out the temperature, or what may be left out; never what the user asked for with `--ultra-request`."""
    asked = () if request.case.temperature is None else ("temperature",)
    for name in (*asked, *sorted(dialect.optional)):
        if name not in dialect.omitted and re.search(rf"\b{re.escape(name.lower())}\b", text):
            yield Change(f"without {name}", f"without {name}", {"omitted": frozenset({name})})


def _token_limit(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    """Lower, rename or drop the limit of a reply's length; one that the user asked for is only renamed."""
    name, is_requested = dialect.limit_name, LIMIT in request.requested
    if not (name and dialect.max_tokens and LIMIT_WORDS.search(text)):
        return
    if _TOO_LARGE.search(text):
        if is_requested:
            return
        numbers = [int(digits) for digits in re.findall(r"\b\d{3,7}\b", text)]
        smaller = [number for number in numbers if _MIN_LIMIT <= number < dialect.max_tokens]
        if smaller and "context" not in text:
            yield Change("lower limit", f"with {name} {max(smaller)}", {"max_tokens": max(smaller)})
    else:
        other = next(limit for limit in LIMIT_NAMES if limit != name)
        yield Change("other limit", f"with {other} in place of {name}", {"limit_name": other})
    if not is_requested:
        yield Change("no limit", f"without {name}", {"limit_name": ""})


def _unknown_fields(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    """Leave out a field of the history that is rejected; send one that is missed, empty where there was none."""
    for name in dict.fromkeys((*_fields_of(request), *_REASONING_FIELDS)):
        mark = r"""(?<=['"`.\[])""" if "_" not in name else r"\b"
        if not re.search(rf"{mark}{re.escape(name.lower())}\b", text):
            continue
        if _MISSED.search(text) and not _REFUSED.search(text):
            filled = frozenset({name} if name == "reasoning_content" else ())
            yield Change(f"fill {name}", f"with {name} in all turns", {"echoed": None, "filled": filled})
        elif dialect.echoes(name):
            yield Change(f"drop {name}", f"without {name} in earlier turns", {"dropped": frozenset({name})})


def _fields_of(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        if message["role"] == "assistant":
            yield from message.keys() - MESSAGE_FIELDS
            for call in message.get("tool_calls") or ():
                yield from call.keys() - CALL_FIELDS


def _call_ids(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    if not dialect.has_short_ids and _has(request, "tool") and _IDS.search(text):
        yield Change("ids", "with call ids of nine letters and digits", {"has_short_ids": True})


def _system_message(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    if not dialect.is_system_folded and _has(request, "system") and _SYSTEM.search(text):
        yield Change("system", "with the system message inside the first user message", {"is_system_folded": True})


def _tool_names(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    if _has(request, "tool") and _TOOL_NAME.search(text):
        wanted = not dialect.has_tool_names
        yield Change("names", f"with{'' if wanted else 'out'} names in tool messages", {"has_tool_names": wanted})


def _content(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    if not _has(request, "tool") or not _CONTENT.search(text):
        return
    tried = (EmptyContent.NULL, EmptyContent.ABSENT, EmptyContent.TEXT)
    for form in tried if _IS_EMPTY.search(text) else reversed(tried):
        if form is not dialect.empty_content:
            yield Change(f"content {form}", f"with {form} content beside tool calls", {"empty_content": form})


def _tool_choice(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    if request.tools and "tool_choice" not in request.requested and re.search(r"\btool[_ ]choice\b", text):
        how = "without tool_choice" if dialect.tool_choice else 'with tool_choice "auto"'
        yield Change("tool_choice", how, {"tool_choice": "" if dialect.tool_choice else "auto"})


def _schemas(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    if request.tools and _SCHEMA.search(text):
        if dialect.schemas is Schemas.FULL:
            yield Change("plain", "with plain tool schemas", {"schemas": Schemas.PLAIN})
        yield Change("bare", "with bare tool schemas", {"schemas": Schemas.BARE})


def _stream(request: ChatRequest, dialect: Dialect, text: str) -> _Changes:
    """Ask for streams where nothing else is answered, and not where they are rejected."""
    del request
    if _STREAM_OPTIONS.search(text):
        if dialect.stream is StreamMode.ON:
            yield Change("stream options", "without stream_options", {"omitted": frozenset({"stream_options"})})
        return
    wants_stream, is_about_stream = _ONLY_STREAM.search(text), _NO_STREAM.search(text)
    if dialect.stream is StreamMode.ON and (wants_stream or is_about_stream):
        yield Change("not streamed", "without streaming", {"stream": StreamMode.OFF})
    if dialect.stream is StreamMode.AUTO and wants_stream:
        yield Change("streamed", "with streaming", {"stream": StreamMode.ON})
    elif is_about_stream and not wants_stream and "stream" not in dialect.omitted:
        yield Change("stream", "without stream", {"omitted": frozenset({"stream", "stream_options"})})


def _has(request: ChatRequest, role: str) -> bool:
    return any(message["role"] == role for message in request.messages)


_RULES: tuple[Callable[[ChatRequest, Dialect, str], _Changes], ...] = (
    _parameters,
    _stream,
    _token_limit,
    _unknown_fields,
    _tool_choice,
    _call_ids,
    _system_message,
    _tool_names,
    _content,
    _schemas,
)
"""The more specific ones first."""
