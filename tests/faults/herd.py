"""Several runs of several kinds, kept alive by a client that never knows whether the daemon still lives."""

import json
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.daemon import SCRIPT_PYTHON, Daemon
from tests.faults.kinds import KINDS, PREDICT, Kind, script_of


@dataclass
class Member:
    """A run as its client knows it: `id` once a submission was answered, `ended` its view at the end."""

    kind: Kind
    folder: Path
    id: str | None = None
    ended: dict[str, Any] | None = None

    @property
    def word(self) -> str:
        return self.folder.name

    @property
    def script(self) -> Path:
        return self.folder / "train.py"


@dataclass
class Herd:
    """At most `size` runs alive at once, `limit` in all."""

    folder: Path
    size: int
    limit: int
    chance: random.Random
    members: list[Member] = field(default_factory=list)

    @property
    def alive(self) -> list[Member]:
        return [member for member in self.members if member.ended is None]

    @property
    def done(self) -> bool:
        return len(self.members) >= self.limit and not self.alive

    def tend(self, http: httpx2.Client) -> None:
        """Submit, look and ask, once round. Raises `httpx2.TransportError` where the daemon dies."""
        while len(self.alive) < self.size and len(self.members) < self.limit:
            self.members.append(self._new())
        for member in self.alive:
            if member.id is None:
                self._submit(http, member)
            else:
                self._look(http, member, member.id)

    def _new(self) -> Member:
        number = len(self.members)
        # Each kind comes once before any comes twice.
        kind = KINDS[number] if number < len(KINDS) else self.chance.choice(KINDS)
        member = Member(kind, self.folder / f"run-{number}")
        member.folder.mkdir(parents=True)
        member.script.write_text(script_of(kind, member.word))
        (member.folder / "predict.py").write_text(PREDICT)
        return member

    def _submit(self, http: httpx2.Client, member: Member) -> None:
        body = {
            "script": str(member.script),
            "python": SCRIPT_PYTHON,
            "name": member.word,
            "grace_s": 5,
            **member.kind.body,
        }
        answer = http.post("/v1/runs", json=body, headers={"Idempotency-Key": member.word})
        assert answer.status_code == 201, answer.text
        member.id = answer.json()["id"]

    def _look(self, http: httpx2.Client, member: Member, run_id: str) -> None:
        answer = http.get(f"/v1/runs/{run_id}")
        assert answer.status_code == 200, f"run {run_id} is lost: {answer.text}"
        run = answer.json()
        if run["ended_at"] is not None:
            member.ended = run
        elif member.kind.asks is None or run["state"] != "running" or not _prints(http, run_id):
            return
        elif member.kind.asks == "stop":
            http.post(f"/v1/runs/{run_id}/stop", json={})
        elif run["attempt"] == 1:
            # What was asked of a daemon that died may be on record already: then this is refused.
            http.post(f"/v1/runs/{run_id}/relaunch", json={"batch_size": 128, "if_attempt": 1})


def _prints(http: httpx2.Client, run_id: str) -> bool:
    """Whether the script has come so far as to print: it has put itself on record and can be stopped."""
    return bool(http.get(f"/v1/runs/{run_id}/log").content)


class Follower:
    """Follows the first attempt's log of one run over any number of daemons, resuming where it was cut."""

    def __init__(self, daemon: Daemon, member: Member) -> None:
        self.member = member
        self.text = ""
        self.finished = False
        self._daemon = daemon
        self._offset: str | None = None
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def leave(self, timeout_s: float) -> None:
        """Wait for the log's end, at most so long."""
        self._thread.join(timeout_s)
        self._leave.set()

    def _follow(self) -> None:
        while not (self.finished or self._leave.is_set()):
            try:
                self._read()
            except (httpx2.HTTPError, OSError, ValueError, KeyError):
                self._leave.wait(0.1)

    def _read(self) -> None:
        announced = json.loads((self._daemon.state_dir / "daemon.json").read_text())
        token = (self._daemon.state_dir / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        if self._offset is not None:
            headers["Last-Event-ID"] = self._offset
        url = f"{announced['url']}/v1/runs/{self.member.id}/log"
        query = {"follow": "true", "attempt": "1", "offset": "0"}
        with httpx2.stream("GET", url, params=query, headers=headers, timeout=20, trust_env=False) as answer:
            answer.raise_for_status()
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif event:
                    self._take(event)
                    event = {}

    def _take(self, event: dict[str, str]) -> None:
        if event.get("event") == "log":
            self.text += json.loads(event["data"])
            self._offset = event["id"]
        elif event.get("event") == "end" and json.loads(event["data"])["reason"] == "ended":
            self.finished = True
