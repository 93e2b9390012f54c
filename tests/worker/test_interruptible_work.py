"""Another thread can interrupt the main thread's work, and nothing but that work."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from pytest_ultra.worker.interruptible_work import InterruptibleWork


def test_work_in_progress_is_interrupted_and_none_begins_later() -> None:
    work = InterruptibleWork()
    interrupter = threading.Timer(0.05, work.interrupt)
    with pytest.raises(KeyboardInterrupt), work, work:  # noqa: PT012 - the interrupt must come inside the block
        interrupter.start()
        time.sleep(60)
    interrupter.join()
    work.interrupt()
    with pytest.raises(KeyboardInterrupt), work:
        pytest.fail("it began")


def test_an_interrupt_outside_of_the_work_interrupts_nothing() -> None:
    work = InterruptibleWork()
    with work:
        pass
    work.interrupt()
    time.sleep(0.05)


def test_a_signal_that_arrives_late_does_not_reach_the_code_after_the_work() -> None:
    def let_it_arrive() -> None:
        time.sleep(0.1)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])

    work = InterruptibleWork()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # also in the threads that are started here
    arrival, interrupter = threading.Thread(target=let_it_arrive), threading.Thread(target=work.interrupt)
    arrival.start()
    try:
        with pytest.raises(KeyboardInterrupt), work:  # noqa: PT012 - the interrupt must come inside the block
            interrupter.start()
            interrupter.join()
    finally:
        arrival.join()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
