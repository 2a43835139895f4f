"""Options that a script declares: argparse, click, typer and absl, and the value each has by default."""

import ast
from collections.abc import Iterator

from supervisor.source.places import Form, Place, Site
from supervisor.source.values import callee, keyword, text_of

# The owners of what options are read from: the result of `parse_args()`, and absl's FLAGS.
PARSED = "parse_args"
FLAGS = "FLAGS"

_DECLARING = frozenset({"add_argument", "add_arg", "option", "Option", "argument"})
# ml_collections' option whose value is what a module of settings makes.
CONFIG_FILE = "DEFINE_config_file"

_ABSL = ("DEFINE_", "define_")
_SWITCHES = {"store_true": False, "store_false": True}


def option(node: ast.AST, place: Place) -> Iterator[Site]:
    """`add_argument("--batch-size", default=64)`, `@click.option(…)`, `DEFINE_integer("bs", 64, "…")`."""
    if not isinstance(node, ast.Call):
        return
    if callee(node) == "set_defaults":
        for item in node.keywords:
            if item.arg is not None:
                yield Site(item.arg, Form.OPTION, item.value, item.value.lineno, place, PARSED)
        return
    name = option_name(node)
    if not name:
        return
    flags = option_flags(node)
    default = _default(node)
    line = default.lineno if default is not None else node.lineno
    yield Site(name, Form.OPTION, default, line, place, FLAGS if is_absl(node) else PARSED, None, flags)


def declares_options(name: str) -> bool:
    """Whether calls of that name declare options."""
    return name in _DECLARING or name.startswith(_ABSL)


def option_flags(call: ast.Call) -> tuple[str, ...]:
    """The option strings that a call declares: `("-b", "--batch-size")`; empty for any other call."""
    if is_absl(call):
        name = text_of(call.args[0]) if call.args else text_of(keyword(call, "name"))
        return (f"--{name}",) if name else ()
    if callee(call) not in _DECLARING and not _looks_declaring(call):
        return ()
    texts = (text_of(item) for item in call.args)
    # click writes a switch and its opposite as one: "--fast/--slow".
    return tuple(text.partition("/")[0] for text in texts if text is not None and text.startswith("-"))


def option_name(call: ast.Call) -> str:
    """The name under which an option's value is found afterwards; empty where the call declares none."""
    flags = option_flags(call)
    if not flags:
        return ""
    explicit = text_of(keyword(call, "dest")) or next(
        (text for item in call.args if (text := text_of(item)) and text.isidentifier()), None
    )
    if is_absl(call):
        return flags[0].removeprefix("--")
    long = next((flag for flag in flags if flag.startswith("--")), flags[0])
    return explicit or long.lstrip("-").replace("-", "_")


def _default(call: ast.Call) -> ast.expr | None:
    """The default, None or a switch's value where none is written; no expression where it must be given."""
    if is_absl(call):
        return call.args[1] if len(call.args) > 1 else keyword(call, "default")
    written = keyword(call, "default")
    if written is not None:
        return written
    required = keyword(call, "required")
    if isinstance(required, ast.Constant) and required.value:
        return None
    action = text_of(keyword(call, "action"))
    switch = keyword(call, "is_flag")
    value = _SWITCHES.get(action or "", False if switch is not None else None)
    return ast.copy_location(ast.Constant(value), call)


def _looks_declaring(call: ast.Call) -> bool:
    """`arg = parser.add_argument` and then `arg("--batch-size", default=64)`."""
    first = text_of(call.args[0]) if call.args else None
    if first is None or not first.startswith("-") or not first.lstrip("-")[:1].isalpha():
        return False
    return any(item.arg in {"default", "type", "action", "required"} for item in call.keywords)


def is_absl(call: ast.Call) -> bool:
    """Whether a call is one of absl's `DEFINE_…`."""
    return callee(call).startswith(_ABSL)
