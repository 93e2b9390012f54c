"""The setting of a task: its business, its period, and the names of places, all from one distribution each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from random import Random

import msgspec

from pytest_ultra.benchmark.generator.business import BUSINESSES
from pytest_ultra.benchmark.generator.business.records import Business, Table, Team
from pytest_ultra.benchmark.generator.periods import Period, draw_period

FOLDERS = ("exports", "inbox", "data", "feeds", "drops", "shared")
SUBJECTS = ("Figures for", "Results for", "Your list for", "Data for")
CATALOGUE = "data catalogue"
DIRECTORY = "team directory"
DICTIONARY = "data dictionary"
POLICY = "reporting policy"


class Contact(msgspec.Struct, frozen=True):
    """A team with the places where it receives things; `moved_to` is the team that takes over its work on `moves_on`.

    `is_moved`: it has done so by the end of the period.
    """

    team: Team
    mailbox: str
    intake: str
    queue: str
    moved_to: str = ""
    moves_on: str = ""
    is_moved: bool = False

    def as_row(self) -> dict[str, str]:
        return {
            "team": self.team.name,
            "duty": self.team.duty,
            "mailbox": self.mailbox,
            "intake": self.intake,
            "queue": self.queue,
            "work_moves_to": self.moved_to,
            "from": self.moves_on,
        }


class Setting:
    """The business, period, folder and contacts of one task. Codes in names never recur within a task."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.business: Business = rng.choice(BUSINESSES)
        self.period: Period = draw_period(rng)
        self.folder: str = rng.choice(FOLDERS)
        self._codes = iter(rng.sample(range(102, 988), 120))
        self.contacts = [self._make_contact(team) for team in self.business.teams]
        self.free_contacts = list(self.contacts)
        self.sink_service = ""

    def move_work(self) -> None:
        """Let the work of a team move on from team to team, for the last time after the end of the period or not."""
        done, later = self._rng.randint(1, 2), self._rng.randint(0, 1)
        teams = self._rng.sample(self.contacts, done + later + 1)
        moves = {}
        day = self.period.first - dt.timedelta(days=self._rng.randint(90, 200))
        for number, (contact, other) in enumerate(pairwise(teams), start=1):
            if number > done:
                day = self.period.last + dt.timedelta(days=self._rng.randint(2, 30))
            moves[contact.team.name] = (other.team.name, day.isoformat(), number <= done)
            day += dt.timedelta(days=self._rng.randint(5, 40))
        self.contacts = [self._move(contact, moves) for contact in self.contacts]
        self.free_contacts = [contact for contact in self.contacts if not contact.is_moved]

    @staticmethod
    def _move(contact: Contact, moves: Mapping[str, tuple[str, str, bool]]) -> Contact:
        if contact.team.name not in moves:
            return contact
        moved_to, moves_on, is_moved = moves[contact.team.name]
        return msgspec.structs.replace(contact, moved_to=moved_to, moves_on=moves_on, is_moved=is_moved)

    def moved_to(self, contact: Contact) -> list[Contact]:
        """Return the teams whose work this one has by the end of the period, the one that had it first ahead."""
        before = next(
            (other for other in self.contacts if other.is_moved and other.moved_to == contact.team.name), None
        )
        return [*self.moved_to(before), before] if before else []

    def moves_later(self, contact: Contact) -> list[Contact]:
        """Return the team that takes over this one's work after the period, if any."""
        return [other for other in self.contacts if not contact.is_moved and other.team.name == contact.moved_to]

    def code(self) -> int:
        return next(self._codes)

    def path(self, table: Table, period: Period, kind: str) -> str:
        return f"{self.folder}/{period.code}/{table.name}_{self.code()}.{kind}"

    def url(self, table: Table, period: Period) -> str:
        return f"https://{self.business.host}.example/{period.code}/{table.name}/{self.code()}"

    def _make_contact(self, team: Team) -> Contact:
        host = self.business.host
        stem = self._rng.choice(self.business.destinations["sink"])
        lane = self._rng.choice(self.business.destinations["queue"])
        return Contact(
            team,
            f"{team.mailbox}@{host}.example",
            f"https://{host}.example/{stem}/{self.code()}",
            f"{team.name}-{lane}-{self.code()}",
        )
