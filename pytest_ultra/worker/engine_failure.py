"""What the tests of a process get once an error has ended its engine: the cause once, then a line each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType

import pluggy
import pytest

from pytest_ultra.core.episode import Episode
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.engine.episode_queue import Assignment
from pytest_ultra.errors import UltraError
from pytest_ultra.providers.redaction import Redact
from pytest_ultra.reporting.text import excerpt
from pytest_ultra.storage.journal import JournalError
from pytest_ultra.storage.json_document import broken_episode
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import note_interruption

_CHARACTERS = 400
_OURS = (Path(__file__).parents[1], *(Path(str(package.__file__)).parent for package in (asyncio, pluggy)))
"""What calls the user's code in the engine's thread."""


class EngineFailure:
    """Turns the error that ended an engine into errors of the harness, one for each case that was not finished."""

    def __init__(self, run: RunDirectory, worker: str, redact: Redact) -> None:
        self._run = run
        self._worker = worker
        self._redact = redact
        self._reason: str | None = None
        self._is_raised = False

    def make_episode(self, assignment: Assignment, cause: BaseException) -> Episode:
        """Return the episode of a case, and note that the run is interrupted. Raise a cause that is an end in itself.

        A hook of the user may end the session by `pytest.exit`, or skip all cases by `pytest.skip`.
        """
        if isinstance(cause, KeyboardInterrupt | pytest.exit.Exception | JournalError):
            raise cause
        if isinstance(cause, pytest.skip.Exception):
            raise pytest.skip.Exception(str(cause))
        if self._reason is None:
            self._reason = self._describe(cause)
            note_interruption(self._run, f"{self._worker} could not run its episodes ({self._reason})")
        return broken_episode(assignment.case, assignment.nodeid, self._reason, at=SYSTEM_CLOCK.time())

    def raise_once(self, cause: BaseException) -> None:
        """Raise the cause in the first test alone, with its traceback from the user's code on.

        An error of ours that has a message for the user needs no traceback.
        Call it outside of any exception handler: pytest would show the handled exception too.
        """
        __tracebackhide__ = True
        if not self._is_raised and not isinstance(cause, UltraError):
            self._is_raised = True
            raise cause.with_traceback(_users_part(cause.__traceback__) or cause.__traceback__)

    def _describe(self, cause: BaseException) -> str:
        """Return the error in one line, with the place in the user's code where it arose."""
        is_plain = isinstance(cause, UltraError | pytest.fail.Exception)
        text = str(cause) if is_plain else f"{type(cause).__name__}: {cause}"
        called = _users_part(cause.__traceback__)
        place = f" ({Path(called.tb_frame.f_code.co_filename).name}:{called.tb_lineno})" if called else ""
        return self.clear(text) + place

    def clear(self, text: str) -> str:
        """Return the text of an error as it may be stored and shown: one line of bounded length, without secrets."""
        return excerpt(self._redact(" ".join(text.split())), _CHARACTERS)


def _users_part(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first frame of the user's code on, None if there is none."""
    while traceback is not None and _is_ours(Path(traceback.tb_frame.f_code.co_filename)):
        traceback = traceback.tb_next
    return traceback


def _is_ours(file: Path) -> bool:
    return any(file.is_relative_to(folder) for folder in _OURS)
