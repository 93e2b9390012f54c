"""The turns of an episode as the page of a case shows them, with their times, tokens and cost."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pytest_ultra.core.episode import Episode
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Attempted, Ended, Event, Replied
from pytest_ultra.reporting.html.event_view import make_event_views
from pytest_ultra.reporting.html.view_records import EventView, TurnView

_SAME_COST = 0.01
"""How far the costs of the turns may be from that of the episode, as a share of it."""


def make_turn_views(events: Iterable[Event], price: Price | None) -> tuple[TurnView, ...]:
    return tuple(_make_turn_views(events, price))


def price_of_turns(episode: Episode, price: Price | None) -> Price | None:
    """Return the price if it gives the recorded cost of the episode, so that costs of turns add up; else None."""
    cost = episode.usage.cost
    if price is None or not cost:
        return None
    replies = [event.reply for event in episode.transcript if isinstance(event, Replied)]
    return price if math.isclose(sum(map(price.cost_of, replies)), cost, rel_tol=_SAME_COST) else None


def _make_turn_views(events: Iterable[Event], price: Price | None) -> Iterator[TurnView]:
    for number, group in groupby(events, key=lambda event: 0 if isinstance(event, Ended) else event.turn):
        turn = list(group)
        views = tuple(view for event in turn for view in make_event_views(event))
        if views:
            yield _measure(TurnView(number, views, _marker(views)), turn, price)


def _measure(view: TurnView, turn: Sequence[Event], price: Price | None) -> TurnView:
    attempts = [event for event in turn if isinstance(event, Attempted)]
    replies = [event.reply for event in turn if isinstance(event, Replied)]
    tokens = (sum(r.prompt_tokens for r in replies), sum(r.completion_tokens for r in replies))
    return TurnView(
        view.number,
        view.events,
        view.marker,
        model_s=round(sum(attempt.duration_s for attempt in attempts), 3),
        wait_s=round(sum(attempt.wait_s for attempt in attempts), 3),
        retries=sum(attempt.problem is not None for attempt in attempts),
        tokens=tokens if any(tokens) else None,
        cost=None if price is None else float(f"{sum(map(price.cost_of, replies)):.3g}"),
    )


def _marker(views: Iterable[EventView]) -> str:
    calls = [(view.call, view.result) for view in views if view.call is not None]
    return hashlib.blake2b(repr(calls).encode(), digest_size=4).hexdigest() if calls else ""
