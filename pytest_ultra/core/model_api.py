"""The protocols in which a model can be asked."""

from __future__ import annotations

from enum import StrEnum


class ModelApi(StrEnum):
    """A protocol of model endpoints; `auto` chooses the one that suits the provider."""

    AUTO = "auto"
    CHAT = "chat"  # OpenAI's chat completions, which most endpoints speak
    RESPONSES = "responses"  # OpenAI's
    MESSAGES = "messages"  # Anthropic's
    GEMINI = "gemini"  # Google's
