"""The known providers: address, names of the environment variables, and how each takes its key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Provider(msgspec.Struct, frozen=True):
    """A known way to reach models. Variables are names of environment variables; the first one that is set counts.

    `base_url` is empty where the user must give one. `url_suffix` completes the address in `url_variable`.
    """

    base_url: str
    key_variables: tuple[str, ...] = ()
    needs_key: bool = True
    url_variable: str = ""
    url_suffix: str = ""
    key_header: str = "authorization"


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": Provider("https://api.openai.com/v1", ("OPENAI_API_KEY",), url_variable="OPENAI_BASE_URL"),
        "demo": Provider("", needs_key=False),
        "azure": Provider(
            "",
            ("AZURE_OPENAI_API_KEY",),
            url_variable="AZURE_OPENAI_ENDPOINT",
            url_suffix="/openai/v1",
            key_header="api-key",
        ),
        "anthropic": Provider("https://api.anthropic.com/v1", ("ANTHROPIC_API_KEY",)),
        "google": Provider(
            "https://generativelanguage.googleapis.com/v1beta/openai", ("GEMINI_API_KEY", "GOOGLE_API_KEY")
        ),
        "openrouter": Provider("https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",)),
        "groq": Provider("https://api.groq.com/openai/v1", ("GROQ_API_KEY",)),
        "together": Provider("https://api.together.xyz/v1", ("TOGETHER_API_KEY",)),
        "mistral": Provider("https://api.mistral.ai/v1", ("MISTRAL_API_KEY",)),
        "deepseek": Provider("https://api.deepseek.com/v1", ("DEEPSEEK_API_KEY",)),
        "ollama": Provider("http://127.0.0.1:11434/v1", ("OLLAMA_API_KEY",), needs_key=False),
        "vllm": Provider("http://127.0.0.1:8000/v1", ("VLLM_API_KEY",), needs_key=False),
        "llama.cpp": Provider("http://127.0.0.1:8080/v1", ("LLAMA_API_KEY",), needs_key=False),
    }
)

KEY_VARIABLES = tuple(name for provider in PROVIDERS.values() for name in provider.key_variables)
