"""Each rule of the gate, attacked: who may call, from where, with how much, and what is never shown."""

import json
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from supervisor.api.guard import OPEN_PATHS, Gate, Head, host_name
from tests.api.answers import problem
from tests.daemon import Daemon, running_daemon

SECRET = "s3cr3t-of-a-competition"  # noqa: S105 - what must not be shown


@contextmanager
def stranger(daemon: Daemon, **options: object) -> Iterator[httpx2.Client]:
    """A client without the token."""
    with httpx2.Client(base_url=daemon.http.base_url, trust_env=False, **options) as client:
        yield client


def raw(daemon: Daemon, request: bytes) -> bytes:
    """What comes back for these very bytes."""
    address = (daemon.http.base_url.host, daemon.http.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        with suppress(OSError):  # it may have hung up already, which is an answer too
            connection.sendall(request)
        found = b""
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                return found
            if not piece:
                return found
            found += piece


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": "{token}"},
        {"Authorization": "Bearer {token}x"},
        {"Cookie": "token={token}"},
        {"X-Api-Key": "{token}"},
    ],
)
def test_without_the_token_in_its_place_nothing_is_told(host_daemon: Daemon, headers: dict[str, str]) -> None:
    token = (host_daemon.state_dir / "token").read_text().strip()
    given = {name: value.format(token=token) for name, value in headers.items()}
    with stranger(host_daemon) as client:
        answer = client.get("/v1/runs", headers=given)
    assert str(host_daemon.state_dir / "auth.header") in problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_token_in_a_query_is_no_token(host_daemon: Daemon) -> None:
    token = (host_daemon.state_dir / "token").read_text().strip()
    with stranger(host_daemon) as client:
        for name in ("token", "access_token", "authorization"):
            problem(client.get("/v1/runs", params={name: token}), 401, "unauthenticated")


def test_every_route_but_the_open_ones_needs_the_token(host_daemon: Daemon) -> None:
    paths = host_daemon.http.get("/v1/openapi.json").json()["paths"]
    with stranger(host_daemon) as client:
        for path, operations in paths.items():
            for method in operations:
                answer = client.request(
                    method, path.replace("{reference}", "latest").replace("{number}", "1")
                )
                assert (answer.status_code == 401) == (path not in OPEN_PATHS), (method, path)
        problem(client.get("/v1/nothing-here"), 401, "unauthenticated")
        for path in OPEN_PATHS:
            assert client.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "host",
    [
        *("evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "evil.com:{port}", "[::1]", "[::1]:{port}"),
        *(
            "localhost:evil",
            "user@localhost",
            "127.0.0.1,evil.com",
            "[::1",
            "2130706433",
            "0.0.0.0",  # noqa: S104 - a name that is sent
            "localhost.",
        ),
    ],
)
def test_foreign_host_is_refused_even_with_the_token(host_daemon: Daemon, host: str) -> None:
    given = host.format(port=host_daemon.http.base_url.port)
    problem(host_daemon.http.get("/v1/runs", headers={"Host": given}), 400, "bad_host")
    problem(host_daemon.http.get("/status", headers={"Host": given}), 400, "bad_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8724"])
def test_own_names_are_taken_with_any_port(host_daemon: Daemon, host: str) -> None:
    assert host_daemon.http.get("/v1/runs", headers={"Host": host}).status_code == 200


def test_request_without_a_host_is_refused(host_daemon: Daemon) -> None:
    assert b" 400 " in raw(host_daemon, b"GET /status HTTP/1.1\r\n\r\n")
    assert b" 400 " in raw(host_daemon, b"GET /status HTTP/1.0\r\nConnection: close\r\n\r\n")


def test_host_header_is_parsed_to_its_name() -> None:
    assert host_name("[::1]:8724") == "[::1]"
    assert host_name("LocalHost:1") == "localhost"
    assert [host_name(bad) for bad in ("", ":1", "a:b", "[::1", "[::1]x", "[evil]", "a:1:2")] == [None] * 7


def test_wildcard_address_takes_every_ip_literal_and_no_foreign_name() -> None:
    gate = Gate("t" * 16, "file", frozenset({"box"}), any_address=True)
    token = (b"authorization", b"Bearer " + b"t" * 16)
    for host in (b"192.0.2.7:8724", b"[2001:db8::1]", b"box"):
        assert gate.refuse("/v1/runs", Head([(b"host", host), token])) is None, host
    assert gate.refuse("/v1/runs", Head([(b"host", b"evil.com"), token])) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.com:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_page_of_another_site_is_refused_even_with_the_token(
    host_daemon: Daemon, headers: dict[str, str]
) -> None:
    given = {name: value.format(port=host_daemon.http.base_url.port) for name, value in headers.items()}
    for answer in (
        host_daemon.http.get("/v1/runs", headers=given),
        host_daemon.http.post("/v1/runs/latest/stop", headers=given),
        host_daemon.http.get("/status", headers=given),
    ):
        problem(answer, 403, "cross_origin")
        assert "access-control-allow-origin" not in answer.headers


def test_own_page_is_taken(host_daemon: Daemon) -> None:
    origin = str(host_daemon.http.base_url).rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert host_daemon.http.get("/v1/runs", headers=headers).status_code == 200


def test_preflight_of_another_site_gets_no_leave(host_daemon: Daemon) -> None:
    headers = {"Origin": "http://evil.com", "Access-Control-Request-Method": "POST"}
    answer = host_daemon.http.options("/v1/runs", headers=headers)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None],
)
def test_request_that_a_form_could_send_starts_nothing(
    host_daemon: Daemon, script: Callable[..., Path], content_type: str | None
) -> None:
    before = host_daemon.http.get("/v1/runs").json()["items"]
    body = json.dumps({"script": str(script("pass"))})
    headers = {"Content-Type": content_type} if content_type else {}
    problem(host_daemon.http.post("/v1/runs", content=body, headers=headers), 422, "validation_failed")
    assert [run["id"] for run in host_daemon.http.get("/v1/runs").json()["items"]] == [
        run["id"] for run in before
    ]


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../auth.py", "/static/%2e%2e/core.py", "/static/..%2f..%2f..%2fetc%2fpasswd"),
        *("/static//etc/passwd", "/v1/runs/..%2f..%2ftoken/log", "/v1/runs/%00/log", "/static/%ff"),
        *("/v1/runs/..%2flatest", "/v1/runs/" + "a" * 65, "/v1/runs/%2e%2e/log"),
    ],
)
def test_path_leads_nowhere_but_to_what_is_offered(host_daemon: Daemon, path: str) -> None:
    answer = raw(
        host_daemon,
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"{(host_daemon.state_dir / 'auth.header').read_text().strip()}\r\n\r\n".encode(),
    )
    assert answer.split(b" ", 2)[1] in {b"404", b"422"}
    assert b"root:" not in answer
    assert b"import" not in answer


def test_scripts_directories_and_follow_ups_must_lie_inside_the_allowed_roots(
    tmp_path: Path, script: Callable[..., Path]
) -> None:
    outside = script("print('outside')")
    root = tmp_path / "root"
    root.mkdir()
    (root / "inside.py").write_text("pass")
    (root / "link.py").symlink_to(outside)
    (root / "linked").symlink_to(tmp_path)
    inside = str(root / "inside.py")
    attacks = [
        {"script": str(outside)},
        {"script": str(root / "link.py")},
        {"script": str(root / "linked" / outside.name)},
        {"script": str(root / ".." / outside.name)},
        {"script": inside, "cwd": str(tmp_path)},
        {"script": inside, "cwd": str(root / "linked")},
        {"script": inside, "follow_up": {"script": str(outside)}},
        {"script": inside, "follow_up": {"script": "link.py"}},
        {"script": inside, "artifacts": [{"path": "linked/submission.csv"}]},
        {"script": inside, "artifacts": [{"path": "a.csv", "like": str(outside)}]},
        {"script": "/etc/passwd"},
        {"script": str(tmp_path / "missing.py")},
    ]
    env = {"TRAIND_ALLOWED_ROOTS": f'["{root}"]'}
    with running_daemon(tmp_path / "state", "--device", "host", env=env) as daemon:
        assert daemon.wait(daemon.submit(root / "inside.py")["id"])["state"] == "succeeded"
        for body in attacks:
            answer = daemon.http.post("/v1/runs", json=body)
            assert str(root) in problem(answer, 403, "outside_allowed_roots"), body
        for body in attacks[:4]:
            problem(daemon.http.post("/v1/reviews", json=body), 403, "outside_allowed_roots")


def test_script_that_becomes_a_link_out_of_the_roots_is_not_launched(
    tmp_path: Path, script: Callable[..., Path]
) -> None:
    outside = script("open('/dev/null')\nprint('outside')", "outside.py")
    root = tmp_path / "root"
    root.mkdir()
    (root / "train.py").write_text("pass")
    follow_up = root / "predict.py"
    env = {"TRAIND_ALLOWED_ROOTS": f'["{root}"]'}
    with running_daemon(tmp_path / "state", "--device", "host", env=env) as daemon:
        follow_up.symlink_to(root / "train.py")
        body = {"follow_up": {"script": "predict.py"}}
        (root / "train.py").write_text(
            f"import os\nos.unlink('predict.py')\nos.symlink({str(outside)!r}, 'predict.py')\n"
        )
        run = daemon.wait(daemon.submit(root / "train.py", **body)["id"])
        assert (run["state"], run["reason"]) == ("failed", "follow_up_failed")
        assert "outside" not in daemon.http.get(f"/v1/runs/{run['id']}/log?stage=follow_up").text


def test_socket_answers_its_owner_alone_and_asks_for_the_token_too(host_daemon: Daemon) -> None:
    path = Path(json.loads((host_daemon.state_dir / "daemon.json").read_text())["socket"])
    mode = path.lstat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    transport = httpx2.HTTPTransport(uds=str(path))
    with httpx2.Client(transport=transport, base_url="http://localhost") as client:
        assert client.get("/healthz").status_code == 200
        problem(client.get("/v1/runs"), 401, "unauthenticated")
        assert client.get("/v1/runs", headers=dict(host_daemon.http.headers)).status_code == 200


def test_socket_goes_with_its_daemon_and_replaces_a_dead_ones(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with running_daemon(tmp_path / "state", "--device", "host", env={"TRAIND_SOCKET": str(path)}) as daemon:
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert json.loads((daemon.state_dir / "daemon.json").read_text())["socket"] == str(path)
    assert not path.exists()


def test_state_directory_and_what_is_secret_in_it_are_private(host_daemon: Daemon) -> None:
    for name in ("token", "auth.header"):
        assert (host_daemon.state_dir / name).stat().st_mode & 0o777 == 0o600
    assert host_daemon.state_dir.stat().st_mode & 0o777 == 0o700


def test_huge_body_is_refused_unread_or_as_it_comes(host_daemon: Daemon) -> None:
    body = json.dumps({"script": "x" * 10_000_000})
    headers = {"Content-Type": "application/json"}
    problem(host_daemon.http.post("/v1/runs", content=body, headers=headers), 413, "body_too_large")
    pieces = (body[start : start + 65536].encode() for start in range(0, len(body), 65536))
    problem(host_daemon.http.post("/v1/runs", content=pieces, headers=headers), 413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [
        *("{", "[]", "null", '"x"', "", "{'script': 1}", '{"script": NaN}', '{"script": "\\ud800"}'),
        *('{"script": "a\\u0000b"}', '{"script": ["a"]}', '{"script": 1e999}', "[" * 100_000),
        *('{"a":' * 50_000, '{"script": "/x", "script2": 1}', '{"script": "/x", "env": {"A=B": "c"}}'),
        '{"script": "/x", "grace_s": ' + "9" * 400 + "}",
    ],
)
def test_body_that_is_no_submission_says_what_to_send(host_daemon: Daemon, body: str) -> None:
    answer = host_daemon.http.post("/v1/runs", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["code"] in {"validation_failed", "bad_request"}
    problem(answer, answer.status_code, answer.json()["code"])
    assert answer.status_code in {400, 422}


def test_body_that_is_not_utf8_is_refused(host_daemon: Daemon) -> None:
    answer = host_daemon.http.post(
        "/v1/runs", content=b'{"script": "/caf\xe9.py"}', headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_flood_of_headers_is_refused(host_daemon: Daemon) -> None:
    many = {f"X-{number}": "a" for number in range(200)}
    problem(host_daemon.http.get("/status", headers=many), 431, "headers_too_large")
    problem(host_daemon.http.get("/status", headers={"X-Large": "a" * 40_000}), 431, "headers_too_large")
    huge = b"GET /status HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"a" * 400_000 + b"\r\n\r\n"
    answer = raw(host_daemon, huge)
    assert not answer or answer.split(b" ", 2)[1] in {b"400", b"431"}
    endless = b"GET /status HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 60_000
    answer = raw(host_daemon, endless)
    assert not answer or b"malformed_request" in answer
    assert host_daemon.http.get("/healthz").status_code == 200


def test_what_is_no_http_gets_a_problem(host_daemon: Daemon) -> None:
    answer = raw(host_daemon, b"\x16\x03\x01 not http at all\r\n\r\n")
    assert b" 400 " in answer
    assert b"application/problem+json" in answer


def test_secrets_of_a_run_are_shown_nowhere(host_daemon: Daemon, script: Callable[..., Path]) -> None:
    path = script("import os; print(len(os.environ['API_KEY']))")
    run_id = host_daemon.submit(path, env={"API_KEY": SECRET, "MY_PASSWORD": SECRET})["id"]
    host_daemon.wait(run_id)
    base = f"/v1/runs/{run_id}"
    for url in (base, f"{base}/attempts", f"{base}/events", f"{base}/report", "/v1/runs", "/status"):
        for accept in ("application/json", "text/markdown", "text/html", "text/plain"):
            assert SECRET not in host_daemon.http.get(url, headers={"Accept": accept}).text, url
    assert host_daemon.http.get(f"{base}/log").text == f"{len(SECRET)}\n"
    wrong = {"script": str(path), "env": {"API_KEY": SECRET}, "grace_s": SECRET, "name": f"!{SECRET}"}
    answer = host_daemon.http.post("/v1/runs", json=wrong)
    assert answer.status_code == 422
    assert SECRET not in answer.text
    assert SECRET not in host_daemon.log.read_text()


def test_token_is_in_no_answer_and_in_no_log(host_daemon: Daemon) -> None:
    token = (host_daemon.state_dir / "token").read_text().strip()
    for url in (
        "/",
        "/docs",
        "/llms.txt",
        "/v1/openapi.json",
        "/status",
        "/readyz",
        "/metrics",
        "/v1/nothing",
    ):
        assert token not in host_daemon.http.get(url).text
    assert token not in host_daemon.log.read_text()


def test_pages_for_browsers_carry_a_policy_and_load_nothing_from_elsewhere(http: httpx2.Client) -> None:
    for url in ("/", "/docs"):
        page = http.get(url)
        assert "default-src" in page.headers["content-security-policy"]
        assert "https://" not in page.text
        assert page.headers["x-content-type-options"] == "nosniff"
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static/{name}" in http.get("/docs").text
        assert http.get(f"/static/{name}").status_code == 200


def test_answer_about_runs_is_kept_by_no_cache(http: httpx2.Client) -> None:
    assert http.get("/v1/runs").headers["cache-control"] == "no-store"


def test_readiness_is_told_without_the_token(host_daemon: Daemon) -> None:
    with stranger(host_daemon) as client:
        found = client.get("/readyz").json()
    assert (found["status"], found["problems"]) == ("ready", [])
