"""Rows of the table of verdicts: quotas, rate limits and overload."""

from __future__ import annotations

from pytest_ultra.errors import Verdict
from pytest_ultra.providers.verdict_row import VerdictRow

_OVERFLOW_SOURCE = "https://github.com/earendil-works/pi/blob/17c253c5d6a9364b392a0fd3ee68333026d94255/packages/ai/src/utils/overflow.ts"
_LITELLM = "https://pypi.org/project/litellm/1.110.2/"
_OPENAI_QUOTA = "https://learn.microsoft.com/en-us/microsoft-cloud/dev/dev-proxy/concepts/openai-insufficient-quota"
_ANTHROPIC = "https://docs.claude.com/en/api/errors"

LIMIT_ROWS: tuple[VerdictRow, ...] = (
    # Waits that look like something else, and limits on which waiting is of no use.
    VerdictRow(
        "bedrock: tokens of a day",
        Verdict.MODEL_END,
        "https://github.com/Ivy-Interactive/Ivy-Tendril/issues/1756",
        "too many tokens per day",
    ),
    VerdictRow(
        "bedrock: throttling",
        Verdict.WAIT,
        "https://github.com/anthropics/claude-code/issues/1466",
        "too many tokens, please wait",
    ),
    VerdictRow(
        "a request beyond the rate limit",
        Verdict.CASE_ERROR,
        "https://github.com/vanderschaarlab/climb/issues/1",
        r"request too large for .*\b(tpm|tokens per min)",
    ),
    VerdictRow(
        "openrouter: budget in flight",
        Verdict.WAIT,
        "https://openrouter.ai/docs/projects/docs/api_reference/errors-and-debugging",
        codes=("openrouter_in_flight_budget",),
    ),
    # Quotas and credit that are used up, whatever the status.
    VerdictRow(
        "openai: quota",
        Verdict.MODEL_END,
        "https://github.com/mattvr/ShellGPT/issues/23",
        codes=("insufficient_quota",),
    ),
    VerdictRow(
        "openai: spend limits",
        Verdict.MODEL_END,
        _OPENAI_QUOTA,
        codes=(
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
        ),
    ),
    VerdictRow(
        "anthropic: credit",
        Verdict.MODEL_END,
        "https://github.com/anthropics/claude-code/issues/66314",
        "credit balance is too low",
    ),
    VerdictRow(
        "anthropic: billing",
        Verdict.MODEL_END,
        "https://pypi.org/project/anthropic/2.14.0/",
        codes=("billing_error", "enforced_spend_limit_reached", "contract_spend_limit_reached"),
    ),
    VerdictRow(
        "google: quota of a day", Verdict.MODEL_END, "https://github.com/google-gemini/gemini-cli/issues/8437", "PerDay"
    ),
    VerdictRow(
        "google: quota of a minute",
        Verdict.WAIT,
        "https://github.com/google-gemini/gemini-cli/issues/8437",
        codes=("RESOURCE_EXHAUSTED",),
        statuses=(429,),
    ),
    VerdictRow(
        "quota in words alone",
        Verdict.MODEL_END,
        "https://docs.llmgateway.io/troubleshooting/openai-429-rate-limit",
        "exceeded your current quota, please check your plan",
    ),
    VerdictRow(
        "xai: credits",
        Verdict.MODEL_END,
        "https://github.com/continuedev/continue/issues/10373",
        "used all available credits or reached its monthly spending limit",
    ),
    VerdictRow(
        "together: credit limit",
        Verdict.MODEL_END,
        "https://github.com/expectedparrot/edsl/issues/2098",
        "credit_limit|credit limit exceeded",
    ),
    VerdictRow(
        "fireworks: suspended",
        Verdict.MODEL_END,
        "https://github.com/pollinations/pollinations/issues/12136",
        "account .* is suspended",
    ),
    VerdictRow(
        "huggingface: credits of a month",
        Verdict.MODEL_END,
        "https://github.com/huggingface/agents-course/issues/386",
        "exceeded your monthly included credits",
    ),
    VerdictRow(
        "litellm: budget",
        Verdict.MODEL_END,
        "https://github.com/BerriAI/litellm/issues/22726",
        "budget_exceeded|budget has been exceeded|ExceededBudget",
    ),
    VerdictRow(
        "payment required", Verdict.MODEL_END, "https://api-docs.deepseek.com/quick_start/error_codes", statuses=(402,)
    ),
    # Rate limits and overload: the same request later.
    VerdictRow(
        "openai, groq: rate limit",
        Verdict.WAIT,
        "https://github.com/openai/openai-dotnet/issues/404",
        codes=("rate_limit_exceeded",),
        statuses=(429,),
    ),
    VerdictRow("openai: slow down", Verdict.WAIT, _OPENAI_QUOTA, codes=("slow_down",)),
    VerdictRow(
        "azure: rate limit",
        Verdict.WAIT,
        "https://github.com/dyad-sh/dyad/issues/1849",
        "exceeded (the )?(token )?rate limit|rate limit is exceeded",
        statuses=(429,),
    ),
    VerdictRow("anthropic: rate limit", Verdict.WAIT, _ANTHROPIC, codes=("rate_limit_error",)),
    VerdictRow(
        "anthropic: growth", Verdict.WAIT, "https://pypi.org/project/anthropic/2.14.0/", codes=("ramp_limit_exceeded",)
    ),
    VerdictRow(
        "openrouter: upstream rate limit",
        Verdict.WAIT,
        "https://github.com/open-webui/computer/issues/293",
        "temporarily rate-limited upstream",
    ),
    VerdictRow("mistral: capacity", Verdict.WAIT, _LITELLM, "service tier capacity exceeded", statuses=(429,)),
    VerdictRow("throttling", Verdict.WAIT, _OVERFLOW_SOURCE, "ThrottlingException|too many requests", statuses=(429,)),
    VerdictRow("anthropic: overloaded", Verdict.RETRY, _ANTHROPIC, codes=("overloaded_error",)),
    VerdictRow(
        "groq: capacity", Verdict.RETRY, "https://console.groq.com/docs/flex-processing", codes=("capacity_exceeded",)
    ),
    VerdictRow(
        "groq: capacity by status", Verdict.RETRY, "https://console.groq.com/docs/flex-processing", statuses=(498,)
    ),
    VerdictRow(
        "groq: failed dependency",
        Verdict.RETRY,
        "https://www.developersdigest.tech/errors/api/groq-api",
        statuses=(424,),
    ),
)
