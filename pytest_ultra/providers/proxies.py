"""Look up the proxy for a URL in the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from pytest_ultra.errors import ConfigurationError

_HOST = re.compile(r"(?!-)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?")


def find_proxy(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the proxy for the URL from `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in either case.

    Loopback is never proxied. Raises `ConfigurationError` for a proxy that is not an HTTP one.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or _is_exempt(host, parts.port, _read("no", environ)):
        return None
    for name in (parts.scheme, "all"):
        if proxy := _read(name, environ):
            return _check(proxy, f"{name}_proxy")
    return None


def _read(name: str, environ: Mapping[str, str]) -> str:
    lower = f"{name}_proxy"
    return (environ.get(lower) or environ.get(lower.upper()) or "").strip()


def _check(proxy: str, variable: str) -> str:
    address = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(address)
        scheme, is_complete = parts.scheme, _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        scheme, is_complete = "http", False
    if not is_complete:
        raise ConfigurationError(
            f"The proxy in {variable} (or {variable.upper()}) is not a valid address. Valid: http://HOST:PORT. "
            "Unset it, or add the endpoint's host to NO_PROXY to connect directly."
        )
    if scheme not in ("http", "https"):
        raise ConfigurationError(
            f"The proxy in {variable} (or {variable.upper()}) has the scheme {scheme!r}. Valid: http, https. "
            "Unset it, or add the endpoint's host to NO_PROXY to connect directly."
        )
    return address


def _is_host(host: str) -> bool:
    """Return whether a name could be a host's: an address, or a domain, which may have letters outside ASCII."""
    return _address(host.partition("%")[0]) is not None or _HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    return any(_matches(entry.strip().lower(), host, port) for entry in no_proxy.split(","))


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Return whether a `no_proxy` entry matches the host: `*`, a network, or a host or domain, perhaps with a port."""
    if "/" in entry:
        return _is_within(host, entry)
    if entry.count(":") == 1:
        entry, _, entry_port = entry.partition(":")
        if entry_port != str(port):
            return False
    name = entry.removeprefix("*").removeprefix(".")
    return entry == "*" or (bool(name) and (host == name or host.endswith(f".{name}")))


def _is_within(host: str, network: str) -> bool:
    address = _address(host)
    try:
        return address is not None and address in ip_network(network, strict=False)
    except ValueError:
        return False
