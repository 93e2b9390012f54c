"""The known providers: address, names of the environment variables, and how each takes its key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.provider_dialects import GENERIC, PROVIDER_DIALECTS


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
    example_url: str = ""


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
            example_url="https://NAME.openai.azure.com",
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
        "xai": Provider("https://api.x.ai/v1", ("XAI_API_KEY",)),
        "cohere": Provider("https://api.cohere.ai/compatibility/v1", ("COHERE_API_KEY",)),
        "fireworks": Provider(
            "https://api.fireworks.ai/inference/v1",
            ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"),
        ),
        "cerebras": Provider("https://api.cerebras.ai/v1", ("CEREBRAS_API_KEY",)),
        "nvidia": Provider("https://integrate.api.nvidia.com/v1", ("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY")),
        "huggingface": Provider("https://router.huggingface.co/v1", ("HF_TOKEN", "HUGGINGFACE_HUB_TOKEN")),
        "bedrock": Provider(
            "",
            ("AWS_BEARER_TOKEN_BEDROCK",),
            url_variable="AWS_BEDROCK_BASE_URL",
            example_url="https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        ),
        "ollama": Provider("http://127.0.0.1:11434/v1", ("OLLAMA_API_KEY",), needs_key=False),
        "vllm": Provider("http://127.0.0.1:8000/v1", ("VLLM_API_KEY",), needs_key=False),
        "sglang": Provider("http://127.0.0.1:30000/v1", ("SGLANG_API_KEY",), needs_key=False),
        "llama.cpp": Provider("http://127.0.0.1:8080/v1", ("LLAMA_API_KEY",), needs_key=False),
        "lmstudio": Provider("http://127.0.0.1:1234/v1", ("LM_STUDIO_API_KEY",), needs_key=False),
        "litellm": Provider("http://127.0.0.1:4000/v1", ("LITELLM_PROXY_API_KEY",), needs_key=False),
    }
)

KEY_VARIABLES = tuple(name for provider in PROVIDERS.values() for name in provider.key_variables)

MODEL_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "anthropic": ("claude-",),
        "google": ("gemini-",),
        "mistral": ("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-"),
        "deepseek": ("deepseek-",),
        "xai": ("grok-",),
        "cohere": ("command-",),
    }
)
"""How the names of providers' own models begin, for those that no model of OpenAI's shares."""


def find_dialect(provider: str, base_url: str) -> Dialect:
    """Return the dialect in which an endpoint is spoken to at first.

    A name without a prefix means openai. If another server than OpenAI's serves it, nothing is known of that server.
    """
    is_elsewhere = provider == "openai" and "api.openai.com" not in base_url
    return GENERIC if is_elsewhere else PROVIDER_DIALECTS[provider].dialect
