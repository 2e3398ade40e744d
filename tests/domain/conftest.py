"""Every test of the domain runs as the writer does: under the exact context."""

from collections.abc import Iterator
from decimal import localcontext

import pytest

from lotkeeperd.domain.decimals import EXACT


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    """Law 1: what would round raises."""
    with localcontext(EXACT):
        yield
