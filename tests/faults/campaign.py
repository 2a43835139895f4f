"""Rounds of a daemon's life and death with runs alive in it, and what came of them."""

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.daemon import Daemon, eventually
from tests.faults.audit import Findings, after_a_kill, after_a_start, at_the_end, orphans
from tests.faults.herd import Follower, Herd, Member
from tests.faults.points import POINTS

# 64 of a script's units are underused in this, and 128 are not.
_CAPACITY = "128MiB"
_ARMED_S = 5.0  # a point that nobody comes by in this time gives way to a kill at a random moment
_END_S = 120.0


@dataclass
class Campaign:
    """`kills` deaths, of which a share at chosen points; made by `run_campaign`."""

    kills: int
    findings: Findings = field(default_factory=Findings)
    at_points: Counter[str] = field(default_factory=Counter)
    at_random: int = 0
    while_starting: int = 0
    alive: list[int] = field(default_factory=list)
    runs: int = 0
    streams: int = 0
    ready_s: list[float] = field(default_factory=list)


def run_campaign(
    folder: Path, *, kills: int, seed: int, herd_size: int = 6, tell: Callable[[str], None] = lambda _: None
) -> Campaign:
    """Kill the daemon so often, let what lives come to its end, and check everything."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    campaign = Campaign(kills)
    env = {
        "TRAIND_SAMPLE_EVERY_S": "0.1",
        "TRAIND_LOG_LEVEL": "warning",
        "TRAIND_LOG__MAX_BYTES": "1MiB",
    }
    daemon = Daemon(folder / "state", "--device", "host", "--host-capacity", _CAPACITY, env=env, start=False)
    herd = Herd(folder, herd_size, limit=10**6, chance=chance)
    followers: list[Follower] = []
    points = list(POINTS)
    try:
        for number in range(kills):
            if number % len(points) == 0:
                chance.shuffle(points)
            # Every other death is at a point, in turn; the rest at random moments, some while it starts.
            if number % 2 == 0:
                point = points[(number // 2) % len(points)]
                _die_at(daemon, campaign, herd, followers, str(point), point.place, point.after, chance)
            elif chance.random() < 0.3:
                _die_while_starting(daemon, campaign, chance)
            else:
                _die_at_random(daemon, campaign, herd, followers, chance)
            campaign.alive.append(len(herd.alive))
            after_a_kill(campaign.findings, daemon.state_dir, herd.alive)
            tell(f"kill {number + 1}: {len(herd.members)} runs, {len(herd.alive)} alive")
        herd.limit = len(herd.members)
        _start(daemon, campaign, herd)
        _tend_until(daemon, herd, followers, lambda: herd.done, _END_S)
        for follower in followers:
            follower.leave(10)
        campaign.runs, campaign.streams = len(herd.members), len(followers)
        with suppress(AssertionError):
            eventually(
                lambda: not orphans(daemon.state_dir, [item.id or "" for item in herd.members]), limit_s=5
            )
        at_the_end(campaign.findings, daemon, herd.members, followers)
    finally:
        _end(daemon)
    return campaign


def _die_at(
    daemon: Daemon,
    campaign: Campaign,
    herd: Herd,
    followers: list[Follower],
    name: str,
    place: str,
    after: bool,
    chance: random.Random,
) -> None:
    passages = str(chance.choice((1, 1, 1, 2, 3)))
    daemon.launch("tests.faults.bomb", place, "after" if after else "before", passages)
    with suppress(AssertionError):  # it may die before it is ready
        _connect(daemon, campaign, herd, time.monotonic())
        _tend_until(daemon, herd, followers, lambda: False, _ARMED_S)
    if daemon.process.poll() is None:
        campaign.at_random += 1
    else:
        campaign.at_points[name] += 1
    _kill(daemon)


def _die_while_starting(daemon: Daemon, campaign: Campaign, chance: random.Random) -> None:
    daemon.launch()
    time.sleep(chance.uniform(0.1, 1.5))
    campaign.while_starting += 1
    _kill(daemon)


def _die_at_random(
    daemon: Daemon, campaign: Campaign, herd: Herd, followers: list[Follower], chance: random.Random
) -> None:
    _start(daemon, campaign, herd)
    _tend_until(daemon, herd, followers, lambda: False, chance.uniform(0.05, 2.0))
    campaign.at_random += 1
    _kill(daemon)


def _start(daemon: Daemon, campaign: Campaign, herd: Herd) -> None:
    daemon.launch()
    _connect(daemon, campaign, herd, time.monotonic())


def _connect(daemon: Daemon, campaign: Campaign, herd: Herd, began: float) -> None:
    daemon.connect()
    campaign.ready_s.append(time.monotonic() - began)
    with suppress(httpx2.TransportError):
        after_a_start(campaign.findings, daemon, herd.members)


def _tend_until(
    daemon: Daemon, herd: Herd, followers: list[Follower], done: Callable[[], bool], limit_s: float
) -> None:
    """Be the client until that holds, the daemon is dead, or the time is over."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until and daemon.process.poll() is None and not done():
        with suppress(httpx2.TransportError):
            herd.tend(daemon.http)
            _follow_some(daemon, herd, followers)
        time.sleep(0.03)


def _follow_some(daemon: Daemon, herd: Herd, followers: list[Follower]) -> None:
    """Two streams at a time, of runs whose first attempt comes to its end by itself."""
    open_ = [follower for follower in followers if not follower.finished]
    followed = {follower.member.word for follower in followers}
    for member in herd.alive:
        if len(open_) < 2 and member.id is not None and member.word not in followed and _followable(member):
            follower = Follower(daemon, member)
            followers.append(follower)
            open_.append(follower)


def _followable(member: Member) -> bool:
    """Of what is trimmed a stream that was cut misses some, by design."""
    return member.kind.talks and not member.kind.chunks


def _kill(daemon: Daemon) -> None:
    if hasattr(daemon, "http"):
        daemon.http.close()
    daemon.process.kill()
    daemon.process.wait()


def _end(daemon: Daemon) -> None:
    if daemon.process.poll() is None:
        daemon.stop_everything()
        daemon.end()
