"""Jobs about the world itself instead of a table in it: a list of files, the response of addresses, one address."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pytest_ultra.benchmark.generator.deliveries import draw_places, hand_over
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job_items import Item
from pytest_ultra.benchmark.generator.job_results import RESULTS
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.goal import unwrap
from pytest_ultra.benchmark.world import Resource
from pytest_ultra.core.axes import TaskType
from pytest_ultra.core.workflow import Call


class Survey(msgspec.Struct, frozen=True):
    """What a job can be about, and the results that fit it."""

    make: Callable[[Draft], Item]
    results: tuple[str, ...]
    places: tuple[str, ...]


def fill_survey(draft: Draft, task_type: TaskType) -> None:
    """Draw a job about the world itself into the draft."""
    survey = draft.pick(SURVEYS)
    place, result = draft.pick(survey.places), draft.pick(survey.results)
    if place == "answer" and result != "total":
        raise RejectedError("no single value")
    item = survey.make(draft)
    draft.text.begin_part()
    if result == "plain":
        draft.say(Kind.STEP, ("The report of that check is the result.", "The result is the report of that check."))
    else:
        item = RESULTS[result].make(draft, item)
    if place == "answer":
        draft.say(Kind.DELIVERY, ("Answer with that figure.", "Give that figure as your answer."))
        draft.answer(item, unwrap(item.value))
    else:
        if place == "csv_file":
            item = draft.make(item.call("file_operations_converter", to="csv"), item)
        target = draw_places(draft, place, 1)[0]
        draft.say(Kind.DELIVERY, ("Then {request}.", "{request}."), request=target.request)
        hand_over(draft, item, target)
    least, most = draft.level.steps_of(task_type)
    if not least <= draft.steps <= most:
        raise RejectedError("too few or too many steps")


def _listing(draft: Draft) -> Item:
    """List the files that match a pattern, with their sizes."""
    setting, rng = draft.setting, draft.rng
    folder = f"{setting.folder}/{setting.period.code}"
    stems = [table.name for table in setting.business.tables]
    files = {f"{folder}/{rng.choice(stems)}_{setting.code()}.txt": "x" * rng.randint(40, 900) for _ in range(8)}
    others = {f"{folder}/{rng.choice(stems)}_{setting.code()}.md": "y" * rng.randint(40, 900) for _ in range(3)}
    times = {path: f"{setting.period.last.isoformat()}T{rng.randint(6, 21):02}:30" for path in (*files, *others)}
    draft.add_to_world(files={**files, **others}, modified=times)
    pattern = f"{folder}/*.txt"
    draft.say(Kind.SOURCE, _LISTED, pattern=pattern)
    call = Call("file_operations_scanner", {"pattern": pattern})
    return draft.make(call, _survey_item("files", "file", "path", "size"))


_LISTED = ("List the files that match {pattern}.", "Find the files whose path matches {pattern}.")


def _latencies(draft: Draft) -> Item:
    """Measure how some addresses of one host respond."""
    setting, rng = draft.setting, draft.rng
    host = f"https://{setting.business.host}.example"
    pages = [f"{host}/{setting.period.code}/{table.name}/{setting.code()}" for table in setting.business.tables * 4][:7]
    draft.add_to_world(
        resources={
            page: Resource({"page": page}, None, latency)
            for page, latency in zip(pages, rng.sample(range(20, 900), len(pages)), strict=True)
        }
    )
    urls = pages[:-1]
    draft.say(Kind.SOURCE, _MEASURED, urls=", ".join(urls))
    return draft.make(
        Call("network_monitor", {"urls": urls}), _survey_item("addresses", "address", "url", "latency_ms")
    )


_MEASURED = (
    "Measure how these addresses respond: {urls}.",
    "Measure the response of the addresses {urls}.",
)


def _address(draft: Draft) -> Item:
    """Check one address without fetching its content."""
    setting = draft.setting
    table = draft.pick(setting.business.tables)
    pages = [
        f"https://{setting.business.host}.example/{setting.period.code}/{table.name}/{setting.code()}" for _ in range(3)
    ]
    rows = [{"page": number} for number in range(draft.rng.randint(5, 40))]
    draft.add_to_world(resources={page: Resource(rows[number:], None) for number, page in enumerate(pages)})
    draft.say(Kind.SOURCE, ("Check the address {url}, without fetching from it.",), url=pages[1])
    return draft.make(Call("network_validator", {"url": pages[1]}), _survey_item("reports", "report", "url", ""))


def _survey_item(plural: str, singular: str, key: str, measure: str) -> Item:
    measures = (measure,) if measure else ()
    names = (key, *measures)
    return Item(
        number=0,
        value=None,
        plural=plural,
        singular=singular,
        key=key,
        categories=(),
        measures=measures,
        date="",
        phrases={name: name for name in names},
        units=dict.fromkeys(measures, ""),
        totals=measures,
    )


_PLACES = ("file", "queue", "mailbox", "cache", "tracker", "schedule", "log")
SURVEYS = (
    Survey(_listing, ("sorted", "total", "statistics", "top"), (*_PLACES, "answer")),
    Survey(_latencies, ("sorted", "statistics", "top"), _PLACES),
    Survey(_address, ("plain",), ("csv_file",)),
)
