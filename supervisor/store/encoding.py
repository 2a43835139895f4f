"""Domain values as JSON text and back. A field that is new gets its default, one unknown is left out."""

from typing import Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class Codec(Generic[T]):
    """Standard JSON of one of the domain's dataclasses; NaN and infinity become null, read as None."""

    def __init__(self, kind: type[T]) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def encode(self, value: T) -> str:
        return self._adapter.dump_json(value).decode()

    def decode(self, text: str) -> T:
        return self._adapter.validate_json(text)
