"""A stand-in for the Hub: as much of its interface as putting and getting files takes, on this machine.

Models go by `OWNER/NAME`, data sets by `datasets/OWNER/NAME`. Large files (`running(large=True)`) take the way of git
LFS: a batch of hashes, one PUT for each that is new, and a commit that names them.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

LARGE = (".safetensors", ".parquet")
TOKEN = "secret"


class Hub:
    """Repositories by name, each with its commits: files by path."""

    def __init__(self, large: bool = False) -> None:
        self.repos: dict[str, dict[str, dict[str, bytes]]] = {}
        self.heads: dict[str, dict[str, str]] = {}
        self.private: dict[str, bool] = {}
        self.closed: set[str] = set()
        """Repositories that only the token opens."""
        self.objects: dict[str, bytes] = {}
        """Large files by SHA-256."""
        self.puts = 0
        """Large files that were sent."""
        self.commits = 0
        self.commits_allowed = 10**9
        self.ranges: list[str] = []
        """Parts of files that were asked for."""
        self.large = large
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

    def is_large(self, path: str) -> bool:
        """Whether a file takes the way of git LFS."""
        return self.large and path.endswith(LARGE)

    def entry(self, path: str, data: bytes) -> dict[str, Any]:
        """What a listing tells of a file."""
        told = {
            "type": "file",
            "path": path,
            "size": len(data),
            "oid": sha1(b"blob %d\0" % len(data) + data).hexdigest(),
        }
        if self.is_large(path):
            told["lfs"] = {"oid": sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return told


def _listing(hub: Hub, files: dict[str, bytes], folder: str, deep: bool) -> list[dict[str, Any]] | None:
    """Files and folders below a folder; None when there is none."""
    start = f"{folder}/" if folder else ""
    inside = {path: data for path, data in files.items() if path.startswith(start)}
    if folder and not inside:
        return None
    folders = {start + path[len(start) :].split("/")[0] for path in inside if "/" in path[len(start) :]}
    told = [{"type": "directory", "path": path, "size": 0, "oid": sha1(path.encode()).hexdigest()} for path in folders]
    near = [path for path in inside if deep or "/" not in path[len(start) :]]
    return [*sorted(told, key=lambda one: one["path"]), *(hub.entry(path, inside[path]) for path in near)]


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

        def answer(self, value: Any, status: int = 200, **headers: Any) -> None:
            """Bytes as they are, anything else as JSON."""
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, told in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name.replace("_", "-"), str(told))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def missing(self) -> None:
            """No such repository."""
            self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")

        def words(self) -> list[str]:
            """Parts of the path."""
            return [unquote(word) for word in self.path.split("?")[0].strip("/").split("/")]

        @property
        def known(self) -> bool:
            """Whether the token came along."""
            return self.headers.get("Authorization") == f"Bearer {TOKEN}"

        def body(self) -> bytes:
            """What was sent."""
            if self.headers.get("Transfer-Encoding") == "chunked":
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def do_PUT(self) -> None:
            """A large file."""
            data = self.body()
            hub.objects[sha256(data).hexdigest()] = data
            hub.puts += 1
            self.answer(b"")

        def do_POST(self) -> None:
            """Making repositories, and commits."""
            body, words = self.body(), self.words()
            if not self.known and words[4:5] != ["paths-info"]:
                return self.answer({"error": "Invalid credentials"}, 401)
            if words[1] == "validate-yaml":
                return self.answer({"errors": [], "warnings": []})
            if words[1:] == ["repos", "create"]:
                return self.made(json.loads(body))
            if words[-4:] == ["info", "lfs", "objects", "batch"]:
                return self.batch(json.loads(body))
            repo = "/".join(words[2:4]) if words[1] == "models" else f"{words[1]}/{'/'.join(words[2:4])}"
            if words[4] == "branch":
                hub.heads[repo].setdefault(words[5], hub.heads[repo]["main"])
                return self.answer({})
            if words[4] == "paths-info":
                _, files = hub.at(repo, words[5])
                asked = parse_qs(body.decode())["paths"]
                return self.answer([hub.entry(path, files[path]) for path in asked if path in files])
            if words[4] == "preupload":
                return self.modes(json.loads(body)["files"])
            return self.committed(repo, words[5], [json.loads(line) for line in body.splitlines()])

        def made(self, told: dict[str, Any]) -> None:
            """A new repository."""
            repo = f"{told['organization']}/{told['name']}" if told.get("organization") else f"me/{told['name']}"
            repo = f"datasets/{repo}" if told.get("type") == "dataset" else repo
            hub.private[repo] = told.get("private") or told.get("visibility") == "private"
            if repo in hub.repos:
                return self.answer({"error": "There already", "url": f"{hub.address}/{repo}"}, 409)
            hub.repos[repo], hub.heads[repo] = {}, {}
            hub.commit(repo, "main", {})
            return self.answer({"url": f"{hub.address}/{repo}"})

        def modes(self, files: list[dict[str, Any]]) -> None:
            """Which way each file takes."""
            told = [{"path": one["path"], "uploadMode": "lfs" if hub.is_large(one["path"]) else "regular",
                     "shouldIgnore": False, "oid": None} for one in files]  # fmt: skip
            self.answer({"files": told})

        def batch(self, told: dict[str, Any]) -> None:
            """Where large files go that are not here yet."""
            objects = [{**one, "actions": {"upload": {"href": f"{hub.address}/lfs/{one['oid']}"}}}
                       if one["oid"] not in hub.objects else one for one in told["objects"]]  # fmt: skip
            self.answer({"transfer": "basic", "objects": objects})

        def committed(self, repo: str, branch: str, rows: list[dict[str, Any]]) -> None:
            """Files by their content, or by the hash under which it came."""
            if hub.commits >= hub.commits_allowed:
                return self.answer({"error": "Quota exceeded"}, 403)
            files = {
                row["value"]["path"]: base64.b64decode(row["value"]["content"]) for row in rows if row["key"] == "file"
            }
            files |= {row["value"]["path"]: hub.objects[row["value"]["oid"]] for row in rows if row["key"] == "lfsFile"}
            name = hub.commit(repo, branch, files)
            hub.commits += 1
            return self.answer({"commitUrl": f"{hub.address}/{repo}/commit/{name}", "commitOid": name, "success": True})

        def do_GET(self) -> None:
            """What a repository holds, and its files."""
            words = self.words()
            listing = words[0] == "api"
            kind = words[1] if listing else words[0]
            words = words[2:] if listing else words[1:] if kind == "datasets" else words
            repo, rest = "/".join(words[:2]), words[2:]
            repo = f"datasets/{repo}" if kind == "datasets" else repo
            if repo in hub.closed and not self.known:
                return self.missing()
            try:
                name, files = hub.at(repo, rest[1] if len(rest) > 1 else "main")
            except KeyError:
                return self.missing()
            if listing and rest[:1] == ["tree"]:
                deep = "recursive=true" in self.path.lower()
                found = _listing(hub, files, "/".join(rest[2:]), deep)
                if found is None:
                    return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
                return self.answer(found)
            if listing:
                return self.answer({"id": repo, "modelId": repo, "sha": name, "private": False, "tags": [],
                                    "siblings": [{"rfilename": path} for path in files]})  # fmt: skip
            return self.file("/".join(rest[2:]), files, name)

        def file(self, path: str, files: dict[str, bytes], commit: str) -> None:
            """A file, or a part of it."""
            if path not in files:
                return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
            data = files[path]
            about = {"ETag": f'"{(sha256 if hub.is_large(path) else sha1)(data).hexdigest()}"', "X_Repo_Commit": commit}
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if part is None or self.command == "HEAD":
                return self.answer(data, **about)
            hub.ranges.append(f"{path} {part[0]}")
            start, end = int(part[1]), min(int(part[2] or len(data)), len(data) - 1)
            where = f"bytes {start}-{end}/{len(data)}"
            return self.answer(data[start : end + 1], 206, Content_Range=where, **about)

        do_HEAD = do_GET  # noqa: N815

    return Handler


@contextmanager
def running(large: bool = False) -> Iterator[Hub]:
    """A Hub that answers at its `address` meanwhile."""
    hub = Hub(large)
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
