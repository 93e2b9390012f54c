"""The options that say how models are asked, and how fast."""

from __future__ import annotations

from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.options.option import Option, listed

ENDPOINTS = (
    Option("base_url", None, "URL", "Base URL of any OpenAI-compatible endpoint"),
    Option(
        "api",
        "auto",
        "NAME",
        f"Protocol in which models are asked: {listed(ModelApi)}; auto uses the provider's own SDK for "
        "anthropic/ and google/ if it is installed, else chat completions",
    ),
    Option("temperature", None, "T", "Sampling temperature (default: the endpoint's)"),
    Option(
        "request",
        None,
        "PARAM=VALUE",
        "Parameter of each request, with a JSON value (`null`: do not send it); repeatable, one per line in the ini "
        "file",
    ),
    Option(
        "header",
        None,
        "NAME=ENV_VARIABLE",
        "Header of each request, with the value of an environment variable; repeatable, one per line in the ini file",
    ),
    Option(
        "stream",
        "auto",
        "auto|on|off",
        "Ask endpoints to stream replies, which measures the time to the first token; auto asks where an endpoint "
        "answers nothing else",
    ),
    Option(
        "rate_mode",
        "adaptive",
        "MODE",
        "How calls in flight are limited: `adaptive` follows what the endpoint can handle, within the limits that are "
        "set; `fixed` uses those limits alone",
    ),
    Option("rpm", None, "N", "Limit of requests per minute to an endpoint, shared by all processes"),
    Option("qps", None, "N", "Limit of requests per second to an endpoint, shared by all processes"),
    Option("tpm", None, "N", "Limit of tokens per minute at an endpoint, shared by all processes"),
    Option(
        "max_in_flight",
        None,
        "N",
        "Limit of calls in flight to an endpoint, shared by all processes",
    ),
    Option(
        "redis",
        None,
        "URL",
        "Redis through which hosts and CI jobs share these limits, the tasks they generate, and a budget if the URL "
        "ends in `#NAME`, as in `redis://limits:6379/0#nightly` (extra `redis`)",
    ),
)
