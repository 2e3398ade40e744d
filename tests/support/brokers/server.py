"""The HTTP server of the fake brokers."""

import threading
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from lotkeeperd.brokers.port import Timing
from lotkeeperd.brokers.registry import broker_of
from lotkeeperd.service.reconciliation import Broker
from tests.support.brokers.account import KEY, SECRET, Asked, FakeAccount
from tests.support.brokers.alpaca import FakeAlpaca
from tests.support.brokers.bybit import FakeBybit
from tests.support.brokers.coinbase import KEY_NAME, FakeCoinbase


class FakeBrokers:
    """Three brokers on one port of loopback; a context manager."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.alpaca = FakeAlpaca(clock)
        self.bybit = FakeBybit(clock)
        self.coinbase = FakeCoinbase(clock)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        """Listen on a free port of loopback."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def environment(self) -> Mapping[str, str]:
        """Where the options of every fake find their keys."""
        return {
            "FAKE_KEY": KEY,
            "FAKE_SECRET": SECRET,
            "FAKE_COINBASE_KEY": KEY_NAME,
            "FAKE_COINBASE_SECRET": self.coinbase.secret,
        }

    def url(self, kind: str) -> str:
        """Where the broker is asked."""
        return f"http://127.0.0.1:{self.port}/{kind}"

    def options(self, kind: str, **more: object) -> dict[str, object]:
        """The options of an account at this fake, as they would stand in a configuration."""
        name = "FAKE_COINBASE" if kind == "coinbase" else "FAKE"
        return {"url": self.url(kind), "key": f"env:{name}_KEY", "secret": f"env:{name}_SECRET", **more}

    def open(self, kind: str, timing: Timing | None = None, **more: object) -> Broker:
        """The adapter of this broker, pointed at the fake."""
        return broker_of(kind, self.options(kind, **more), self.environment, timing or Timing())

    def _answer(self, kind: str, asked: Asked) -> tuple[int, bytes | None, Mapping[str, str]]:
        accounts: dict[str, FakeAccount] = {"alpaca": self.alpaca, "bybit": self.bybit, "coinbase": self.coinbase}
        with self._lock:
            account = accounts.get(kind)
            if account is None:
                return 404, b"no such broker\n", {}
            answer = account.answer(asked)
            return (
                answer.status,
                answer.body,
                {"Date": formatdate(account.now() // 10**9, usegmt=True), **answer.headers},
            )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fakes = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave together; in two packets the second waits for the first to be acknowledged.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                # One of the SDKs sends a body with it; unread it would stand before the next request.
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                url = urlsplit(self.path)
                kind, slash, path = url.path.removeprefix("/").partition("/")
                asked = Asked(
                    slash + path,
                    url.query,
                    dict(parse_qsl(url.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    f"{self.headers['Host']}/{kind}",
                )
                status, body, headers = fakes._answer(kind, asked)
                if body is None:
                    self.close_connection = True
                    return
                self.send_response_only(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base's own signature
                """Say nothing: what was asked is kept."""

        return Handler
