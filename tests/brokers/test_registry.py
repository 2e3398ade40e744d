"""From a name in the configuration to an adapter, the house's own or a user's."""

import inspect
import re
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import pytest

from lotkeeperd.brokers import port
from lotkeeperd.brokers.port import BadBroker
from lotkeeperd.brokers.registry import broker_of, kinds
from lotkeeperd.domain.lots import Direction
from lotkeeperd.domain.reconciliation.statements import HeldPosition
from lotkeeperd.domain.refusals import BrokerUnavailable

SECRET = "secret-0123456789"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, with the plug-in of the port's own documentation."""
    text = inspect.getdoc(port) or ""
    found = re.search(r'"""my_broker.py"""\n(.*?)\nIt is found by', text, re.DOTALL)
    assert found is not None
    (tmp_path / "my_broker.py").write_text(textwrap.dedent(f"    {found[1].lstrip()}"))
    entry = re.search(r'\[project.entry-points."(.*)"\]\n *(.*)', text)
    assert entry is not None
    install(tmp_path, "my_broker", f"[{entry[1]}]\n{entry[2]}".replace('"', ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MY_KEY", SECRET)
    return tmp_path


def install(site: Path, name: str, entries: str) -> None:
    """What pip writes down of a package and of its entry points."""
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(entries + "\n")


@pytest.mark.usefixtures("site")
async def test_the_plug_in_of_the_documentation_is_a_broker() -> None:
    """One file and one line of its project file, as they are written there."""
    broker = broker_of("my_broker", {"key": "env:MY_KEY", "rows": {"AAPL": "-1.5"}}, {})
    statement = await broker.statement(None)
    await broker.close()
    assert statement.positions == (HeldPosition("AAPL", Direction.SHORT, Decimal("1.5")),)
    assert statement.positions_complete
    assert kinds() == ("alpaca", "bybit", "coinbase", "ccxt", "my_broker")


@pytest.mark.usefixtures("site")
async def test_a_plug_in_says_that_its_broker_does_not_answer() -> None:
    """By the same refusal as the house's own."""
    broker = broker_of("my_broker", {"key": "env:MY_KEY", "rows": None}, {})
    with pytest.raises(BrokerUnavailable, match="it does not answer"):
        await broker.statement(None)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """And with the way in for another one."""
    with pytest.raises(
        BadBroker, match=r"'etrade' is not known; there are alpaca, bybit, coinbase, ccxt.*lotkeeper.brokers"
    ):
        broker_of("etrade", {}, {})


@pytest.mark.usefixtures("site")
def test_what_a_plug_in_raises_over_its_options_is_told_without_its_words() -> None:
    """They may hold a key; which plug-in it was, and what kind of error, is enough to look it up."""
    with pytest.raises(BadBroker, match=r"my_broker 1.0.*BadReference") as refused:
        broker_of("my_broker", {"key": SECRET, "rows": {}}, {})
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_no_plug_in_takes_the_place_of_one_of_the_house(site: Path) -> None:
    """A package that calls itself bybit is not asked."""
    install(site, "impostor", "[lotkeeper.brokers]\nbybit = my_broker:MyBroker")
    with pytest.raises(BadBroker, match='broker "bybit", key: is missing'):
        broker_of("bybit", {"rows": {}}, {})


def test_a_name_that_two_plug_ins_offer_is_refused(site: Path) -> None:
    """Which of them would be taken depends on nothing that anybody chose."""
    install(site, "other", "[lotkeeper.brokers]\nmy_broker = other:Broker")
    with pytest.raises(BadBroker, match="is offered by .*uninstall all but one"):
        broker_of("my_broker", {}, {})


@pytest.mark.parametrize("kind", ["alpaca", "bybit", "coinbase"])
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sidecar runs without accounts and without these."""
    monkeypatch.setattr("lotkeeperd.brokers.registry.find_spec", lambda _: None)
    with pytest.raises(BadBroker, match=r"needs the library httpx.*pip install 'lotkeeper\[brokers\]'"):
        broker_of(kind, {}, {})


def test_the_registry_imports_no_adapter_and_no_library_of_one() -> None:
    """A server without accounts pays nothing for them."""
    code = (
        "import sys, lotkeeperd.brokers.registry; "
        "print([name for name in ('httpx', 'jwt', 'cryptography', 'ccxt') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["alpaca", "bybit", "coinbase"])
@pytest.mark.parametrize("written", [f"{SECRET}\nX-Other: 1", f"{SECRET} more", f"{SECRET}é", f"{SECRET}\x00"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(kind: str, written: str) -> None:
    """A library that is given one repeats it in its error."""
    with pytest.raises(BadBroker, match="key: env:A: what is there has a blank or another sign") as refused:
        broker_of(kind, {"key": "env:A", "secret": "env:A"}, {"A": written})
    assert SECRET not in str(refused.value)


def test_options_are_repeated_without_their_values() -> None:
    """Somebody may have written a key where its reference belongs."""
    with pytest.raises(BadBroker) as refused:
        broker_of("alpaca", {"key": SECRET, "secret": SECRET}, {})
    assert SECRET not in str(refused.value)
    with pytest.raises(BadBroker, match="api_key: is no option") as refused:
        broker_of("alpaca", {"key": "env:A", "secret": "env:A", "api_key": SECRET}, {"A": SECRET})
    assert SECRET not in str(refused.value)
