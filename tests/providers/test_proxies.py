"""The proxy for a URL follows from the environment."""

from __future__ import annotations

import pytest

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.providers.proxies import find_proxy

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://api.openai.com/v1", {}, None),
        ("https://api.openai.com/v1", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api.openai.com/v1", {"https_proxy": "proxy:3128"}, PROXY),
        ("https://api.openai.com/v1", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ("https://api.openai.com/v1", {"HTTP_PROXY": PROXY}, None),
        ("https://api.openai.com/v1", {"ALL_PROXY": PROXY}, PROXY),
        ("http://gateway/v1", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://127.0.0.1:8080/v1", {"ALL_PROXY": PROXY}, None),
        ("http://127.9.9.9/v1", {"ALL_PROXY": PROXY}, None),
        ("http://[::1]:8080/v1", {"ALL_PROXY": PROXY}, None),
        ("http://localhost:8080/v1", {"ALL_PROXY": PROXY}, None),
        ("http://x.localhost/v1", {"ALL_PROXY": PROXY}, None),
        ("https://api.openai.com/v1", {"ALL_PROXY": PROXY, "NO_PROXY": "a, openai.com"}, None),
        ("https://api.openai.com/v1", {"ALL_PROXY": PROXY, "no_proxy": ".OpenAI.com"}, None),
        ("https://api.openai.com/v1", {"ALL_PROXY": PROXY, "no_proxy": "*.openai.com"}, None),
        ("https://api.openai.com/v1", {"ALL_PROXY": PROXY, "no_proxy": "*"}, None),
        ("https://api.openai.com/v1", {"ALL_PROXY": PROXY, "no_proxy": "penai.com,,"}, PROXY),
        ("http://gateway:81/v1", {"ALL_PROXY": PROXY, "no_proxy": "gateway:81"}, None),
        ("http://gateway:81/v1", {"ALL_PROXY": PROXY, "no_proxy": "gateway:80"}, PROXY),
        ("http://10.1.2.3/v1", {"ALL_PROXY": PROXY, "no_proxy": "10.0.0.0/8"}, None),
        ("http://11.1.2.3/v1", {"ALL_PROXY": PROXY, "no_proxy": "10.0.0.0/8, not/network"}, PROXY),
        ("http://gateway/v1", {"ALL_PROXY": PROXY, "no_proxy": "10.0.0.0/8"}, PROXY),
    ],
)
def test_the_proxy_is_found_in_the_environment(url: str, environ: dict[str, str], expected: str | None) -> None:
    assert find_proxy(url, environ) == expected


@pytest.mark.parametrize(
    "proxy",
    ["proxy", "http://proxy.example.com.:1", "http://my_proxy", "http://bücher.example", "http://[fe80::1%eth0]:1"],
)
def test_a_host_may_be_any_name_or_address(proxy: str) -> None:
    assert find_proxy("http://gateway/v1", {"HTTP_PROXY": proxy}) in (proxy, f"http://{proxy}")


@pytest.mark.parametrize(
    "proxy", ["foo bar", "http://foo bar:3128", "http://u:p@foo bar:1", "-foo", "a..b", "http://", ":1", "a:x", "a,b"]
)
def test_a_proxy_without_a_possible_host_is_an_error(proxy: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_proxy("http://gateway/v1", {"HTTP_PROXY": proxy})
    assert str(caught.value) == (
        "The proxy in http_proxy (or HTTP_PROXY) is not a valid address. Valid: http://HOST:PORT. Unset it, or add the "
        "endpoint's host to NO_PROXY to connect directly."
    )
