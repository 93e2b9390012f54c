"""The contents of a run's report, read from its directory, and the files that the report is written to."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.analysis.group_members import members
from pytest_ultra.collection.run_suite import SUITE, open_guidance_cache
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode
from pytest_ultra.core.figures import Comparison, Summary
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.groups import FLAWED
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.paired_evidence import Contrast
from pytest_ultra.core.prices import PRICES, Price
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.option import Option
from pytest_ultra.options.option_parsers import parse
from pytest_ultra.options.option_table import OPTIONS
from pytest_ultra.reporting.html.html_report import make_report, parts_folder_name
from pytest_ultra.reporting.html.report_data import EarlierRun, ReportContents
from pytest_ultra.reporting.html.run_facts import RunFacts
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.results import interruption_of
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import read_run_end
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from pytest_ultra.storage.stored_files import check_no_link

NAME = "report.html"
"""The report's name in the run's directory."""


def write_report(path: Path, contents: ReportContents) -> None:
    """Write the report at `path`; what does not fit on one page goes into a folder beside it, written first."""
    folder = path.with_name(parts_folder_name(path.name))
    check_no_link(folder)
    written = set[Path]()
    for page in make_report(contents, path.name):
        target = path if page.name is None else path.parent / page.name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, page.content, is_durable=False)
        written.add(target)
    for old in folder.glob("part-*.html"):  # left by a larger report at the same path
        if old not in written:
            old.unlink()


def contents_of(
    run: RunDirectory,
    summary: Summary,
    episodes: Sequence[Episode],
    *,
    read: Callable[[Episode], Episode],
    ended_at: float | None = None,
) -> ReportContents:
    """Return the contents of a run's report; `read` returns an episode with its transcript."""
    cache = open_guidance_cache(run)

    def load(episode: Episode) -> tuple[Episode, AnyGuidance | None, GoalReport | None]:
        whole, guidance = read(episode), _find_guidance(cache, episode)
        return whole, guidance, None if guidance is None else SUITE.check_goal(guidance, whole.transcript)

    return ReportContents(
        describe_run(run, ended_at=ended_at),
        summary,
        episodes,
        load,
        tuple(_compare(episodes)),
        _find_prices(run, {episode.case.agent_model or episode.case.model for episode in episodes}),
    )


def stored_contents(run: RunDirectory, stored: SlimEpisodes | None = None) -> ReportContents:
    """Return the contents of a stored run's report; transcripts stay on disk until a page needs them.

    `stored` are its episodes, if they have been read.
    """
    from pytest_ultra.analysis.summary import summarize  # noqa: PLC0415 - NumPy is slow to import

    stored = SlimEpisodes(run) if stored is None else stored
    return contents_of(run, summarize(stored.episodes, run.tested_models), stored.episodes, read=stored.read)


def with_earlier(contents: ReportContents, earlier: ReportContents) -> ReportContents:
    """Return the contents of a report that compares a run with an earlier one.

    Raises ConfigurationError if both are the same run.
    """
    from pytest_ultra.analysis.run_comparison import compare_runs  # noqa: PLC0415 - NumPy is slow to import

    names = contents.facts.run_id, earlier.facts.run_id
    if len(set(names)) == 1:
        raise ConfigurationError(f"both runs are {names[0]}; name two runs to compare them")
    comparison = compare_runs(contents.episodes, earlier.episodes, names)
    return msgspec.structs.replace(contents, earlier=EarlierRun(earlier, comparison))


def _find_prices(run: RunDirectory, models: Iterable[str]) -> dict[str, Price]:
    """Return the prices that the run was given, else list prices; only those that give its costs are used."""
    given: Mapping[str, Mapping[str, float]] = run.describe().get("options", {}).get("price") or {}
    found: dict[str, Price] = {}
    for model in models:
        listed = PRICES.get(model if "/" in model else f"openai/{model}")
        price = Price(given[model]["prompt"], given[model]["completion"]) if model in given else listed
        found |= {} if price is None else {model: price}
    return found


def describe_run(run: RunDirectory, *, ended_at: float | None = None) -> RunFacts:
    described, run_end = run.describe(), read_run_end(run)
    started = datetime.fromisoformat(described["started_at"])
    end = run_end.ended_at if run_end else ended_at
    options: Mapping[str, Any] = described.get("options", {})
    return RunFacts(
        run_id=run.run_id,
        started=started.astimezone(UTC),
        duration_s=None if end is None else max(end - started.timestamp(), 0.0),
        command=_command(described.get("command")),
        made_by=described.get("pytest_ultra"),
        python=described.get("python"),
        project=_commit(described.get("git")),
        seed=options.get("seed"),
        options=tuple(_changed_options(options)),
        exit_status=run_end.exit_status if run_end else None,
        interruption=interruption_of(run),
    )


def _command(args: Sequence[str] | None) -> str | None:
    return None if args is None else shlex.join(["pytest", *args])


def _commit(git: Mapping[str, Any] | None) -> str | None:
    if git is None:
        return None
    return f"{git['commit'][:12]}{', with changes' if git.get('is_dirty') else ''}"


def _changed_options(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the options that were not at their defaults, and their values."""
    for option in OPTIONS:
        value = options.get("least_outcome" if option.name == "pass" else option.name)
        if value not in (None, False, [], {}) and not _is_default(option, value):
            yield option.flag, _show(value)


def _is_default(option: Option, value: Any) -> bool:
    if option.default is None:
        return False
    default = msgspec.to_builtins(parse(option, [option.default]), enc_hook=str)
    return bool(default == value or str(value).endswith(f"/{option.default}"))


def _show(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _find_guidance(cache: GuidanceCache, episode: Episode) -> AnyGuidance | None:
    try:
        return cache.get(episode.case)
    except (LookupError, ConfigurationError, OSError):
        return None


def _compare(episodes: Sequence[Episode]) -> Iterator[Comparison]:
    """Compare, for each model, all its flawed cases with their controls."""
    from pytest_ultra.analysis.paired_difference import compare  # noqa: PLC0415 - only the end of a run needs it

    controls = members(episodes, PromptType.OPTIMAL)
    flawed = members(episodes, FLAWED)
    for model in dict.fromkeys(episode.case.model for episode in flawed):
        sample = [episode for episode in flawed if episode.case.model == model]
        yield Comparison(model, None, None, compare(sample, controls, Contrast.PROMPT_TYPE))
