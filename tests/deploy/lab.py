"""A Dockerfile carried out without an engine, in a throw-away copy of this machine's file system.

An overlay in memory lies over `/`, in a mount namespace of its own; each `RUN` is done there under chroot,
as it is written. The base image is this machine's Debian or Ubuntu, and all stages share one root, so
`COPY --from` must name one path twice. A container is a PID namespace on that root, with the image's user,
environment and entry point.
"""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.daemon import eventually
from tests.deploy.dockerfile import Dockerfile, Instruction, expand

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # what a base image has
_TOOLS = ("unshare", "nsenter", "chroot", "apt-get", "useradd")
_PASSED_ON = (
    "PIP_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT",
    "REQUESTS_CA",
)  # how to reach packages
_PIP_CACHE = "/root/.cache/pip"

_SET_UP = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/data" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/data" "$1/root"
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/tmp"
mkdir -p "$1/root/run/secrets"
# Ubuntu's image has a user `ubuntu` under the number 1000.
there=$(getent passwd 1000 | cut -d: -f1) || true
[ -z "$there" ] || chroot "$1/root" userdel -f "$there" > /dev/null 2>&1 || true
chroot "$1/root" useradd -m -u 1000 ubuntu
echo ready
exec cat
"""


class LabUnavailableError(Exception):
    """This machine cannot do it; the message says why."""


@dataclass(slots=True)
class Config:
    """What an image says of its containers."""

    env: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    user: str = "0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)


class Lab:
    """The root file system, and the configuration of the image that was built in it."""

    def __init__(self, folder: Path, holder: int, cache: Path) -> None:
        self.root = folder / "root"
        self._holder = holder
        self._cache = cache
        self.config = Config()

    def build(self, file: Dockerfile, context: Path, target: str, arguments: dict[str, str]) -> None:
        """Carry out every stage that the target needs; raises `AssertionError` with what a command said."""
        configs: dict[str, Config] = {}
        for stage in file.needed(target):
            self.config = configs[stage.name] = deepcopy(configs.get(stage.base, Config()))
            values = dict(self.config.env)
            for instruction in stage.instructions:
                self._do(instruction, context, values, arguments)

    def reaches_packages(self) -> bool:
        """Whether apt-get gets an index here; leaves nothing in the root."""
        mounts = " && ".join(
            f"mount -t tmpfs tmpfs {self.root}{path}" for path in ("/var/lib/apt", "/var/cache/apt")
        )
        script = f"{mounts} && chroot {self.root} apt-get -qq update"
        return self.enter(["unshare", "--mount", "sh", "-c", script], check=False).returncode == 0

    def left_behind(self, *paths: str) -> list[str]:
        """Files that the build made or changed under these paths."""
        upper = [str(self.root.parent / "upper" / path.lstrip("/")) for path in paths]
        return self.enter(["find", *upper, "-type", "f"], check=False).stdout.split()

    def enter(self, command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the mount namespace, outside the root."""
        done = subprocess.run(
            ["nsenter", f"--mount=/proc/{self._holder}/ns/mnt", *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, (command, done.stdout, done.stderr)
        return done

    def write(self, path: str, text: str, *, mode: str = "0644") -> None:
        """A file of the image's user."""
        target = self.root / path.lstrip("/")
        self.enter(["sh", "-c", f"printf %s {shlex.quote(text)} > {target}"])
        self.enter(["chown", self.config.user, str(target)])
        self.enter(["chmod", mode, str(target)])

    def read(self, path: str) -> str:
        return self.enter(["cat", str(self.root / path.lstrip("/"))], check=False).stdout

    @contextmanager
    def container(self, log: Path, **env: str) -> Iterator["Container"]:
        """The image's entry point and command as process 1 of a PID namespace."""
        words = [*self.config.entrypoint, *self.config.command]
        inner = f'mount -t proc proc {self.root}/proc && exec "$@"'
        command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", inner, "sh", *self.inside(words, env)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                ["nsenter", f"--mount=/proc/{self._holder}/ns/mnt", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        container = Container(self, process, env)
        try:
            yield container
        finally:
            container.kill()

    def inside(self, words: list[str], env: dict[str, str]) -> list[str]:
        """The words as the image's user runs them, under chroot, with the image's environment."""
        home = {"HOME": "/home/traind" if self.config.user != "0" else "/root"}
        settings = [f"{name}={value}" for name, value in {**home, **self.config.env, **env}.items()]
        into = [
            "chroot",
            f"--userspec={self.config.user}",
            str(self.root),
            "env",
            "-i",
            "-C",
            self.config.workdir,
        ]
        return [*into, *settings, *words]

    def _do(  # noqa: C901 - one case an instruction
        self, instruction: Instruction, context: Path, values: dict[str, str], arguments: dict[str, str]
    ) -> None:
        match instruction.keyword:
            case "RUN":
                self._run(instruction, values)
            case "COPY":
                self._copy(instruction, context)
            case "ARG":
                values |= instruction.pairs()
                values |= {name: arguments[name] for name in instruction.pairs() if name in arguments}
            case "ENV":
                self.config.env |= {
                    name: expand(value, values) for name, value in instruction.pairs().items()
                }
                values |= self.config.env
            case "USER":
                self.config.user = expand(instruction.value, values)
            case "WORKDIR":
                self.config.workdir = instruction.value
                self.enter(["mkdir", "-p", f"{self.root}{self.config.workdir}"])
            case "ENTRYPOINT":
                self.config.entrypoint = instruction.words()
            case "HEALTHCHECK":
                self.config.healthcheck = Instruction(
                    "CMD", (), instruction.value.removeprefix("CMD ")
                ).words()
            case "CMD":
                self.config.command = instruction.words()
            case "VOLUME" | "EXPOSE" | "LABEL":
                pass
            case unknown:
                raise AssertionError(f"the lab does not know {unknown}")

    def _run(self, instruction: Instruction, values: dict[str, str]) -> None:
        """The command with its cache mounts, which leave nothing in the root."""
        mounts = [
            dict(part.partition("=")[::2] for part in each.split(",")) for each in instruction.flag("mount")
        ]
        targets = [mount["target"] for mount in mounts if mount["type"] == "cache"]
        for target in targets:
            where = f"{self.root}{target}"
            self.enter(["mkdir", "-p", where])
            kept = target == _PIP_CACHE
            self.enter(
                ["mount", "--bind", str(self._cache), where]
                if kept
                else ["mount", "-t", "tmpfs", "tmpfs", where]
            )
        passed_on = {name: value for name, value in os.environ.items() if name.upper().startswith(_PASSED_ON)}
        self.enter(self.inside(["/bin/sh", "-c", instruction.value], {**passed_on, **values}))
        for target in targets:
            self.enter(["umount", f"{self.root}{target}"])

    def _copy(self, instruction: Instruction, context: Path) -> None:
        *sources, destination = instruction.words()
        if instruction.flag("from"):
            assert sources == [destination], "all stages share one root"
            return
        for source in sources:
            name = source if destination == "./" else destination
            target = self.root / os.path.join(self.config.workdir, name).lstrip("/")  # noqa: PTH118 - joins as COPY does
            self.enter(["mkdir", "-p", str(target.parent)])
            self.enter(["cp", "-r", "--no-target-directory", str(context / source), str(target)])


class Container:
    """A running container."""

    def __init__(self, lab: Lab, process: subprocess.Popen[bytes], env: dict[str, str]) -> None:
        self._lab = lab
        self._process = process
        self._env = env
        outside = psutil.Process(process.pid)
        found = eventually(lambda: process.poll() is not None or outside.children())
        self.first = found[0] if isinstance(found, list) else outside  # process 1 of the namespace

    def exec(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As `docker exec`: another process in this container."""
        namespaces = ["nsenter", "--target", str(self.first.pid), "--mount", "--pid", "--"]
        command = [*namespaces, *self._lab.inside(list(words), self._env)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def processes(self) -> list[psutil.Process]:
        """All processes in it, those apart from process 1's tree included."""
        namespace = _namespace(self.first.pid)
        return [each for each in psutil.process_iter() if _namespace(each.pid) == namespace]

    def stop(self) -> int:
        """As `docker stop`: SIGTERM to process 1; its exit code, as the engine reports it."""
        self.first.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def wait(self) -> int:
        """The exit code, once it has ended by itself."""
        return self._process.wait(30)

    def kill(self) -> None:
        if self._process.poll() is None:
            self.first.kill()
            self._process.wait(30)


@contextmanager
def open_lab(folder: Path, cache: Path) -> Iterator[Lab]:
    """An empty lab; raises `LabUnavailableError` where this machine cannot make one."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise LabUnavailableError(f"{', '.join(missing)} not found")
    if os.geteuid() != 0:
        raise LabUnavailableError("mounting needs root")
    cache.mkdir(parents=True, exist_ok=True)
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", _SET_UP, "sh", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert holder.stdout is not None
    try:
        if holder.stdout.readline() != b"ready\n":
            _, said = holder.communicate()
            raise LabUnavailableError(f"no overlay over / can be mounted: {said.decode().strip()}")
        yield Lab(folder, holder.pid, cache)
    finally:
        holder.communicate()


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None
