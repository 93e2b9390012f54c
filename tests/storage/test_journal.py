"""Journals: encode and decode, damaged lines, the newest episode of a case."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.case import Case
from pytest_ultra.core.episode import Episode, FailureClass, Outcome, Score, Usage
from pytest_ultra.core.transcript import Answered, Attempted, Ended, Replied, Reply, ToolCall, ToolResult
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.episode_index import index_episodes, newest_episodes
from pytest_ultra.storage.journal import Journal, JournalContents, decode_line, encode_line, journal_path, read_episodes
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from tests.results_factory import make_case, make_episode, obedient_episode

HERE = Path("journal-gw0.jsonl")


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, {}, started_at=0.0)


def write(run: RunDirectory, worker: str, episodes: Sequence[Episode]) -> None:
    journal = Journal(run, worker)
    for episode in episodes:
        journal.append(episode)
    journal.close()


def run_script(run: RunDirectory, script: str) -> int:
    """Run a script in a separate process, with the run's `journal` open; return the exit code."""
    head = """
import sys
from pathlib import Path
from pytest_ultra.storage.journal import Journal
from pytest_ultra.storage.run_directory import RunDirectory
from tests.results_factory import make_case, make_episode
journal = Journal(RunDirectory.open(Path(sys.argv[1])), "gw0")
"""
    command = [sys.executable, "-c", head + script, str(run.path)]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode  # noqa: S603 - our own script


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.floats(-1e15, 1e15)
counts = st.integers(0, 2**40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
calls = st.builds(ToolCall, text, text, text)
results = st.builds(ToolResult, st.none() | text, json_values, st.none() | text, text, st.booleans())
events = st.one_of(
    st.builds(Attempted, counts, amounts, st.none() | text, st.none() | counts, text, amounts),
    st.builds(Replied, counts, st.builds(Reply, text, st.lists(calls, max_size=2).map(tuple), counts, counts, text)),
    st.builds(Answered, counts, calls, st.none() | st.dictionaries(text, json_values, max_size=3), results),
    st.builds(Ended),
)
cases = st.builds(
    Case, model=text, tool_success_rate=numbers, instance=counts, repeat=counts, seed=counts,
    max_turns=counts, timeout_s=st.none() | numbers, temperature=st.none() | numbers,
)  # fmt: skip
scores = st.builds(
    Score, milestone_coverage=amounts, tool_calls=counts, efficiency=st.none() | amounts, obedience=st.none() | amounts,
    first_divergence=st.none() | counts, failure_class=st.none() | st.sampled_from(FailureClass),
)  # fmt: skip
usages = st.builds(Usage, requests=counts, model_time_s=amounts)
episodes = st.builds(
    Episode, cases, text, scores, usages, text, st.floats(0, 2e11), amounts, error=st.none() | text, plan=text,
    transcript=st.lists(events, max_size=4).map(tuple),
)  # fmt: skip


@given(episode=episodes, sequence=counts)
@settings(max_examples=150, deadline=None)
def test_an_episode_is_equal_after_a_round_trip(episode: Episode, sequence: int) -> None:
    content = encode_line(episode, sequence)
    assert content.count(b"\n") == 1
    line = decode_line(content, HERE)
    assert line is not None
    assert (line.episode, line.sequence, line.case_id) == (episode, sequence, episode.case.case_id)


@given(episode=episodes, data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_truncated_line_is_never_an_episode(episode: Episode, data: st.DataObject) -> None:
    content = encode_line(episode, 0)
    end = data.draw(st.integers(0, len(content) - 2))
    assert decode_line(content[:end], HERE) is None


def test_half_a_surrogate_pair_does_not_lose_the_episode() -> None:
    episode = make_episode(transcript=(Replied(1, Reply("broken \ud83d emoji")),), plan="1. é")
    line = decode_line(encode_line(episode, 0), HERE)
    assert line is not None
    assert line.episode.transcript == (Replied(1, Reply("broken ��� emoji")),)
    assert line.episode.plan == "1. é"


def test_an_episode_that_is_nested_too_deeply_keeps_its_score() -> None:
    value: object = 0
    for _ in range(1_000_000):
        value = [value]
    answered = Answered(1, ToolCall("a", "b", "{}"), {"deep": value}, ToolResult())
    line = decode_line(encode_line(make_episode(transcript=(answered,)), 0), HERE)
    assert line is not None
    assert line.episode == make_episode()


def test_a_finished_episode_is_on_disk_before_append_returns(run: RunDirectory) -> None:
    journal = Journal(run, "gw0")
    journal.append(obedient_episode())
    assert read_episodes(run) == JournalContents((obedient_episode(),))
    journal.close()
    journal.close()


def test_a_killed_worker_loses_nothing(run: RunDirectory) -> None:
    code = run_script(
        run,
        """
import os, signal
for instance in range(50):
    journal.append(make_episode(make_case(instance=instance)))
os.kill(os.getpid(), signal.SIGKILL)
""",
    )
    assert code == -signal.SIGKILL
    contents = read_episodes(run)
    assert sorted(episode.case.instance for episode in contents.episodes) == list(range(50))
    assert contents.damaged == ()


def test_a_truncated_last_line_is_skipped_and_reported(run: RunDirectory) -> None:
    write(run, "gw0", [make_episode()])
    path = run.path / "journal-gw0.jsonl"
    with path.open("ab") as file:
        file.write(b'{"schema_version":1,"seq')
    contents = read_episodes(run)
    assert contents.episodes == (make_episode(),)
    (damaged,) = contents.damaged
    assert (damaged.path, damaged.line, damaged.content) == (path, 2, b'{"schema_version":1,"seq')
    assert str(damaged) == "journal-gw0.jsonl, line 2: 24 bytes cannot be read and were skipped"


def test_a_journal_continues_after_a_damaged_line(run: RunDirectory) -> None:
    (run.path / "journal-gw0.jsonl").write_bytes(b'{"partial')
    write(run, "gw0", [make_episode()])
    contents = read_episodes(run)
    assert contents.episodes == (make_episode(),)
    assert [damaged.content for damaged in contents.damaged] == [b'{"partial\n']


def test_a_journal_that_is_opened_again_is_appended_to(run: RunDirectory) -> None:
    first, second = make_episode(), make_episode(make_case(PromptType.BASELINE))
    write(run, "gw0", [first])
    write(run, "gw0", [second])
    contents = read_episodes(run)
    assert (set(contents.episodes), contents.damaged) == ({first, second}, ())


def test_a_line_of_a_newer_schema_is_rejected_with_a_remedy(run: RunDirectory) -> None:
    path = run.path / "journal-gw0.jsonl"
    path.write_text(json.dumps({"schema_version": 2, "episodes": "otherwise"}) + "\n")
    message = (
        r"journal-gw0.jsonl' was written by a newer pytest-ultra \(schema 2, this one reads up to 1\); "
        r"upgrade pytest-ultra, or name another directory with --ultra-dir$"
    )
    with pytest.raises(ConfigurationError, match=message):
        read_episodes(run)


def test_a_line_of_a_newer_schema_is_rejected_even_if_it_can_be_decoded(run: RunDirectory) -> None:
    line = msgspec.json.decode(encode_line(make_episode(), 0)) | {"schema_version": 2}
    (run.path / "journal-gw0.jsonl").write_bytes(msgspec.json.encode(line) + b"\n")
    with pytest.raises(ConfigurationError, match="schema 2"):
        read_episodes(run)


def test_the_newest_episode_of_a_case_counts_whichever_worker_ran_it(run: RunDirectory) -> None:
    old, new = make_episode(outcome=Outcome.ERROR), make_episode(started_at=1_700_000_009.0)
    write(run, "gw5", [old])
    write(run, "gw0", [new])
    assert read_episodes(run).episodes == (new,)
    newest = make_episode(started_at=1_700_000_010.0, worker="gw5")
    write(run, "gw5", [newest])
    assert read_episodes(run).episodes == (newest,)


def test_a_damaged_id_makes_no_second_episode_of_a_case(run: RunDirectory) -> None:
    older, newer = make_episode(), make_episode(started_at=1_700_000_010.0)
    write(run, "gw0", [older])
    path = journal_path(run, "gw0")
    path.write_bytes(path.read_bytes().replace(older.case_id.encode(), b"0" * len(older.case_id)))
    write(run, "gw1", [newer])
    assert read_episodes(run).episodes == (newer,)


def test_the_newest_episode_counts_at_any_position_in_its_journal(run: RunDirectory) -> None:
    new = make_episode(started_at=1_700_000_009.0)
    write(run, "gw0", [make_episode(make_case(instance=1)), make_episode(outcome=Outcome.ERROR)])
    write(run, "gw1", [new])
    assert new in read_episodes(run).episodes


def test_of_episodes_with_the_same_start_the_later_line_counts(run: RunDirectory) -> None:
    write(run, "gw0", [make_episode(outcome=Outcome.ERROR), make_episode()])
    assert [episode.outcome for episode in read_episodes(run).episodes] == [Outcome.FULL]


def test_a_clock_that_is_set_back_makes_no_episode_older_than_the_one_that_it_replaces(run: RunDirectory) -> None:
    """The second was written by another process of the same worker."""
    write(run, "gw0", [make_episode(make_case(instance=1)), make_episode(outcome=Outcome.ERROR)])
    newer = make_episode(started_at=10.0)
    write(run, "gw0", [newer])
    assert newer in read_episodes(run).episodes
    assert newer in SlimEpisodes(run).found
    assert newest_episodes(index_episodes(run))[newer.case_id].read() == newer


def test_the_order_of_episodes_does_not_depend_on_workers_or_time(tmp_path: Path) -> None:
    episodes = [make_episode(make_case(prompt_type, instance=n)) for n in range(3) for prompt_type in PromptType]
    one = RunDirectory.create(tmp_path, {}, started_at=0.0)
    other = RunDirectory.create(tmp_path, {}, started_at=1.0)
    write(one, "main", episodes)
    write(other, "gw1", episodes[::-2])
    write(other, "gw0", episodes[-2::-2])
    assert read_episodes(one).episodes == read_episodes(other).episodes
    assert len(read_episodes(one).episodes) == len(episodes)


def test_a_line_truncated_by_a_full_disk_does_not_damage_the_next(run: RunDirectory) -> None:
    run_script(
        run,
        """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal.append(make_episode())
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 100, most))
try:
    journal.append(make_episode(make_case(instance=1)))
except OSError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    journal.append(make_episode(make_case(instance=2)))
""",
    )
    contents = read_episodes(run)
    assert [episode.case.instance for episode in contents.episodes] == [0, 2]
    assert [(damaged.line, len(damaged.content)) for damaged in contents.damaged] == [(2, 101)]
