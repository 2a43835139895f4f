"""Opaque cursors: each knows the list that it belongs to, so that it is refused by another."""

import base64
import binascii
import json
from http import HTTPStatus

from supervisor.api.problems import ProblemError

Key = tuple[str | int | float, ...]


def encode_cursor(scope: str, key: Key) -> str:
    """A cursor behind the item with this sort key, in the list that `scope` names with its filters."""
    text = json.dumps([scope, *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(scope: str, cursor: str, kinds: tuple[type, ...]) -> Key:
    """The sort key in a cursor of this list, its parts of these kinds; raises `ProblemError`."""
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        given, *key = found
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise _bad_cursor() from error
    fits = len(key) == len(kinds) and all(
        isinstance(part, kind) and not isinstance(part, bool) for part, kind in zip(key, kinds, strict=True)
    )
    if given != scope or not fits:
        raise _bad_cursor()
    return tuple(key)


def _bad_cursor() -> ProblemError:
    detail = (
        "cursor is not one of this list with these filters; send the next_cursor of the page before, or none"
    )
    return ProblemError(HTTPStatus.NOT_FOUND, "bad_cursor", detail)
