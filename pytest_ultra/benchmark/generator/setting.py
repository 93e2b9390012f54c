"""The setting of a task: its business, its period, and the names of places, all from one distribution each."""

from __future__ import annotations

from random import Random

import msgspec

from pytest_ultra.benchmark.generator.business import BUSINESSES
from pytest_ultra.benchmark.generator.business.records import Business, Table, Team
from pytest_ultra.benchmark.generator.periods import Period, draw_period

FOLDERS = ("exports", "inbox", "data", "feeds", "drops", "shared")
CATALOGUE = "data catalogue"
DIRECTORY = "team directory"
DICTIONARY = "data dictionary"
POLICY = "reporting policy"


class Contact(msgspec.Struct, frozen=True):
    """A team with the places where it receives things; `moved_to` is the team that has taken over its work."""

    team: Team
    mailbox: str
    intake: str
    queue: str
    moved_to: str = ""

    def as_row(self) -> dict[str, str]:
        return {
            "team": self.team.name,
            "duty": self.team.duty,
            "mailbox": self.mailbox,
            "intake": self.intake,
            "queue": self.queue,
            "work_moved_to": self.moved_to,
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
        """Let the work of one team move to a second one, and from there to a third."""
        first, second, third = self._rng.sample(self.contacts, 3)
        moved = {first.team.name: second.team.name, second.team.name: third.team.name}
        self.contacts = [
            msgspec.structs.replace(contact, moved_to=moved.get(contact.team.name, "")) for contact in self.contacts
        ]
        self.free_contacts = [contact for contact in self.contacts if not contact.moved_to]

    def moved_to(self, contact: Contact) -> list[Contact]:
        """Return the teams whose work has moved to this one, the one from which it came first ahead."""
        before = next((other for other in self.contacts if other.moved_to == contact.team.name), None)
        return [*self.moved_to(before), before] if before else []

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
