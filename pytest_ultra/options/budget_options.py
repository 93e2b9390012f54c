"""The options that limit what a run may spend."""

from __future__ import annotations

from pytest_ultra.options.option import Option

BUDGETS = (
    Option(
        "plan",
        None,
        "",
        "Print the estimated cases, calls, tokens, cost and time of the run, and send no request",
        is_switch=True,
    ),
    Option(
        "price",
        None,
        "MODEL=PROMPT,COMPLETION[,CACHED[,CACHE_WRITTEN]]",
        "Price of a model in US dollars per million prompt tokens and per million completion tokens, and those of "
        "prompt tokens read from and written to a cache, if they differ; repeatable, one per line in the ini file",
    ),
    Option(
        "max_cost",
        None,
        "DOLLARS",
        "Cost limit of the run in US dollars; cases beyond it are skipped",
    ),
    Option(
        "max_tokens",
        None,
        "N",
        "Token limit of the run; cases beyond it are skipped",
    ),
    Option(
        "max_requests",
        None,
        "N",
        "Request limit of the run; cases beyond it are skipped",
    ),
)
