"""The lines of a TOML document: `tomllib` reads the values, and says of none where it stands."""

from __future__ import annotations

import re
from collections import defaultdict

Place = tuple[str | int, ...]
"""The keys on the way to a value; members of arrays are counted from 0."""

_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([\w-]+))[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}\n#]*")


def find_lines(text: str) -> dict[Place, int]:
    """Return the line, counted from 1, of each key, table and member of an array in a document that `tomllib` reads."""
    return _LineFinder(text).find()


class _LineFinder:
    """Reads a document from its start to its end; as it is known to be valid, most of its rules are not checked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Place, int] = {}
        self._members: defaultdict[Place, int] = defaultdict(int)

    def find(self) -> dict[Place, int]:
        table: Place = ()
        self._skip_blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._read_header()
            else:
                self._read_pair(table)
            self._skip_blank()
        return self._lines

    def _read_header(self) -> Place:
        is_array = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 2 if is_array else 1
        place = self._enter(self._read_keys(), line)
        self._at = self._text.index("]", self._at) + (2 if is_array else 1)
        if is_array:
            self._members[place] += 1
            place = (*place, self._members[place] - 1)
        self._note(place, line)
        return place

    def _enter(self, keys: list[str], line: int) -> Place:
        """Return the place that a header names: an array of tables on the way stands for its newest member."""
        place: Place = ()
        for number, key in enumerate(keys, start=1):
            place = (*place, key)
            self._note(place, line)
            if number < len(keys) and self._members[place]:
                place = (*place, self._members[place] - 1)
        return place

    def _read_pair(self, table: Place) -> None:
        line = self._line()
        place = table
        for key in self._read_keys():
            place = (*place, key)
            self._note(place, line)
        self._at = self._text.index("=", self._at) + 1
        self._skip_blank()
        self._read_value(place)

    def _read_keys(self) -> list[str]:
        keys = []
        while match := _KEY.match(self._text, self._at):
            keys.append(next(group for group in match.groups() if group is not None))
            self._at = match.end()
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return keys

    def _read_value(self, place: Place) -> None:
        first = self._text[self._at]
        if first == "[":
            self._read_members(place)
        elif first == "{":
            self._at += 1
            self._skip_blank()
            while self._text[self._at] != "}":
                self._read_pair(place)
                self._skip_blank()
            self._at += 1
        else:
            match = (_STRING if first in "\"'" else _PLAIN).match(self._text, self._at)
            self._at = match.end() if match else len(self._text)

    def _read_members(self, place: Place) -> None:
        self._at += 1
        self._skip_blank()
        number = 0
        while self._text[self._at] != "]":
            self._note((*place, number), self._line())
            self._read_value((*place, number))
            self._skip_blank()
            number += 1
        self._at += 1

    def _skip_blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _note(self, place: Place, line: int) -> None:
        self._lines.setdefault(place, line)

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
