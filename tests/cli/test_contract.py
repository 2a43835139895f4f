"""What commands send and print, against a server that keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.traind import traind

RUN = {"id": "abc", "state": "running", "phase": "relaunching", "ended_at": None, "verdict": None}
DEVICE = {
    "id": "gpu0",
    "kind": "nvml",
    "name": "NVIDIA A10",
    "uuid": "GPU-1",
    "total": 24 * 2**30,
    "used": 18 * 2**30,
    "utilization": 0.93,
    "holders": ["abc", "def"],
    "processes": None,
}
ANSWERS: dict[tuple[str, str], Any] = {
    ("GET", "/v1/runs"): {"items": [RUN], "next_cursor": None},
    ("POST", "/v1/runs"): RUN,
    ("POST", "/v1/runs/abc/stop"): RUN,
    ("POST", "/v1/runs/abc/relaunch"): RUN,
    ("POST", "/v1/runs/abc/restore"): {
        "script": "/t.py",
        "restored": True,
        "digest": "d",
        "why": "as it was",
        "size_file": None,
    },
    ("GET", "/v1/devices"): {"items": [DEVICE], "next_cursor": None},
    ("GET", "/v1/runs/abc/report"): {"advice": []},
}


class Server:
    """Answers as above; `asked` is (method, path, body, Accept) of every call."""

    def __init__(self) -> None:
        asked: list[tuple[str, str, Any, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                size = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(size)) if size else None
                accept = self.headers.get("Accept", "")
                asked.append((self.command, path, body, accept))
                found = ANSWERS.get((self.command, path))
                text = f"# {accept}\n" if accept.startswith("text/") else json.dumps(found)
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815 - the library calls it so

            def log_message(self, *_: object) -> None:
                pass

        self.asked = asked
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.env = {"TRAIND_URL": f"http://127.0.0.1:{self.http.server_address[1]}"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("arguments", "path", "body"),
    [
        (("stop",), "stop", {}),
        (("stop", "abc", "--now"), "stop", {"grace_s": 0.0}),
        (("stop", "--grace", "1m", "--if-attempt", "2"), "stop", {"grace_s": 60.0, "if_attempt": 2}),
        (("relaunch",), "relaunch", {}),
        (
            ("relaunch", "--batch-size", "256", "--reason", "more room", "--if-attempt", "1"),
            "relaunch",
            {"batch_size": 256, "reason": "more room", "if_attempt": 1},
        ),
        (("restore", "abc"), "restore", {}),
        (("restore", "--force"), "restore", {"force": True}),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_a_run_is_told(
    server: Server, arguments: tuple[str, ...], path: str, body: Any, as_json: bool
) -> None:
    done = traind(*arguments, *(["--json"] if as_json else []), **server.env)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.asked[-1][:3] == ("POST", f"/v1/runs/abc/{path}", body)
    if as_json:
        assert json.loads(done.stdout) == ANSWERS["POST", f"/v1/runs/abc/{path}"]
    else:
        assert done.stdout.startswith("/t.py: restored" if path == "restore" else "abc: running")


def test_every_field_of_a_submission_has_its_option(server: Server, tmp_path: Path) -> None:
    options = [
        *("--name", "n", "--follow-up", "predict.py", "-e", "A=1", "-e", "B=x=y", "--cwd", str(tmp_path)),
        *("--device", "gpu1", "--budget", "35m", "--reserve", "90s", "--grace", "30", "--kind", "image"),
        *("--artifact", "submission.csv:sample.csv", "--artifact", "model.pt", "--review", "enforce"),
        *("--sizing", "off", "--max-batch-size", "512", "--max-relaunches", "2", "--checkpoint-after", "1m"),
        *("--sizing-edit", "args", "--batch-size-at", "12"),
        *("train.py", "--", "--lr", "3"),
    ]
    done = traind("submit", *options, cwd=tmp_path, **server.env)
    assert (done.returncode, done.stdout) == (0, "abc\n"), done.stderr
    body = server.asked[-1][2]
    assert body.pop("python").startswith("/")
    assert body == {
        "script": str(tmp_path / "train.py"),
        "args": ["--lr", "3"],
        "cwd": str(tmp_path),
        "name": "n",
        "follow_up": {"script": str(tmp_path / "predict.py")},
        "env": {"A": "1", "B": "x=y"},
        "devices": ["gpu1"],
        "budget_s": 2100.0,
        "reserve_s": 90.0,
        "grace_s": 30.0,
        "kind": "image",
        "artifacts": [{"path": "submission.csv", "like": "sample.csv"}, {"path": "model.pt"}],
        "review": "enforce",
        "sizing": {"policy": "off", "max_batch_size": 512, "max_relaunches": 2, "edit": "args"},
        "batch_size_at": 12,
        "checkpoint": {"after_s": 60.0},
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--env", "A"), "NAME=VALUE"),
        (("--artifact", ":x"), "PATH[:"),
        (("--kind", "sound"), "image, tabular or text"),
        (("--review", "maybe"), "off, warn or enforce"),
        (("--sizing", "triple"), "double or off"),
        (("--sizing-edit", "both"), "file or args"),
        (("--wait", "forever"), "checkpoint, running or finished"),
        (("--budget", "soon"), "90s, 35m or 1h30m"),
        (("--python", "/no/python"), "/no/python"),
        (("--budgt", "35m"), "no such option: --budgt"),
    ],
)
def test_what_cannot_be_submitted_is_refused_before_it_is_sent(
    server: Server, options: tuple[str, ...], said: str
) -> None:
    before = len(server.asked)
    done = traind("submit", *options, "t.py", **server.env)
    assert (done.returncode, done.stdout, len(server.asked)) == (2, "", before)
    assert done.stderr.count("\n") == 1
    assert said.replace("PATH[:", "PATH or PATH:SAMPLE") in done.stderr


def test_devices_fit_a_terminal(server: Server) -> None:
    done = traind("devices", **server.env)
    assert done.stdout.splitlines() == [
        "ID    NAME             USED      TOTAL  UTIL  HELD BY",
        "gpu0  NVIDIA A10  18.00 GiB  24.00 GiB   93%  abc, def",
    ]
    assert json.loads(traind("devices", "--json", **server.env).stdout) == [DEVICE]


def test_reports_come_in_three_forms_and_into_files(server: Server, tmp_path: Path) -> None:
    assert traind("report", **server.env).stdout == "# text/markdown\n"
    assert json.loads(traind("report", "--json", **server.env).stdout) == {"advice": []}
    page = tmp_path / "report.html"
    done = traind("report", "abc", "--html", "-o", str(page), **server.env)
    assert (done.returncode, done.stdout, page.read_text()) == (0, "", "# text/html\n")
    assert traind("report", "--json", "--html", **server.env).returncode == 2
    refused = traind("report", "-o", "/nonexistent/r.md", **server.env)
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)
