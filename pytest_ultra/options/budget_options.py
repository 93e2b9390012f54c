"""The options about what a run may spend."""

from __future__ import annotations

from pytest_ultra.options import option_values as values
from pytest_ultra.options.option import Option

BUDGETS = (
    Option(
        "plan",
        None,
        "",
        "Print what a run would come to (cases, calls, tokens, cost, time), and ask nobody",
        values.last(values.switch),
        is_switch=True,
    ),
    Option(
        "price",
        None,
        "MODEL=PROMPT,COMPLETION",
        "Price of a model in US dollars for a million tokens of prompts and of completions; repeatable, in the ini "
        "file one a line",
        values.prices,
    ),
    Option(
        "max_cost", None, "DOLLARS", "What the run may cost in all; the rest is skipped", values.last(values.amount)
    ),
    Option(
        "max_tokens", None, "N", "Tokens that the run may use in all, likewise", values.last(values.whole(at_least=1))
    ),
    Option("max_requests", None, "N", "Requests in all, likewise", values.last(values.whole(at_least=1))),
)
