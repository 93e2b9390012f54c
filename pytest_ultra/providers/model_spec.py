"""The endpoint of one model, resolved: its address, its key and headers, its protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.providers.api_choice import describe_api
from pytest_ultra.providers.redaction import Secret
from pytest_ultra.providers.request_headers import secrets_of

PATH = "/chat/completions"


class ModelSpec(msgspec.Struct, frozen=True):
    """The endpoint of one model. `base_url` is empty for demo models, whose endpoint starts with the run.

    `others` are further endpoints that serve the model; `label` distinguishes one of several. `own_headers` are the
    user's, and replace ours; `neutral` are the parameters of requests that are not in a case's identity. `api` is the
    protocol in which it is asked, never `auto`; limits hold for an endpoint in all protocols. `is_own_address` is
    whether the user gave the base URL.
    """

    provider: str
    name: str
    base_url: str
    key: Secret = Secret()
    key_header: str = "authorization"
    label: str = ""
    others: tuple[ModelSpec, ...] = ()
    own_headers: dict[str, Secret] = {}
    neutral: dict[str, Any] = {}
    api: ModelApi = ModelApi.CHAT
    is_own_address: bool = False

    @property
    def endpoints(self) -> tuple[ModelSpec, ...]:
        """This endpoint and all others, in the order of their routes."""
        return (self, *self.others)

    @property
    def is_demo(self) -> bool:
        return self.provider == "demo"

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols of all endpoints in words, each once."""
        found = (describe_api(one.api, one.provider, has_base_url=one.is_own_address) for one in self.endpoints)
        return tuple(dict.fromkeys(found))

    def url(self, demo_url: str = "") -> str:
        parts = urlsplit(self.base_url or demo_url)
        return parts._replace(path=parts.path.rstrip("/") + PATH).geturl()

    def endpoint_id(self, demo_url: str = "") -> str:
        """Return a hash that identifies the endpoint and its key without revealing them."""
        parts = urlsplit(self.url(demo_url))
        key = self.own_headers.get(self.key_header, self.key)
        identity = f"{parts.scheme}://{parts.netloc.lower()}{parts.path} {key.reveal()}"
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def endpoint_ids(self, demo_url: str = "") -> tuple[str, ...]:
        return tuple(spec.endpoint_id(demo_url) for spec in self.endpoints)

    def headers(self) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.key:
            scheme = "Bearer " if self.key_header == "authorization" else ""
            headers[self.key_header] = scheme + self.key.reveal()
        return headers | {name: value.reveal() for name, value in self.own_headers.items()}

    def secrets(self) -> Iterator[str]:
        """Yield the key, and what is secret in the user's headers, of this endpoint and all others."""
        for spec in self.endpoints:
            yield spec.key.reveal()
            for value in spec.own_headers.values():
                yield from secrets_of(value.reveal())
