"""A hub of one's own: as much of Hugging Face's HTTP interface as uploading and fetching small repositories takes.

The client is the real one; repositories are held in memory as {path: bytes}, each of one branch.
"""

import base64
import hashlib
import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlparse


class SmallHub:
    def __init__(self):
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.fetched: list[str] = []
        self.address = ""

    def commit_of(self, name):
        files = self.repositories[name]
        return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: SmallHub

    def log_message(self, *_):
        pass

    def answer(self, status, content=None, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlparse(self.path).path)
        if match := re.fullmatch(r"/api/models/(\w+/\w+)(?:/revision/\w+)?", path):
            if match[1] not in self.hub.repositories:
                self.answer(404, {"error": "Repository not found"}, [("X-Error-Code", "RepoNotFound")])
                return
            files = self.hub.repositories[match[1]]
            self.answer(
                200,
                {
                    "id": match[1],
                    "sha": self.hub.commit_of(match[1]),
                    "private": self.hub.private[match[1]],
                    "tags": [],
                    "siblings": [{"rfilename": name} for name in files],
                },
            )
        elif match := re.fullmatch(r"/api/models/(\w+/\w+)/tree/\w+", path):
            files = self.hub.repositories[match[1]].items()
            entry = {"type": "file"}
            self.answer(
                200,
                [entry | {"path": n, "size": len(c), "oid": hashlib.sha1(c).hexdigest()} for n, c in files],
            )
        elif match := re.fullmatch(r"/(\w+/\w+)/resolve/\w+/(.+)", path):
            content = self.hub.repositories[match[1]].get(match[2])
            if content is None:
                self.answer(404, {"error": "Entry not found"}, [("X-Error-Code", "EntryNotFound")])
                return
            if self.command == "GET":
                self.hub.fetched.append(match[2])
            etag = hashlib.sha1(content).hexdigest()
            self.answer(200, content, [("ETag", f'"{etag}"'), ("X-Repo-Commit", self.hub.commit_of(match[1]))])
        else:
            self.answer(404, {"error": f"no such place: {path}"})

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlparse(self.path).path)
        if self.headers.get("Authorization") != "Bearer hf_right":
            self.answer(401, {"error": "Invalid user token."})
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization', 'lab')}/{asked['name']}"
            known = name in self.hub.repositories
            if not known:
                self.hub.repositories[name], self.hub.private[name] = {}, asked.get("visibility") == "private"
            self.answer(409 if known else 200, {"url": f"{self.hub.address}/{name}"})
        elif path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif match := re.fullmatch(r"/api/models/\w+/\w+/preupload/\w+", path):
            files = json.loads(body)["files"]
            self.answer(
                200,
                {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]},
            )
        elif match := re.fullmatch(r"/api/models/(\w+/\w+)/commit/\w+", path):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.hub.repositories[match[1]][line["value"]["path"]] = content
                elif line["key"] == "deletedFile":
                    del self.hub.repositories[match[1]][line["value"]["path"]]
            commit = self.hub.commit_of(match[1])
            address = f"{self.hub.address}/{match[1]}/commit/{commit}"
            self.answer(200, {"success": True, "commitOid": commit, "commitUrl": address})
        else:
            self.answer(404, {"error": f"no such place: {path}"})


@contextmanager
def small_hub():
    """A hub on a free port of this machine; yields it, its address in `.address`."""
    hub = SmallHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
