"""Rate-limit headers, as providers write them, become a quota and a time to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.chat_request import MAX_WAIT_S, Quota, metered, plain
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.providers.quota import read_quota, read_retry_after
from tests.fuzzing import check_linear_time, fuzz

NOW = 1_750_000_000.0


def quota(**headers: str) -> Quota | None:
    return read_quota({name.replace("_", "-"): value for name, value in headers.items()}, now=lambda: NOW)


def test_without_headers_there_is_no_quota() -> None:
    assert quota(content_type="application/json") is None
    assert quota(x_ratelimit_remaining_requests="many") is None


def test_the_smallest_share_left_decides() -> None:
    found = quota(
        x_ratelimit_limit_requests="60",
        x_ratelimit_remaining_requests="59",
        x_ratelimit_reset_requests="1s",
        x_ratelimit_limit_tokens="150000",
        x_ratelimit_remaining_tokens="1500",
        x_ratelimit_reset_tokens="6m0s",
    )
    assert found == Quota(0.01, 360.0)


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("1s", 1.0),
        ("250ms", 0.25),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("1d", 86400.0),
        ("2m59.56s", 179.56),
        ("12", 12.0),
        ("0.5", 0.5),
        ("1750000030", 30.0),
        ("1750000030000", 30.0),
        ("2025-06-15T15:07:10Z", 30.0),
        ("2025-06-15T15:00:00Z", 0.0),
        ("", 0.0),
        ("soon", 0.0),
    ],
)
def test_the_reset_is_read_in_every_form_that_providers_use(reset: str, seconds: float) -> None:
    found = quota(x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests=reset)
    assert found is not None
    assert found.left == 0
    assert found.reset_s == pytest.approx(seconds)


def test_anthropics_own_header_names_are_read() -> None:
    found = quota(
        anthropic_ratelimit_requests_limit="50",
        anthropic_ratelimit_requests_remaining="5",
        anthropic_ratelimit_requests_reset="2025-06-15T15:07:00Z",
    )
    assert found == Quota(0.1, 20.0)


def test_something_left_of_an_unknown_limit_counts_as_all() -> None:
    assert quota(x_ratelimit_remaining_requests="1") == Quota(1.0)


def test_without_retry_after_the_wait_lasts_until_the_empty_quota_resets() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "7s"}
    assert read_retry_after(headers, now=lambda: NOW) == 7.0
    assert read_retry_after(headers | {"retry-after": "2"}, now=lambda: NOW) == 2.0
    assert read_retry_after(headers | {"x-ratelimit-remaining-requests": "3"}, now=lambda: NOW) is None


@pytest.mark.parametrize("seconds", ["10000000000", "1e308", "9" * 400])
def test_no_wait_is_longer_than_a_day(seconds: str) -> None:
    for headers in (
        {"retry-after": seconds},
        {"retry-after-ms": seconds},
        {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": f"{seconds}s"},
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9999-12-31T23:59:59Z"},
    ):
        assert (read_retry_after(headers, now=lambda: NOW) or 0.0) <= 86_400
        assert (read_quota(headers, now=lambda: NOW) or Quota(1.0)).reset_s <= 86_400
    assert read_retry_after({"retry-after": "10000000000"}, now=lambda: NOW) == 86_400


def test_a_metered_reply_may_have_a_time_to_the_first_token_alone() -> None:
    reply = Reply("Hi", prompt_tokens=3)
    timed = metered(reply, None, 0.25)
    assert (timed.quota, timed.first_token_s) == (None, 0.25)
    assert plain(timed) == reply


def test_a_metered_reply_is_the_plain_one_and_a_quota() -> None:
    reply = Reply("text", (ToolCall("1", "a", "{}"),), 10, 20, "tool_calls")
    with_quota = metered(reply, Quota(0.5))
    assert with_quota.quota == Quota(0.5)
    assert plain(with_quota) == reply
    assert type(plain(with_quota)) is Reply
    assert plain(reply) is reply


HEADERS = st.sampled_from(
    [
        *(f"x-ratelimit-{kind}{of}" for kind in ("limit", "remaining", "reset") for of in ("", "-requests", "-tokens")),
        *(f"anthropic-ratelimit-tokens-{kind}" for kind in ("limit", "remaining", "reset")),
        *("retry-after", "retry-after-ms", "date"),
    ]
)
PARTS = [
    *(
        "1",
        "0",
        "-",
        "9" * 400,
        "1e308",
        "nan",
        "inf",
        "d",
        "h",
        "m",
        "s",
        "ms",
        ".",
        ":",
        "+",
        " ",
        "T",
        "Z",
        "\0",
        "\u0661",
    ),
    *(
        "9999-12-31",
        "0001-01-01",
        "23:59:60",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Nov",
        "31 Dec 9999",
        "+9999",
        "-2359",
        "((",
    ),
]
VALUES = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=6).map("".join)


@fuzz(300)
@given(st.dictionaries(HEADERS, VALUES, max_size=6))
def test_headers_of_any_text_are_bounded_waits_or_ignored(headers: dict[str, str]) -> None:
    found = read_quota(headers, now=lambda: NOW)
    assert found is None or (0 <= found.left <= 1 and 0 <= found.reset_s <= MAX_WAIT_S)
    wait_s = read_retry_after(headers, now=lambda: NOW)
    assert wait_s is None or 0 <= wait_s <= MAX_WAIT_S


@fuzz(20)
@given(HEADERS, VALUES.filter(bool))
def test_long_headers_are_read_in_linear_time(name: str, unit: str) -> None:
    def read(size: int) -> None:
        headers = {"x-ratelimit-remaining": "1", name: unit * (size // len(unit))}
        read_quota(headers, now=lambda: NOW)
        read_retry_after(headers, now=lambda: NOW)

    check_linear_time(read, 8_000)  # aiohttp accepts no longer header


@pytest.mark.parametrize(("limit", "remaining"), [("0", "0"), ("-1", "-1"), ("60", "-1"), ("0", "5")])
def test_a_limit_of_zero_or_less_is_not_known(limit: str, remaining: str) -> None:
    headers = {
        "x-ratelimit-limit-requests": limit,
        "x-ratelimit-remaining-requests": remaining,
        "x-ratelimit-reset-requests": "60",
    }
    assert read_quota(headers, now=lambda: NOW) is None
    assert read_retry_after(headers, now=lambda: NOW) is None
