"""The command `lotkeeper` where only the client is installed."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import google.protobuf
import grpc
import typing_extensions

from lotkeeper.command import NEEDS_SERVER, SERVER_EXTRA
from tests.gate.repository import ROOT

CLIENT_LIBRARIES = (
    Path(grpc.__file__).parent,
    Path(google.protobuf.__file__).parent.parent,
    Path(typing_extensions.__file__),
)


def run_command(folder: Path, *earlier: Path) -> subprocess.CompletedProcess[str]:
    """Run `lotkeeper --help` in an interpreter that has the client's libraries and no others."""
    libraries = folder / "libraries"
    libraries.mkdir()
    for library in CLIENT_LIBRARIES:
        (libraries / library.name).symlink_to(library)
    search = [*earlier, ROOT / "client" / "python", ROOT / "server", libraries]
    return subprocess.run(
        # Without site, so that nothing else that is installed can be found.
        [sys.executable, "-S", "-c", "from lotkeeper.command import main; main()", "--help"],
        env={"PYTHONPATH": ":".join(map(str, search))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_without_the_server_extra_says_how_to_get_it(tmp_path: Path) -> None:
    """One line on stderr, and exit code 1."""
    answer = run_command(tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", f"{NEEDS_SERVER}\n")


def test_a_module_missing_for_another_reason_is_not_hidden(tmp_path: Path) -> None:
    """A mistake in the server is shown as what it is."""
    server = tmp_path / "lotkeeperd"
    server.mkdir()
    (server / "__init__.py").touch()
    (server / "cli.py").write_text("import lotkeeperd.forgotten\n")
    answer = run_command(tmp_path, tmp_path)
    assert answer.returncode == 1
    assert NEEDS_SERVER not in answer.stderr
    assert "No module named 'lotkeeperd.forgotten'" in answer.stderr


def test_every_library_of_the_server_extra_is_known_to_the_command() -> None:
    """A library added to the extra in pyproject.toml is added to the command's list too."""
    requirements = metadata.requires("lotkeeper") or []
    extra = {re.split(r"[^a-z-]", each)[0] for each in requirements if "extra == 'server'" in each.replace('"', "'")}
    imports = metadata.packages_distributions()
    known = {owner.lower() for module in SERVER_EXTRA for owner in imports[module]}
    assert extra
    assert extra <= known
