"""The limit on the open files of a process, connections included."""

from __future__ import annotations

from contextlib import suppress


def raise_file_limit(needed: int) -> int | None:
    """Raise the soft limit as far as needed, up to the hard limit; return it, None where there is no limit.

    Not further: some programs, which a test may start, try to close every file that they may have open.
    """
    soft, hard = _limits()
    if soft is None:
        return None
    if soft < needed:
        import resource  # noqa: PLC0415 - POSIX only

        raised = needed if hard is None else min(needed, hard)
        with suppress(ValueError, OSError):  # the system may allow less than its hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            return raised
    return soft


def hard_file_limit() -> int | None:
    """Return the hard limit, None where there is none."""
    return _limits()[1]


def _limits() -> tuple[int | None, int | None]:
    """Return the soft and the hard limit; None is no limit."""
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return None, None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    return None if soft == unlimited else soft, None if hard == unlimited else hard
