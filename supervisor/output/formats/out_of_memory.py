"""Lines that say that the script ran out of memory, as the frameworks and Python print them.

Only the error itself counts: prose that advises on how to avoid one does not.
"""

import re

from supervisor.output.records import OutOfMemory

# All but the library's own codes speak of memory.
NEEDLES = (b"memory", b"alloc_failed")

_LONGEST = 500
_CUDA = re.compile(
    r"(?:^|[\s:])(?:torch\.(?:cuda\.)?OutOfMemoryError\b|CUDA out of memory\.|"
    r"(?:RuntimeError: )?CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|"
    r"cudaErrorMemoryAllocation)"
)
_HOST = re.compile(
    r"(?:^|: )(?:numpy\.\S{1,60}Array)?MemoryError(?:$|:)|DefaultCPUAllocator: can't allocate memory"
)
_PROSE = re.compile(
    r"\b(?:avoid|prevent|if you (?:see|get|run)|may|might|could|warning|would)\b", re.IGNORECASE
)


def parse(text: str) -> OutOfMemory | None:
    """The record of a line that reports the error, or None."""
    if _CUDA.search(text):
        kind = "cuda"
    elif _HOST.search(text):
        kind = "host"
    else:
        return None
    error = _CUDA.search(text) or _HOST.search(text)
    if error is not None and _PROSE.search(text[: error.start()]):
        return None
    return OutOfMemory(kind, text[:_LONGEST])
