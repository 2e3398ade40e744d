"""What the tests of the blocking client share."""

from collections.abc import Iterator

import pytest

from tests.client.conversation import Conversation


@pytest.fixture
def talk() -> Iterator[Conversation]:
    """A client of the portfolio "p" with five seconds to wait."""
    with Conversation(portfolio="p") as conversation:
        yield conversation
