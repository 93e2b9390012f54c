"""The folder of cassettes: a file per case, grouped by model, task type and difficulty."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.storage.cassettes.cassette import Cassette, decode_cassette, encode_cassette
from pytest_ultra.storage.files import write_atomically

_MAX_CHARS = 60
_IN_PATH = ("model", "task_type", "difficulty", "prompt_type", "severity")
_BY_LETTER = {"tool_success_rate": "rate", "instance": "i", "repeat": "r", "seed": "s"}
_UNNAMED = {*_IN_PATH, *_BY_LETTER, "max_turns", "timeout_s", "request_parameters", "agent", "agent_model"}


class CassetteFolder(msgspec.Struct, frozen=True):
    """Each case has its own file and is run in one process, so no two processes write to the same file."""

    root: Path

    def load(self, case: Case) -> Cassette | None:
        """Return the case's cassette, None if it has none; raise ConfigurationError if it cannot be read."""
        path = cassette_path(case)
        try:
            content = (self.root / path).read_bytes()
        except FileNotFoundError:
            return None
        return decode_cassette(content, path)

    def save(self, case: Case, cassette: Cassette) -> None:
        """Replace the case's file atomically: a kill leaves either the old file or the new one."""
        path = self.root / cassette_path(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode_cassette(cassette), is_durable=False)

    def prepare(self) -> None:
        """Create the folder, and have git ignore the temporary files that a kill may leave in it."""
        self.root.mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*.tmp\n", encoding="utf-8")


def cassette_path(case: Case) -> Path:
    """Return the path of the case's cassette within the folder, made from the case's axes and not from versions."""
    name = "-".join(filter(None, (case.prompt_type, case.severity)))
    name += "".join(f"-{letter}{getattr(case, axis)}" for axis, letter in _BY_LETTER.items())
    for field in msgspec.structs.fields(Case):
        value = getattr(case, field.name)
        if field.name not in _UNNAMED and value != field.default:
            name += f"-{field.name}-{value}"
    if case.request_parameters:
        name += f"-request-{hashlib.blake2b(case.request_parameters.encode(), digest_size=4).hexdigest()}"
    if case.agent:
        name += f"-agent-{_safe(case.agent)}"
    return Path(_safe(case.model)) / f"{case.task_type}-{case.difficulty}" / f"{name}.json"


def _safe(name: str) -> str:
    """Return a name that is valid on any file system; if it differs from `name`, a hash makes it unique."""
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".-")[:_MAX_CHARS]
    return safe if safe == name else f"{safe}-{hashlib.blake2b(name.encode(), digest_size=3).hexdigest()}".lstrip("-")
