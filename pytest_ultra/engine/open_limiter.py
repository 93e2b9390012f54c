"""Opening the limiter of a process: shared with other processes where the machine allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock
from pytest_ultra.engine.endpoint_limiter import PATIENCE_S, Gate
from pytest_ultra.engine.endpoint_pool import Pool
from pytest_ultra.engine.limiter import EndpointLimiter
from pytest_ultra.engine.limiter_state import Ledger
from pytest_ultra.engine.limits import START_IN_FLIGHT, Limits
from pytest_ultra.engine.token_estimate import TokenEstimate


def open_limiter(
    endpoints: Mapping[str, Sequence[str]],
    limits: Limits,
    *,
    folder: Path | None = None,
    clock: Clock = SYSTEM_CLOCK,
    patience_s: float = PATIENCE_S,
) -> tuple[EndpointLimiter, str | None]:
    """Return the limiter, and why it cannot be shared with other processes if so.

    `endpoints` gives each model the names of its endpoints, hashes over address and key. Processes whose clock is not
    the machine's own must not share: their times mean nothing to one another.
    """
    ledgers: dict[str, Ledger] = {}
    trouble: str | None = None
    for name in sorted({name for names in endpoints.values() for name in names}):
        ledgers[name], trouble = _open_ledger(name, folder)
        ledgers[name].begin(clock.now(), START_IN_FLIGHT)
    gates = {name: Gate(ledger, limits, clock, patience_s=patience_s) for name, ledger in ledgers.items()}
    estimate = None if limits.tpm is None else TokenEstimate()
    pools = {model: Pool(model, [gates[name] for name in names], clock) for model, names in endpoints.items()}
    return EndpointLimiter(pools, estimate), trouble


def _open_ledger(name: str, folder: Path | None) -> tuple[Ledger, str | None]:
    try:
        from pytest_ultra.engine.shared_limiter_state import SharedLedger, shared_folder  # noqa: PLC0415 - not on Windows

        return SharedLedger((folder or shared_folder()) / name), None
    except (ImportError, OSError) as error:
        return Ledger(), str(error)
