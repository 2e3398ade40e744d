"""What `import lotkeeper` costs, and that nothing it promises is missing."""

import subprocess
import sys

import lotkeeper

PROBE = (
    "import sys; {}; print(*(name for name in sys.modules if name.split('.')[0] in ('grpc', 'google', 'lotkeeper')))"
)


def loaded_by(statement: str) -> set[str]:
    """The modules of gRPC, protobuf and the client that a fresh interpreter holds after ``statement``."""
    run = subprocess.run(
        [sys.executable, "-c", PROBE.format(statement)], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stdout.split())


def test_the_package_alone_loads_nothing() -> None:
    """The server imports it for the stubs only."""
    assert loaded_by("import lotkeeper") == {"lotkeeper"}


def test_the_values_load_no_grpc() -> None:
    """A strategy that is only tested needs no connection."""
    assert loaded_by("from lotkeeper import Position, Side, Time") == {
        "lotkeeper",
        "lotkeeper.enums",
        "lotkeeper.values",
    }


def test_the_blocking_client_does_not_load_the_asyncio_one() -> None:
    """A bot pays for what it uses."""
    loaded = loaded_by("from lotkeeper import connect")
    assert "lotkeeper.client" in loaded
    assert "lotkeeper.aio" not in loaded


def test_every_name_of_the_package_is_there() -> None:
    """Under the name it has where it is defined."""
    for name in dir(lotkeeper):
        found = getattr(lotkeeper, name)
        assert getattr(found, "__name__", name) in {name, f"lotkeeper.{name}"}
    assert {"connect", "aio", "errors", "Ledger", "Side", "PnLEvent"} <= set(dir(lotkeeper))


def test_the_names_for_type_checkers_are_the_names_at_run_time() -> None:
    """The list is written twice, because a type checker does not run it."""
    with open(lotkeeper.__file__, encoding="utf-8") as source:  # noqa: PTH123 - a file, once
        checked = {line.rsplit(" ", 1)[1].strip() for line in source if line.startswith("    from lotkeeper")}
    assert checked == set(dir(lotkeeper))


def test_an_unknown_name_is_refused_as_usual() -> None:
    """A spelling mistake is not an import error of something else."""
    assert not hasattr(lotkeeper, "Positon")
