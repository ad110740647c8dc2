"""A web server on this machine that can send parts of files, counts what it is asked for, and misbehaves when told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """One file on the web.

    Attributes:
        data: its bytes.
        ranges: whether parts of it are sent.
        cut: bytes that are missing from each answer though it states the whole length.
        redirect: whether the first request is sent elsewhere.
        asked: method and bytes sent of each request so far.
        url: of the file.
    """

    data: bytes
    ranges: bool = True
    cut: int = 0
    redirect: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    """Serve one file as /set.mset until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, with_body: bool) -> None:
            served.asked.append((self.command, 0))
            if self.path != "/set.mset" and not (served.redirect and self.path == "/moved.mset"):
                self.send_error(404)
                return
            if served.redirect and self.path == "/set.mset":
                self.send_response(302)
                self.send_header("Location", "/moved.mset")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            part, status = served.data, 200
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if wanted and served.ranges:
                first, last = map(int, wanted.groups())
                part, status = served.data[first : last + 1], 206
            self.send_response(status)
            self.send_header("Content-Length", str(len(part)))
            if served.ranges:
                self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            if with_body:
                body = part[: len(part) - served.cut]
                served.asked[-1] = (self.command, len(body))
                self.wfile.write(body)
                self.close_connection = bool(served.cut)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}/set.mset"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
