"""The options of the gates that judge a run."""

from __future__ import annotations

from pytest_ultra.core.groups import GateOn
from pytest_ultra.options.option import Option, listed

GATES = (
    Option(
        "fail_under",
        None,
        "[GROUP=]RATE",
        "Fail the run if the success rate (`full` / scored) of all cases, or of a group, is shown to be below this; "
        "repeatable, one per line in the ini file",
    ),
    Option(
        "max_drop",
        None,
        "[GROUP=]RATE",
        "Fail the run if any flaw, or one of a group, is shown to cost more success than this against `optimal` on the "
        "same tasks; repeatable, one per line in the ini file",
    ),
    Option(
        "gate_on",
        "evidence",
        "NAME",
        f"How gates are judged: {listed(GateOn)}. `evidence` says missed or met if the cases show it, else "
        "undecided; `rate` compares the measured figure alone; with `bound`, what is undecided is missed",
    ),
    Option(
        "undecided",
        "pass",
        "pass|fail",
        "Whether a gate that the cases do not decide passes or fails the run; it is printed either way",
    ),
    Option(
        "compare",
        None,
        "RUN|FILE",
        "Compare with an earlier run (id, directory, `latest`) or a baseline file, and fail on a regression",
    ),
    Option(
        "max_regression",
        None,
        "[GROUP=]RATE",
        "How much success may be lost against `--ultra-compare` (default: no more than chance explains); repeatable, "
        "one per line in the ini file",
    ),
    Option(
        "max_errors",
        "0",
        "N",
        "Episodes that may end in an infrastructure error without failing the run",
    ),
)
