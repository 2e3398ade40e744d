"""Where a secret is, in place of the secret: ``env:NAME`` or ``file:PATH``.

Problem: what stands in a configuration is copied, committed and shown to whoever asks for help. Chosen: a configuration names the
place alone, and what was read there is a ``Secret``, which shows itself nowhere: not in a log, a repr or an exception.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class BadReference(Exception):
    """Names no place of a secret, or one that cannot be read; the message never repeats what may be the secret itself."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What was read at the place; it is never shown."""

    value: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """As text, for those secrets that are. Raises BadReference for what is not UTF-8."""
        try:
            return self.value.decode()
        except UnicodeDecodeError:
            raise BadReference("what is there is not text in UTF-8") from None


def referred(reference: str, environment: Mapping[str, str]) -> Secret:
    """The secret that ``env:NAME`` or ``file:PATH`` names; empty when nothing is there. Raises BadReference.

    Line ends at the end of a file are not part of it.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        return Secret(os.fsencode(environment.get(name, "")))
    if kind == "file" and name:
        return Secret(_contents(Path(name)))
    # What was given may be the secret itself, so it is not repeated.
    raise BadReference("say env:NAME or file:PATH, where the key is; the key itself has no place here")


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise BadReference(f"file:{path}: {error.strerror}") from error
