"""Server-sent events out of bytes, by the WHATWG's rules; pure, and no chunk boundary matters."""

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `id` is the newest one that the stream has named, by this event or before it."""

    type: str
    data: str
    id: str


class EventParser:
    """Takes chunks as they come. `last_id` and `retry_s` are what the stream has said so far."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_s: float | None = None
        self._pending: list[bytes] = []  # of the line whose end has not come
        self._after_cr = False
        self._at_start = True
        self._type = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events that this chunk completes."""
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        *lines, rest = _LINE_END.split(chunk)
        found = []
        for line in lines:
            event = self._line(b"".join([*self._pending, line]))
            self._pending.clear()
            if event is not None:
                found.append(event)
        if rest:
            self._pending.append(rest)
        return found

    def _line(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            line = line.removeprefix(_BOM)
            self._at_start = False
        if not line:
            return self._dispatch()
        name, _, value = line.decode(errors="replace").partition(":")
        self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isascii() and value.isdecimal():
            self.retry_s = int(value) / 1000

    def _dispatch(self) -> ServerEvent | None:
        kind, data = self._type or "message", self._data
        self._type, self._data = "", []
        return ServerEvent(kind, "\n".join(data), self.last_id) if data else None
