"""A stand-in for the Hub: as much of its interface as putting and getting small files takes, on this machine."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Hub:
    """Repositories by name, each with its commits: files by path."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, dict[str, bytes]]] = {}
        self.heads: dict[str, dict[str, str]] = {}
        self.private: dict[str, bool] = {}
        self.address = ""

    def commit(self, repo: str, branch: str, files: dict[str, bytes]) -> str:
        """A new commit on top of the branch."""
        before = self.repos[repo].get(self.heads[repo].get(branch, ""), {})
        now = {**before, **files}
        name = sha1(
            json.dumps({path: sha1(data).hexdigest() for path, data in sorted(now.items())}).encode()
        ).hexdigest()
        self.repos[repo][name], self.heads[repo][branch] = now, name
        return name

    def at(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]]:
        """Name and files of a commit, a branch's last one among them."""
        name = self.heads[repo].get(revision, revision)
        return name, self.repos[repo][name]


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

        def answer(self, value: Any, status: int = 200, **headers: str) -> None:
            """Bytes as they are, anything else as JSON."""
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, told in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name.replace("_", "-"), told)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def missing(self) -> None:
            """No such repository."""
            self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")

        def do_POST(self) -> None:
            """Making repositories, and commits."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            words = unquote(self.path).split("?")[0].strip("/").split("/")
            if self.headers.get("Authorization") != "Bearer secret":
                return self.answer({"error": "Invalid credentials"}, 401)
            if words[1] == "validate-yaml":
                return self.answer({"errors": [], "warnings": []})
            if words[1:] == ["repos", "create"]:
                told = json.loads(body)
                repo = f"{told['organization']}/{told['name']}" if told.get("organization") else f"me/{told['name']}"
                hub.private[repo] = told.get("private") or told.get("visibility") == "private"
                if repo in hub.repos:
                    return self.answer({"error": "There already", "url": f"{hub.address}/{repo}"}, 409)
                hub.repos[repo], hub.heads[repo] = {}, {}
                hub.commit(repo, "main", {})
                return self.answer({"url": f"{hub.address}/{repo}"})
            repo = "/".join(words[2:4])
            if words[4] == "preupload":
                files = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                         for one in json.loads(body)["files"]]  # fmt: skip
                return self.answer({"files": files})
            rows = [json.loads(line)["value"] for line in body.splitlines() if json.loads(line)["key"] == "file"]
            name = hub.commit(repo, words[5], {row["path"]: base64.b64decode(row["content"]) for row in rows})
            return self.answer({"commitUrl": f"{hub.address}/{repo}/commit/{name}", "commitOid": name, "success": True})

        def do_GET(self) -> None:
            """What a repository holds, and its files."""
            words = unquote(self.path).split("?")[0].strip("/").split("/")
            listing = words[:2] == ["api", "models"]
            repo, rest = "/".join(words[2:4] if listing else words[:2]), words[4:] if listing else words[2:]
            revision = rest[1] if len(rest) > 1 else "main"
            try:
                name, files = hub.at(repo, revision)
            except KeyError:
                return self.missing()
            if listing and rest[:1] == ["tree"]:
                return self.answer([{"type": "file", "path": path, "size": len(data), "oid": sha1(data).hexdigest()}
                                    for path, data in files.items()])  # fmt: skip
            if listing:
                return self.answer({"id": repo, "modelId": repo, "sha": name, "private": False, "tags": [],
                                    "siblings": [{"rfilename": path} for path in files]})  # fmt: skip
            path = "/".join(rest[2:])
            if path not in files:
                return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
            return self.answer(files[path], ETag=f'"{sha1(files[path]).hexdigest()}"', X_Repo_Commit=name)

        do_HEAD = do_GET  # noqa: N815

    return Handler


@contextmanager
def running() -> Iterator[Hub]:
    """A Hub that answers at its `address` meanwhile."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
