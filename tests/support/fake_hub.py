"""A Hugging Face Hub on this machine: one repository, the files of a local folder."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_COMMIT = "0" * 40


@contextmanager
def serve(repository: str, folder: Path) -> Iterator[str]:
    """Serve `folder` as `repository`; yield the address to set as `HF_ENDPOINT`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            path = self.path.split("?")[0]
            name = path.rsplit("/", 1)[-1]
            if path.startswith(f"/api/models/{repository}"):
                if "/tree/" in path:
                    return self._send(json.dumps(_tree(folder)).encode(), {}, body=body)
                return self._send(json.dumps(_info(repository, folder)).encode(), {}, body=body)
            if path.startswith(f"/{repository}/resolve/") and (folder / name).is_file():
                data = (folder / name).read_bytes()
                tags = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": _COMMIT}
                return self._send(data, tags, body=body)
            missing = "EntryNotFound" if path.startswith(f"/{repository}/") else "RepoNotFound"
            return self._send(b"{}", {"X-Error-Code": missing}, body=body, status=404)

        def _send(
            self, data: bytes, headers: dict[str, str], *, body: bool, status: int = 200
        ) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _info(repository: str, folder: Path) -> dict:
    siblings = [
        {"rfilename": path.name, "size": path.stat().st_size} for path in sorted(folder.iterdir())
    ]
    return {"id": repository, "sha": _COMMIT, "siblings": siblings}


def _tree(folder: Path) -> list[dict]:
    return [
        {
            "type": "file",
            "path": path.name,
            "size": path.stat().st_size,
            "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
    ]
