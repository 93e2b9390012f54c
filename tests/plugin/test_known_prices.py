"""Which prices are known, and the messages if one is missing."""

from __future__ import annotations

import pytest

from pytest_ultra.core.prices import FREE, Price
from pytest_ultra.core.transcript import Reply
from pytest_ultra.options.known_prices import known_prices
from pytest_ultra.options.option_hooks import read_settings
from pytest_ultra.options.requested_limits import check_budget
from pytest_ultra.options.settings import Settings

MINI = Price(0.15, 0.6, 0.075)


def settings_of(pytester: pytest.Pytester, *args: str) -> Settings:
    settings = read_settings(pytester.parseconfig("-p", "no:xdist", *args))
    assert settings is not None
    return settings


@pytest.mark.parametrize(
    ("args", "environ", "price"),
    [
        (["--ultra-model=gpt-4o-mini"], {}, MINI),
        (["--ultra-model=openai/gpt-4o-mini"], {}, MINI),
        (["--ultra-model=gpt-4o-mini-2099-01-01"], {}, None),
        (["--ultra-model=openrouter/openai/gpt-4o-mini"], {}, None),
        (["--ultra-model=gpt-4o-mini", "--ultra-base-url=http://127.0.0.1:1/v1"], {}, None),
        (["--ultra-model=gpt-4o-mini"], {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, None),
        (["--ultra-model=gpt-4o-mini", "--ultra-price=gpt-4o-mini=1,2"], {}, Price(1, 2)),
        (["--ultra-model=own/m", "--ultra-price=x=3,4", "--ultra-price=own/m=1,2"], {}, Price(1, 2)),
        (["--ultra-model=demo/perfect?latency=1"], {}, FREE),
    ],
)
def test_a_price_is_the_users_own_or_the_providers(
    pytester: pytest.Pytester, args: list[str], environ: dict[str, str], price: Price | None
) -> None:
    settings = settings_of(pytester, *args)
    assert known_prices(settings, environ).get(settings.model[0]) == price


def test_the_ini_file_has_one_price_per_line(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nultra_model = a\nultra_price =\n    a=1,2\n    b=0,3.5\n")
    assert settings_of(pytester).price == {"a": Price(1, 2), "b": Price(0, 3.5)}


@pytest.mark.parametrize("text", ["0.15", "m", "m=1", "m=1,2,3,4,5", "m=1,x", "m=-1,2", "m=1,inf", "=1,2"])
def test_an_invalid_price_is_a_usage_error(pytester: pytest.Pytester, text: str) -> None:
    with pytest.raises(pytest.UsageError) as caught:
        settings_of(pytester, "--ultra-model=m", f"--ultra-price={text}")
    assert str(caught.value) == (
        f"--ultra-price: {text!r} is not a price; give a model and its price in US dollars per million prompt and "
        "completion tokens, as in gpt-4o-mini=0.15,0.60, and also those of cached and cache-written tokens if you "
        "know them"
    )


def test_a_price_may_name_cached_and_written_tokens(pytester: pytest.Pytester) -> None:
    settings = settings_of(pytester, "--ultra-model=a,b", "--ultra-price=a=1,2,0.1", "--ultra-price=b=1,2,0.1,1.25")
    assert settings.price == {"a": Price(1, 2, 0.1), "b": Price(1, 2, 0.1, 1.25)}


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (Price(1, 10), 1000 + 10 * 200),
        (Price(1, 10, cached=0.1), 400 + 0.1 * 600 + 10 * 200),
        (Price(1, 10, cached=0.1, cache_written=1.25), 100 + 0.1 * 600 + 1.25 * 300 + 10 * 200),
    ],
)
def test_each_kind_of_token_has_its_price(price: Price, expected: float) -> None:
    reply = Reply("", (), 1000, 200, cached_tokens=600, cache_written_tokens=300, reasoning_tokens=150)
    assert price.cost_of(reply) == pytest.approx(expected / 1e6)


def test_a_cost_limit_without_a_price_is_a_usage_error(pytester: pytest.Pytester) -> None:
    with pytest.raises(pytest.UsageError) as caught:
        check_budget(settings_of(pytester, "--ultra-model=own,demo", "--ultra-max-cost=1"))
    assert str(caught.value) == (
        "--ultra-max-cost: the price of 'own' is not known; give it in US dollars per million prompt and completion "
        "tokens, as in --ultra-price 'own=0.15,0.60', or limit the run by --ultra-max-tokens or --ultra-max-requests"
    )


def test_a_replay_costs_nothing_so_no_price_is_needed(pytester: pytest.Pytester) -> None:
    check_budget(settings_of(pytester, "--ultra-model=own", "--ultra-max-cost=1", "--ultra-cassette=replay"))


def test_a_budget_that_cannot_be_enforced_is_a_usage_error(pytester: pytest.Pytester) -> None:
    with pytest.raises(pytest.UsageError, match=r"^--ultra-max-cost, .* need a POSIX system; leave them out here$"):
        check_budget(settings_of(pytester, "--ultra-model=demo", "--ultra-max-requests=1"), is_posix=False)


def test_a_plan_without_a_model_is_a_usage_error(pytester: pytest.Pytester) -> None:
    with pytest.raises(pytest.UsageError, match=r"^--ultra-plan: no model is named; add --ultra-model NAME"):
        read_settings(pytester.parseconfig("--ultra-plan"))


def test_the_users_own_endpoint_has_no_list_price(pytester: pytest.Pytester) -> None:
    table = '[tool.pytest_ultra.models."gpt-4o-mini"]\nendpoints = [{key_env = "A"}, {base_url = "http://h/v1"}]\n'
    pytester.makepyprojecttoml(table)
    settings = read_settings(pytester.parseconfig("--ultra-model=gpt-4o-mini"))
    assert settings is not None
    assert known_prices(settings, {}) == {}
