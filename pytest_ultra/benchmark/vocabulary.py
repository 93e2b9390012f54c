"""The words that name a task's entities, as opposed to words that must keep their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

import msgspec

from pytest_ultra.benchmark.constraints import CONSTRAINTS
from pytest_ultra.benchmark.likely_names import LikelyNames
from pytest_ultra.benchmark.name_siblings import NAME_PARTS
from pytest_ultra.benchmark.tables import write_json
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode, Tool
from pytest_ultra.benchmark.wordings import WORDINGS
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import referenced_step
from pytest_ultra.faults.fault_texts import MESSAGES as FAULT_MESSAGES

_WORD = re.compile(r"[a-z]{3,}")
_NAME = re.compile(r"(?<![A-Za-z])(?:[a-z]{3,20}|[A-Z]{3,20}|[A-Z][a-z]{2,19})(?![A-Za-z])")

_PROSE = """
above according add address addresses adds agreed all along also among and anew another answer any apart appear
applied applies are around asked asks attached authenticate average away becomes begin belong besides both but cache
calls capitals case cases catalogue change changed check checked choose clause compress continue convert copied
count counts csv current data datastore date dated dates day days decides decimals deliver depends describe
deviation dictionary directory does drop dropped each else entered entry even every everything exception exceptions
excludes exported fetch fetching field fields figure figures file files finally find first folder follow following
for forecast former found from further gaps get gets getting give goes grow growth hand happened has have help here
highest hold holds how however included input instead intake into its job join json keep largest last late later
latest least leave leaves left less let level limit line list listed log look lower mail marked marks match matches
may mean meant measure median method mind missing monday more most moved name named names need needed new newest
night none not note noted notes nothing now nowhere often once one ones only open order other others otherwise out
over own pack parse path percent period periods person pick place plus policy post posting project put read ready
record recurs reduce rename replaced replaces report reporting reports request respond response result results
review rounded row rows rule rules same save says schedule second see send sent served service session set sets several
should single smallest some something sort spaces spelled stand standard started statistics still stored straight
subject successor successors such sum system table take takes team ten text than that the their them then there
these they this those three tie ties times today together too topic total tracker trend turn twice two typed under
unit unless upper use used valid version versions wanted was way week weeks what whatever where whether which while
who whole whose with without work works write written years your
"""
"""Prose around the names, in the words of tasks and in plans."""
_QUALIFIERS = "example com https http csv json txt"
"""Parts of names that distinguish one thing from another of its kind, and so carry information."""
_JSON_WORDS = "true false null"
_RESULT_KEYS = """
account addresses beginning characters count cut cached content entries error exists fields first handle kind latency
left lines logged max mean median message method min order original packed path payloads period posted queue record
records result rows scheduled sent session size sink status stdev sum table text tracker transient url value written
items
"""
_SCHEMA_WORDS = """
array boolean description enum false integer items maximum minimum null number object properties required string true
type
"""
"""Words of JSON and its schemas."""
_DOCUMENT_WORDS = """
clause clauses current draft duty field from holds intake kept mailbox meaning moved moves note owner place queue review
set status successor superseded replaced under team unit work
"""
"""Columns and states in catalogues, directories and policies."""
_PROSE_COLUMNS = frozenset({"unit", "meaning", "text", "duty", "kept_in", "status", "holds", "note"})
"""Columns of documents that hold prose and units instead of names."""
_FLAW_WORDS = " ".join(
    ("adjusted", "budgeted", "planned", "raised", "ready", "reports", *chain.from_iterable(NAME_PARTS))
)
"""Words that flawed plans put into names, beside those of the task's business. Renamed like all others, they do not
give a flaw away."""
_COPY_WORDS = "before begin begins copies copy fetched names paths serves"
"""What is said of places that hold copies, in words and in their topic."""


def words_in(*texts: str) -> set[str]:
    """Return all runs of three or more letters, in lower case."""
    return set(_WORD.findall(" ".join(texts).lower()))


def entity_words(task: Task) -> list[str]:
    """Return the words that name things in the task, in lower case and alphabetical order."""
    names = {
        name.lower() for text in (*_names(task), *LikelyNames(task).all, _FLAW_WORDS) for name in _NAME.findall(text)
    }
    return sorted(names - PROTECTED)


def _tool_words(tool: Tool) -> set[str]:
    properties = tool.parameters["properties"]
    descriptions = [str(details.get("description", "")) for details in properties.values()]
    enumerated = [str(value) for details in properties.values() for value in details.get("enum", ())]
    return words_in(tool.name, tool.description, *properties, *descriptions, *enumerated, *tool.transient_codes)


PROTECTED = words_in(
    _PROSE,
    _QUALIFIERS,
    _JSON_WORDS,
    _RESULT_KEYS,
    _SCHEMA_WORDS,
    _DOCUMENT_WORDS,
    *CONSTRAINTS,
    *EarnedCode,
    *FAULT_MESSAGES.values(),
    _COPY_WORDS,
    *(text for wording in WORDINGS.values() for text in msgspec.structs.astuple(wording)),
).union(*map(_tool_words, TOOLS.values()))
"""Words that must keep their meaning: those of prompts, schemas, errors and results."""


def _names(task: Task) -> Iterator[str]:
    yield from _world_names(task.world)
    for action in task.actions:
        yield from (text for value in action.call.arguments.values() for text in _texts(value))
    yield from (fact.key for fact in task.deliverables)


def _world_names(world: World) -> Iterator[str]:
    for part in (world.files, world.resources, world.sinks, world.credentials, world.datastores, world.topics):
        yield from part
    for part in (world.cache, world.queues, world.schedules, world.trackers):
        yield from part
    yield from world.credentials.values()
    services = [resource.service for resource in world.resources.values()]
    yield from filter(None, [*services, *(sink.service for sink in world.sinks.values())])
    yield from world.files.values()
    tables = [resource.content for resource in world.resources.values()]
    yield from map(write_json, [*tables, *world.datastores.values(), *world.cache.values()])
    yield from (mirror.prefix for mirror in world.mirrors)
    for topic in world.topics.values():
        yield from (text for text in _texts(topic) if " " not in text)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        if referenced_step(value) is None:
            yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key not in _PROSE_COLUMNS:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
