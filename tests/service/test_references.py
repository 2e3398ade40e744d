"""A secret is named by where it is, and never shown."""

from pathlib import Path

import pytest

from lotkeeperd.service.references import BadReference, Secret, referred

SECRET = "0123456789abcdef-of-nobody"


def test_a_secret_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    """Line ends at the end of a file are not part of it; a variable that is not set is empty."""
    (tmp_path / "key").write_text(SECRET + "\r\n")
    assert referred("env:KEY", {"KEY": SECRET}).text == SECRET
    assert referred(f"file:{tmp_path}/key", {}).text == SECRET
    assert referred("env:KEY", {}) == Secret(b"")


@pytest.mark.parametrize("written", [SECRET, f"key:{SECRET}", "env:", "file:", ""])
def test_what_names_no_place_is_refused_and_not_repeated(written: str) -> None:
    """It may be the secret itself."""
    with pytest.raises(BadReference, match="say env:NAME or file:PATH") as refused:
        referred(written, {})
    assert SECRET not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With what the system says of it."""
    with pytest.raises(BadReference, match=f"file:{tmp_path}/none: No such file"):
        referred(f"file:{tmp_path}/none", {})


def test_a_secret_is_never_shown() -> None:
    """Neither by itself nor inside of something; one that is no text is not shown in the error either."""
    assert SECRET not in repr(Secret(SECRET.encode())) + str([Secret(SECRET.encode())])
    with pytest.raises(BadReference, match="not text") as refused:
        _ = Secret(b"\xff" + SECRET.encode()).text
    assert refused.value.__cause__ is None
    assert SECRET not in str(refused.value)
