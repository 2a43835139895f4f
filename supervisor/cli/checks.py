"""What `doctor` makes of what it finds: each check takes figures and gives a line. Pure."""

from dataclasses import dataclass
from enum import StrEnum

_GIB = 2**30
_LOW_DISK = 5 * _GIB
_NO_DISK = _GIB
_LOW_SHM = 2 * _GIB
_LOW_FILES = 1024
_LOW_INSTANCES = 128
_LOW_WATCHES = 8192


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, what was found, and what to do about it where there is something."""

    name: str
    level: Level
    found: str
    fix: str | None = None


def nvml(names: list[str], error: str | None) -> Check:
    """Whether GPUs can be read; without any, host memory is measured instead."""
    if error is not None:
        fix = "install the NVIDIA driver, or go on with --device host"
        return Check("nvml", Level.WARN, error, fix)
    if not names:
        return Check("nvml", Level.WARN, "the driver lists no GPU", "go on with --device host")
    return Check("nvml", Level.OK, f"{len(names)} GPU{'s' if len(names) > 1 else ''}: {', '.join(names)}")


def cuda_visibility(value: str | None, gpus: int) -> Check:
    """Whether `CUDA_VISIBLE_DEVICES` hides what scripts need."""
    name = "cuda"
    if value is None:
        return Check(name, Level.OK, "CUDA_VISIBLE_DEVICES is not set: every GPU is visible")
    fix = "unset CUDA_VISIBLE_DEVICES, or name GPUs that there are"
    items = [item.strip() for item in value.split(",")]
    if value.strip() in {"", "-1"}:
        level = Level.WARN if gpus else Level.OK
        return Check(name, level, f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU", fix if gpus else None)
    for item in items:
        if item.isdecimal() and int(item) < gpus:
            continue
        if item.startswith(("GPU-", "MIG-")):
            continue
        found = f"CUDA_VISIBLE_DEVICES={value}: there is no GPU {item!r} of {gpus}"
        return Check(name, Level.FAIL if gpus else Level.WARN, found, fix)
    if len(set(items)) != len(items):
        return Check(name, Level.FAIL, f"CUDA_VISIBLE_DEVICES={value} names a GPU twice", fix)
    return Check(name, Level.OK, f"CUDA_VISIBLE_DEVICES={value}")


def state_directory(path: str, *, exists: bool, writable: bool, mode: int | None) -> Check:
    """Whether the state directory can be written, and by its owner alone. `mode` in octal bits."""
    name = "state directory"
    if not writable:
        fix = f"make it writable for this user, or choose another by --state-dir: chown $USER {path}"
        return Check(name, Level.FAIL, f"{path} cannot be written", fix)
    if not exists:
        return Check(name, Level.OK, f"{path}: made at the first start")
    if mode is not None and mode & 0o077:
        return Check(name, Level.WARN, f"{path} is open to others (mode {mode:o})", f"chmod 700 {path}")
    return Check(name, Level.OK, f"{path} is writable and private")


def disk(path: str, free: int) -> Check:
    """Room for logs and records. `free` in bytes."""
    found = f"{_size(free)} free at {path}"
    fix = "free space there, or choose another place by --state-dir"
    if free < _NO_DISK:
        return Check("disk", Level.FAIL, found, fix)
    return Check("disk", Level.WARN, found, fix) if free < _LOW_DISK else Check("disk", Level.OK, found)


def store(path: str, *, exists: bool, problem: str | None, aside: list[str], holder: str | None) -> Check:
    """The store's file, read without a change. `aside` names damaged ones that were kept, `holder` a pid."""
    name = "store"
    if problem is not None:
        return Check(
            name,
            Level.FAIL,
            problem,
            "start the daemon again: it keeps a damaged store aside and saves what can be read",
        )
    if aside:
        found = f"{path} is sound; earlier it was damaged: {', '.join(aside)}"
        return Check(name, Level.WARN, found, "look at what was lost, then put that file elsewhere")
    if not exists:
        return Check(name, Level.OK, f"{path}: made at the first start")
    held = f"held by process {holder}" if holder is not None else "no daemon holds it"
    return Check(name, Level.OK, f"{path} is sound; {held}")


def holes(path: str, *, supported: bool | None) -> Check:
    """Whether logs can be bounded there, by holes in their heads. `supported` None: it could not be tried."""
    if supported is None:
        return Check("holes", Level.WARN, f"could not be tried at {path}", "make it writable for this user")
    if not supported:
        fix = "put it on ext4, xfs, btrfs or tmpfs by --state-dir, or see that scripts print little"
        return Check("holes", Level.WARN, f"logs at {path} cannot be bounded on disk", fix)
    return Check("holes", Level.OK, f"logs at {path} can be bounded on disk")


def shared_memory(total: int | None, free: int | None) -> Check:
    """`/dev/shm`, through which the workers of a DataLoader hand over batches. Bytes."""
    name = "/dev/shm"  # noqa: S108 - what is looked at
    if total is None or free is None:
        return Check(name, Level.WARN, "it is not there", "mount a tmpfs there, or use num_workers=0")
    found = f"{_size(free)} free of {_size(total)}"
    if free < _LOW_SHM:
        fix = "give it more (docker run --shm-size=8g, or mount -o remount,size=8g /dev/shm)"
        return Check(name, Level.WARN, f"{found}: workers may die of a bus error", fix)
    return Check(name, Level.OK, found)


def open_files(soft: int, hard: int) -> Check:
    """The limit of open files; -1 is none."""
    found = f"at most {'any number' if soft < 0 else soft} ({'no limit' if hard < 0 else hard} hard)"
    if 0 <= soft < _LOW_FILES:
        return Check("open files", Level.WARN, found, f"raise it: ulimit -n {_LOW_FILES * 4}")
    return Check("open files", Level.OK, found)


def inotify(instances: int | None, watches: int | None) -> Check:
    """The kernel's limits on watching files; the daemon takes one instance and a watch for each live log."""
    if instances is None or watches is None:
        return Check("inotify", Level.WARN, "the kernel does not say its limits", "mount /proc")
    found = f"{instances} instances, {watches} watches"
    if instances < _LOW_INSTANCES or watches < _LOW_WATCHES:
        wanted = f"fs.inotify.max_user_instances={_LOW_INSTANCES} fs.inotify.max_user_watches={_LOW_WATCHES}"
        return Check("inotify", Level.WARN, found, f"raise them: sysctl {wanted}")
    return Check("inotify", Level.OK, found)


def interpreter(name: str, found: str | None) -> Check:
    """The Python that runs scripts where a submission names none."""
    if found is None:
        fix = "set TRAIND_PYTHON to the path of an interpreter, such as /usr/bin/python3"
        return Check("python", Level.FAIL, f"there is no {name}", fix)
    return Check("python", Level.OK, found)


def daemon(url: str | None, error: str | None, *, accepted: bool | None, problems: list[str]) -> Check:
    """Whether a daemon answers and takes our token. `accepted` None: it was not asked."""
    if error is not None or url is None:
        return Check("daemon", Level.WARN, error or "no daemon is running", "start one with `traind serve`")
    if accepted is False:
        fix = "set TRAIND_STATE_DIR to that daemon's state directory, or TRAIND_TOKEN to its token"
        return Check("daemon", Level.FAIL, f"{url} answers and refuses our token", fix)
    if problems:
        return Check("daemon", Level.FAIL, f"{url}: {'; '.join(problems)}", "look at the daemon's log")
    return Check("daemon", Level.OK, f"{url} answers and takes our token")


def port(host: str, number: int, *, taken: bool, ours: bool) -> Check:
    """Whether the daemon's port can be had, or our daemon has it."""
    where = f"{host}:{number}"
    if ours:
        return Check("port", Level.OK, f"{where} is held by our daemon")
    if taken:
        fix = "stop what holds it, or choose another by --port"
        return Check("port", Level.FAIL, f"{where} is held by another program", fix)
    return Check("port", Level.OK, f"{where} is free")


def _size(amount: int) -> str:
    return f"{amount / _GIB:.1f} GiB" if amount >= _GIB else f"{amount / 2**20:.0f} MiB"
