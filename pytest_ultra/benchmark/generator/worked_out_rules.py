"""Rules whose values the words do not give: they are worked out from the calendar, or from the data themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import msgspec

from pytest_ultra.benchmark.decisions import ArgumentChange, Misreading, Skill
from pytest_ultra.benchmark.generator.amounts import amount
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError, RowStep
from pytest_ultra.benchmark.generator.job_items import MIN_ROWS, Item
from pytest_ultra.benchmark.generator.job_text import Kind
from pytest_ultra.benchmark.generator.periods import DAYS
from pytest_ultra.benchmark.generator.selection import FILTER
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call

MOST_KEYS = 20
"""How many rows an exception may concern, whose keys have to be listed."""

FINAL_RULES = ("largest_group", "outliers", "busy_parents")
"""Rules on what all others leave; a job has one of them at most."""

FINAL_RULES_OF_JOINED = ("outliers", "outliers", "largest_group")
"""What these have instead: filters by the parents' fields would be needless beside a list of parents."""

_AGGREGATOR = "data_processing_aggregator"


class Rule(msgspec.Struct, frozen=True):
    """A filter; the calls that show its value; and the values that one gets who works it out wrongly."""

    field: str
    operator: str
    value: Json
    question: str
    look_ups: tuple[Call, ...]
    wrongs: Sequence[Json] = ()


def apply_one(draft: Draft, item: Item, name: str, stored: Item) -> Item:
    """Apply a rule of this kind, or another one if the data do not allow it; `stored` are the data before any rule."""
    finals = FINAL_RULES_OF_JOINED[1:] if draft.level.is_joined else FINAL_RULES
    others = [*finals] if name in FINAL_RULES else [*finals, *ROW_RULES]
    draft.rng.shuffle(others)
    for kind in (name, *others):
        steps, kept = len(draft.milestones), list(draft.text.base)
        try:
            return _apply(draft, item, kind, stored)
        except RejectedError:
            if len(draft.milestones) > steps:
                raise
            draft.text.base = kept
    raise RejectedError("no rule is possible")


def _apply(draft: Draft, item: Item, name: str, stored: Item) -> Item:
    """Draw a rule of this kind, say it and apply it."""
    rule = _RULES[name](draft, item, stored)
    call = item.call(FILTER, field=rule.field, operator=rule.operator, value=rule.value)
    row_step = None if name in FINAL_RULES else RowStep(frozenset([rule.field]))
    if not MIN_ROWS <= len(draft.figure(call)) < len(item.rows):
        raise RejectedError("a rule that leaves everything or too little")
    made = draft.make(call, item, row_step=row_step)
    index = made.number - 1
    wrongs = [wrong for wrong in rule.wrongs if wrong != rule.value]
    misreadings = [Misreading((ArgumentChange(index, "value", wrong),)) for wrong in wrongs]
    misreadings.append(Misreading(dropped=(index,), is_naive=True))
    draft.decide(Skill.CHECK_DATA, rule.question, rule.look_ups, misreadings)
    cut = made.cut if name == "exception" else (*made.cut, rule.field)
    return msgspec.structs.replace(made, cut=cut)


def _weekdays(draft: Draft, item: Item, stored: Item) -> Rule:  # noqa: ARG001 - one signature for all
    """Leave out weekends or one day of the week."""
    period = draft.setting.period
    days = [period.first + dt.timedelta(days=number) for number in range(period.days)]
    if item.date in item.cut:
        raise RejectedError("days are left out already")
    kind, number = draft.pick(tuple(_WEEKDAYS)), draft.rng.randint(0, 6)
    chosen = (number,) if kind == "day" else (5, 6)
    dates: list[list[Json]] = [
        [day.isoformat() for day in days if (day.weekday() + shift) % len(DAYS) in chosen] for shift in (0, 1, 6)
    ]
    draft.say(Kind.RULE, _WEEKDAYS[kind], plural=item.plural, date=item.date, day=DAYS[number])
    look_up = item.call("data_processing_transformer", operation="sort", field=item.date)
    question = f"on which days of the week were the {item.plural}"
    return Rule(item.date, "not_in", dates[0], question, (look_up,), dates[1:])


_WEEKDAYS = {
    "weekend": (
        "{plural} dated on a Saturday or Sunday ({date}) do not count.",
        "Leave out the {plural} of weekends, going by {date}.",
    ),
    "working": (
        "Only {plural} dated on a day from Monday to Friday ({date}) count.",
        "We need only the {plural} of Mondays to Fridays, going by {date}.",
    ),
    "day": (
        "{plural} dated on a {day} ({date}) do not count.",
        "Leave out the {plural} of every {day}, going by {date}.",
    ),
}


def _exception(draft: Draft, item: Item, stored: Item) -> Rule:  # noqa: ARG001 - one signature for all
    """Leave out the rows with one value of a category, but for those that reach a figure: no single filter does it."""
    field = draft.pick([name for name in item.categories if len(item.values_of(name)) > 2 and name not in item.cut])
    measure = draft.pick([name for name in item.measures if name not in item.cut])
    value = draft.pick(item.values_of(field))
    rows = [row for row in item.rows if row[field] == value]
    figures = sorted({row[measure] for row in rows})
    if len(figures) < 4 or not item.is_unique(item.key):
        raise RejectedError("too few rows for an exception")
    limit = figures[min(draft.rng.randint(len(figures) // 4, len(figures) * 2 // 3), MOST_KEYS - 1)]
    keys: list[Json] = [row[item.key] for row in rows if row[measure] < limit]
    if not 2 <= len(keys) <= MOST_KEYS:
        raise RejectedError("too many or too few rows under an exception")
    names = {"field": item.phrases[field], "value": value, "measure": item.phrases[measure]}
    draft.say(Kind.RULE, _EXCEPTION, plural=item.plural, limit=amount(limit, item.units[measure]), **names)
    all_keys: list[Json] = [row[item.key] for row in rows]
    look_ups = (
        item.call(FILTER, field=field, operator="eq", value=value),
        item.call(FILTER, field=measure, operator="lt", value=limit),
    )
    question = f"to which {item.plural} the exception does not apply"
    return Rule(item.key, "not_in", keys, question, look_ups, [all_keys])


_EXCEPTION = (
    "{plural} whose {field} is {value} are left out, but for those with the {measure} of at least {limit}.",
    "Leave out the {plural} whose {field} is {value}, unless they have the {measure} of at least {limit}.",
)


def _largest_group(draft: Draft, item: Item, stored: Item) -> Rule:  # noqa: ARG001 - one signature for all
    """Keep the group with the highest or lowest total, of what all other rules leave."""
    by = draft.pick([name for name in item.categories if len(item.values_of(name)) > 2 and name not in item.cut])
    field = draft.pick(item.totals)
    order, word = draft.pick(((max, "highest"), (min, "lowest")))
    call = item.call(_AGGREGATOR, function="sum", field=field, group_by=by)
    totals = {row[by]: row[f"sum_{field}"] for row in draft.figure(call)}
    chosen = order(totals, key=lambda name: totals[name])
    if list(totals.values()).count(totals[chosen]) > 1:
        raise RejectedError("ties")
    words = {"by": item.phrases[by], "measure": item.phrases[field], "order": word, "plural": item.plural}
    draft.say(Kind.RULE, _LARGEST, **words)
    others = [name for name in sorted(totals) if name != chosen]
    return Rule(by, "eq", chosen, f"which {item.phrases[by]} has the {word} total", (call,), others)


_LARGEST = (
    (
        "Of what all other rules leave, only the {plural} with one {by} count: the one for which their total {measure} "
        "is the {order}."
    ),
    (
        "After all other rules have been applied, keep only that {by} for which the total {measure} of the {plural} is "
        "the {order}."
    ),
)


def _outliers(draft: Draft, item: Item, stored: Item) -> Rule:
    """Leave out rows far above the average of what all other rules leave."""
    field = draft.pick([name for name in item.measures if name not in item.cut])
    factor = draft.pick((1.25, 1.5, 1.6))
    call = item.call(_AGGREGATOR, function="mean", field=field)
    limit = round(draft.figure(call)[0][f"mean_{field}"] * factor, 2)
    if any(abs(row[field] - limit) <= 0.02 for row in item.rows):
        raise RejectedError("a figure at the limit")
    names = {"measure": item.phrases[field], "factor": factor, "plural": item.plural}
    draft.say(Kind.RULE, _OUTLIERS, **names)
    numbers = [row[field] for row in stored.rows if isinstance(row.get(field), int | float)]
    wrong = round(sum(numbers) / len(numbers) * factor, 2)
    question = f"what is the average {item.phrases[field]} of what the other rules leave"
    kept = sum(row[field] <= limit for row in item.rows)
    is_other = sum(row[field] <= wrong for row in item.rows) != kept
    return Rule(field, "lte", limit, question, (call,), [wrong] if is_other else [])


_OUTLIERS = (
    (
        "Last of all, {plural} are left out if they have the {measure} above {factor} times the average of what all "
        "other rules leave."
    ),
    (
        "Once all other rules have been applied, take the average {measure} of the {plural} that are left, and leave "
        "out those above {factor} times that average."
    ),
)


def _busy_parents(draft: Draft, item: Item, stored: Item) -> Rule:
    """Keep the rows of those parents that have many of them, of what all other rules leave."""
    parent = draft.setting.business.parent
    field = next((table.parent for table in draft.setting.business.tables if table.key == item.key), "")
    if not field or field not in item.rows[0]:
        raise RejectedError("no parents")
    call = item.call(_AGGREGATOR, function="count", field=item.key, group_by=field)
    counts = {row[field]: int(row[f"count_{item.key}"]) for row in draft.figure(call)}
    sizes = sorted(set(counts.values()))
    if len(sizes) < 3:
        raise RejectedError("too few sizes")
    least = sizes[len(sizes) // 2]
    chosen: list[Json] = [name for name in sorted(counts) if counts[name] >= least]
    names = {"plural": item.plural, "parents": parent.plural, "parent": parent.singular, "least": least, "field": field}
    draft.say(Kind.RULE, _BUSY, **names)
    raw = [str(row[field]).strip() for row in stored.rows if row.get(field)]
    wrong: list[Json] = [name for name in sorted(counts) if raw.count(str(name)) >= least]
    return Rule(field, "in", chosen, f"which {parent.plural} have at least {least} {item.plural}", (call,), [wrong])


_BUSY = (
    (
        "Of what all other rules leave, only the {plural} of such {parents} count as have at least {least} of them "
        "({field})."
    ),
    (
        "After all other rules have been applied, leave out the {plural} of every {parent} with fewer than {least} of "
        "them ({field})."
    ),
)

_RULES: Mapping[str, Callable[[Draft, Item, Item], Rule]] = {
    "weekdays": _weekdays,
    "exception": _exception,
    "largest_group": _largest_group,
    "outliers": _outliers,
    "busy_parents": _busy_parents,
}
ROW_RULES = tuple(name for name in _RULES if name not in FINAL_RULES)
