"""Read one mesh of an archive on the web, and count what is asked for; the server here is on this machine."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import meshset

meshset.compress(meshset.sample("models", 6), "models.mset", codec="draco", force=True)
data = Path("models.mset").read_bytes()


class PartsOfFiles(BaseHTTPRequestHandler):
    """What every file server on the web does, unlike Python's own: it sends the bytes that are asked for."""

    def do_HEAD(self):
        self.answer(data, 200)

    def do_GET(self):
        first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        self.answer(data[first : last + 1], 206)

    def answer(self, part, status):
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    def log_message(self, *_):
        print(f"  {self.command} {self.headers.get('Range', '')}")


server = ThreadingHTTPServer(("127.0.0.1", 0), PartsOfFiles)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/models.mset"

print(f"meshset.open({url!r}) asks for")
with meshset.open(url) as archive:
    for name in list(archive)[:2]:
        print(f"archive[{name!r}] asks for")
        print(f"  {len(archive[name].faces):,} faces came")
server.shutdown()
