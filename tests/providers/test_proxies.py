"""The proxy for a URL follows from the environment."""

from __future__ import annotations

import pytest

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
