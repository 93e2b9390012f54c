"""Errors of this machine, whatever endpoint a request is for, and what to do about them."""

from __future__ import annotations

import errno

MACHINE_ADVICE = {
    errno.EMFILE: "this process has no open files left: raise `ulimit -n`, or lower --ultra-concurrency",
    errno.ENFILE: "this machine has no open files left: lower --ultra-concurrency, or the number of workers",
    errno.EADDRNOTAVAIL: "this machine has no ports left: lower --ultra-concurrency, or the number of workers",
    errno.ENOMEM: "this machine has no memory left: lower --ultra-concurrency, or the number of workers",
    errno.ENOBUFS: "this machine has no network buffers left: lower --ultra-concurrency, or the number of workers",
}


def find_machine_advice(error: BaseException | None) -> str | None:
    """Return the advice for the first error of this machine among an error's causes, None if there is none."""
    while error is not None:
        number = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", None)
        if number in MACHINE_ADVICE:
            return MACHINE_ADVICE[number]
        error = error.__cause__ or error.__context__
    return None
