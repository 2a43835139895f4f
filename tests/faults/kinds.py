"""The runs that live through the faults: a script each, what is asked of it, and the end it must come to.

Every line that a script prints can be worked out again from the run's word and the line's number, so what
was read of a log can be compared with what was written, whoever died meanwhile.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

_HEAD = """\
import hashlib, os, signal, sys, time
BATCH_SIZE = 64
attempt = os.environ["TRAIND_ATTEMPT"]
descriptor = os.open("launches", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(descriptor, f"training-{attempt} {BATCH_SIZE}\\n".encode())
os.close(descriptor)
memory = b"x" * (BATCH_SIZE << 19)

def say(number):
    text = hashlib.sha256(f"WORD {number}".encode()).hexdigest()
    line = f"GPU Memory Used: {number / 1000:.3f} GB" if number % 10 == 0 else f"step {number} {text}"
    os.write(1, line.encode() + b"\\n")

"""
_TALK = """\
for number in range(1, LINES + 1):
    say(number)
    time.sleep(0.02)
"""
_TRAINS = "for number in range(1, 3000 if BATCH_SIZE == 64 else 60):\n    say(number)\n    time.sleep(0.02)\n"
_OUT_OF_MEMORY = """\
if BATCH_SIZE > 32:
    print("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", flush=True)
    sys.exit(1)
"""
_SAVES = """\
def save(*_):
    sys.exit(5)

signal.signal(signal.SIGTERM, save)
"""
_LEAVES = """\
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)

leave()
"""
_CHUNK = b"." * 1023 + b"\n"
_PRINTS_MUCH = """\
for _ in range(CHUNKS):
    data = (b"." * 1023 + b"\\n") * 64
    while data:
        data = data[os.write(1, data):]
    time.sleep(0.02)

"""
PREDICT = """\
import os, time
descriptor = os.open("launches", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(descriptor, f"follow_up-{os.environ['TRAIND_ATTEMPT']} 0\\n".encode())
time.sleep(0.3)
with open("submission.csv", "w") as file:
    file.write("id,label\\n1,0\\n")
"""
_LATE = {"after_s": 3600}
_SOON = {"after_s": 0.5, "retry_s": 0.1, "max_wait_s": 30, "window_s": 1, "settle_s": 0.2}


@dataclass(frozen=True)
class Kind:
    """What a run does and how it must end; `asks` is what its client asks of it while it lives.

    `launches` are stage, attempt and batch size as the scripts write them down; `talks` says whether each
    attempt that prints does it by the line numbers, after `chunks` of 64 KiB that mean nothing.
    """

    name: str
    script: str
    state: str
    reason: str
    exit_code: int
    launches: tuple[str, ...] = ("training-1 64",)
    size: int = 64
    body: dict[str, Any] = field(default_factory=lambda: {"checkpoint": _LATE})
    asks: str | None = None
    talks: bool = True
    chunks: int = 0


def written(kind: Kind, word: str, size: int) -> bytes:
    """The first `size` bytes of what one of the kind's attempts prints, or all where it is less."""
    parts, length, number = [_CHUNK * 64] * kind.chunks, kind.chunks * 64 * len(_CHUNK), 1
    while length < size:
        parts.append(line(word, number))
        length, number = length + len(parts[-1]), number + 1
    return b"".join(parts)


def line(word: str, number: int) -> bytes:
    """What a script prints as line `number`."""
    if number % 10 == 0:
        return f"GPU Memory Used: {number / 1000:.3f} GB\n".encode()
    text = hashlib.sha256(f"{word} {number}".encode()).hexdigest()
    return f"step {number} {text}\n".encode()


def script_of(kind: Kind, word: str, size: int = 64) -> str:
    """The kind's script for one run, as it is with this batch size."""
    text = kind.script.replace("CHUNKS", str(kind.chunks))
    return text.replace("WORD", word).replace("BATCH_SIZE = 64", f"BATCH_SIZE = {size}")


def _talk(lines: int, end: str = "") -> str:
    return _HEAD + _TALK.replace("LINES", str(lines)) + end


KINDS = (
    Kind("completes", _talk(150), "succeeded", "completed", 0),
    Kind("fails", _talk(120, "sys.exit(7)\n"), "failed", "exit_code", 7),
    Kind(
        "prints much",
        _talk(60, "sys.exit(3)\n").replace("for number", _PRINTS_MUCH + "for number", 1),
        "failed",
        "exit_code",
        3,
        chunks=48,
    ),
    Kind("crashes", _talk(80, "os.kill(os.getpid(), signal.SIGSEGV)\n"), "failed", "signal", 139),
    Kind(
        "leaves children",
        _talk(60).replace("for number", _LEAVES + "for number", 1),
        "succeeded",
        "completed",
        0,
    ),
    Kind(
        "is corrected",
        _HEAD + _TRAINS,
        "succeeded",
        "completed",
        0,
        ("training-1 64", "training-2 128"),
        128,
        {"checkpoint": _SOON, "sizing": {"max_relaunches": 1}},
    ),
    Kind(
        "runs out of memory",
        _HEAD + _OUT_OF_MEMORY + _TALK.replace("LINES", "40"),
        "succeeded",
        "completed",
        0,
        ("training-1 64", "training-2 32"),
        32,
        talks=False,
    ),
    Kind(
        "is followed up",
        _talk(40),
        "succeeded",
        "completed",
        0,
        ("training-1 64", "follow_up-1 0"),
        body={
            "checkpoint": _LATE,
            "follow_up": {"script": "predict.py"},
            "artifacts": [{"path": "submission.csv"}],
        },
    ),
    Kind(
        "is stopped",
        _HEAD + _SAVES + _TALK.replace("LINES", "3000"),
        "stopped",
        "user_request",
        5,
        asks="stop",
    ),
    Kind(
        "is relaunched",
        _HEAD + _TRAINS,
        "succeeded",
        "completed",
        0,
        ("training-1 64", "training-2 128"),
        128,
        asks="relaunch",
    ),
)
