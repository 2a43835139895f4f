"""The formats that are read, in order: the first that knows a line has it.

A format is a module with `parse`, from the text of a line to its record or None, and with `NEEDLES`,
lower-case byte strings of which a line must hold one to be worth parsing. `COUNTER_NEEDLES` are worth it
only in a line that also holds a "/" or an "of".
"""

from collections.abc import Callable

from supervisor.output.formats import out_of_memory, own
from supervisor.output.records import Record

FORMATS: tuple[Callable[[str], Record | None], ...] = (own.parse, out_of_memory.parse)
NEEDLES: tuple[bytes, ...] = tuple(dict.fromkeys(own.NEEDLES + out_of_memory.NEEDLES))
COUNTER_NEEDLES: tuple[bytes, ...] = own.COUNTER_NEEDLES
RATIOS: tuple[bytes, ...] = (b"/", b"of")


def parse(text: str) -> Record | None:
    """The record that a line holds, or None."""
    for parse_format in FORMATS:
        record = parse_format(text)
        if record is not None:
            return record
    return None
