"""One word for one thing: words that were replaced do not come back, in code, docs or messages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[1]

EVERYWHERE = ("pytest_ultra", "docs", "README.md", "CONTRIBUTING.md", "examples", "benchmarks", "tests", "conftest.py")
TEXT = (".py", ".md", ".j2", ".js", ".css", ".toml", ".yml", ".ini", ".txt")


class Banned(msgspec.Struct, frozen=True):
    """A pattern, where it is banned, what to write instead, and the phrases in which the word means something else."""

    pattern: str
    instead: str
    where: tuple[str, ...] = EVERYWHERE
    fine: tuple[str, ...] = ()


BANNED = (
    Banned(
        r"\b(re)?lived?(_|\b)|\b(re)?living(_|\b)|\b(life|lives)(_|\b)",
        "run, episode",
        fine=(
            r"live[ _-]status",
            r"LiveStatus\w*",
            r"live (picture|terminal|display|region)s?",
            r"live-terminal",
            r"aria-live",
            r"living room",
        ),
    ),
    Banned(r"\bheirs?\b|is_heir|\binherit", "replacement", fine=(r"(font|color): inherit;",)),
    Banned(r"\bcrew\b|\bagenda\b", "EpisodePool, EpisodeQueue"),
    Banned(r"\bgates?\b|\bGate\b", "endpoint limiter", where=("pytest_ultra/engine", "tests/engine")),
    Banned(r"\.(enter|leave)\(|def (enter|leave)\(", "acquire, release"),
    Banned(r"\bmood\b|\bExperience\b|\bstrikes?\b", "adaptive limit, Observation, consecutive_429s"),
    Banned(r"\.learn\(|def _?learn\(", "observe", where=("pytest_ultra", "tests")),
    Banned(
        r"\bledgers?\b|Ledger\b|\bbury|\bburied|\bburial",
        "limiter state, reclaim_dead_slots",
        fine=(r'\("ledger", "fleet"',),
    ),
    Banned(r"\bpulse\b|stall[ _]?watch\b|StallWatch\b", "activity monitor, stall watchdog"),
    Banned(r"\bcurfew\b|\bstop ?watch\b|StopWatch\b|Stopwatch\b", "run deadline, stop signal"),
    Banned(r"by way of|\bAsking\b|\bclass Way\b|\bWay\(", "client stack"),
    Banned(
        r"\bTeller\b|\btell(s|ing)?\b|\btold\b|\b_?tell_\w+",
        "report, print, message",
        fine=(
            r"(tells whether it exists|tells nobody|any other error tells you)",
            r"tell[-_]tales?",
        ),  # prompts keep their version
    ),
    Banned(
        r"\bcourse\b|\bendings?\b|\bEnding\b",
        "lifecycle, run status",
        fine=(
            r"of course",
            r"agents-course/issues",
            r"line[ -]endings?",
            r"by their endings?",
            r"_ENDING",
            r"ENDING",
        ),
    ),
    Banned(r"\bbegun\b|\bBegun\b", "started cases, started", fine=(r'"begun-[^"]+\.txt"',)),
    Banned(r"\bfunds\b|\bFunds\b|\bAmounts\b|\bpurse\b", "budget", fine=(r"funds_\w+", r"refunds")),
    Banned(r"\bblot\w*|\bBlot\w*", "redact"),
    Banned(r"\bGivenUp\b|\bgiven_up\b|\bgave up on\b", "CallFailed"),
    Banned(r"\bTalk\b|\btalk\b", "Conversation"),
    Banned(
        r"\bcareful\b|\bset[ _]aside\b|SET_ASIDE",
        "quarantined",
        where=("pytest_ultra", "docs"),
        fine=(r"careful (reader|agent|look)",),
    ),
    Banned(
        r"\b_?[Bb]are[A-Z_]\w*|\bbare episodes?\b",
        "without transcripts",
        where=("pytest_ultra", "tests"),
        fine=("bare_json",),
    ),
    Banned(
        r"\bdepartures?\b|\bDeparture\b", "differences", fine=(r"departures? (time|airport|gate)", r"\"departures\"")
    ),
    Banned(r"\bcut[ -]off\b|\bCut[ -]off\b", "interrupted", fine=(r"cut off at \d+", r'"cut[ -]off"')),
    Banned(
        r"\bgone on with\b|\bgoes on with\b|\bwhoever\b|\bnobody is asked\b|\basks? nobody\b|\bwhom\b", "plain English"
    ),
    Banned(r"\bbears\b|\bturns? (it|them|the \w+) away\b|\bthereby\b|\bwherewith\b", "plain English"),
    Banned(
        r"\blikewise\b",
        "say it again in words, or leave it out",
        where=("pytest_ultra/options", "pytest_ultra/commands"),
    ),
)


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - git
    names = listed.stdout.split() if listed.returncode == 0 else []
    paths = [ROOT / name for name in names] or [path for name in EVERYWHERE for path in (ROOT / name).rglob("*")]
    return [path for path in paths if path.suffix in TEXT and path != Path(__file__) and path.is_file()]


def find_breaches(banned: Banned, text: str) -> list[str]:
    fine = [span for phrase in banned.fine for span in re.finditer(phrase, text)]
    return [
        f"{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}"
        for match in re.finditer(banned.pattern, text)
        if not any(span.start() <= match.start() and match.end() <= span.end() for span in fine)
    ]


@pytest.mark.parametrize("banned", BANNED, ids=lambda banned: banned.instead)
def test_a_replaced_word_does_not_come_back(banned: Banned) -> None:
    breaches = [
        f"{path.relative_to(ROOT)}:{found}"
        for path in tracked_files()
        if str(path.relative_to(ROOT)).startswith(banned.where)
        for found in find_breaches(banned, path.read_text(encoding="utf-8"))
    ]
    assert not breaches, f"write {banned.instead} instead:\n" + "\n".join(breaches[:200])


def test_the_check_finds_a_word_and_lets_its_other_sense_pass() -> None:
    banned = Banned(r"\bcourse\b", "lifecycle", fine=(r"of course",))
    assert find_breaches(banned, "of course\nthe course of a run") == ["2: 'course'"]
