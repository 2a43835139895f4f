"""Expressions that are a size written down: a number, arithmetic of numbers, or a default around one."""

import ast

from supervisor.source.names import words

# Larger than any batch; keeps `2 ** 10 ** 10` from being worked out.
_LARGEST = 10**9
_DEEPEST = 16
_HIGHEST_RATE = 100
_LONGEST_RATE = 24
_DEFAULTS = frozenset({"field", "Field", "Option", "Argument"})


def fold(node: ast.expr, depth: int = 0) -> int | None:
    """The value of a whole number or of arithmetic of whole numbers, 0 to 10**9; else None."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int and 0 <= node.value <= _LARGEST else None
    if not isinstance(node, ast.BinOp) or depth > _DEEPEST:
        return None
    left, right = fold(node.left, depth + 1), fold(node.right, depth + 1)
    if left is None or right is None:
        return None
    value = _compute(node.op, left, right)
    return value if value is not None and 0 <= value <= _LARGEST else None


def size_of(node: ast.expr) -> int | None:
    """The size that an expression writes down, as a number or as a string of digits; None if it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
        value = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_LARGEST)) else None
    else:
        value = fold(node)
    return value or None


def rate_of(node: ast.expr) -> float | None:
    """The rate that an expression writes down, above 0 and up to 100, arithmetic too; else None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            value: float | None = float(node.value) if len(node.value) < _LONGEST_RATE else None
        except ValueError:
            value = None
    else:
        value = _fold_rate(node)
    return value if value is not None and 0 < value <= _HIGHEST_RATE else None


def _fold_rate(node: ast.expr, depth: int = 0) -> float | None:
    if isinstance(node, ast.Constant):
        usable = type(node.value) in {int, float} and abs(node.value) <= _LARGEST  # type: ignore[arg-type]
        return float(node.value) if usable else None  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _fold_rate(node.operand, depth + 1) if depth <= _DEEPEST else None
        return None if inner is None else -inner
    if not isinstance(node, ast.BinOp) or depth > _DEEPEST:
        return None
    left, right = _fold_rate(node.left, depth + 1), _fold_rate(node.right, depth + 1)
    if left is None or right is None:
        return None
    return _compute_rate(node.op, left, right)


def _compute_rate(operation: ast.operator, left: float, right: float) -> float | None:
    try:
        match operation:
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.Pow():
                return float(left**right) if left > 0 and abs(right) <= 30 else None  # noqa: PLR2004 - as rates go
            case _:
                return None
    except ArithmeticError:
        return None


def unwrap(node: ast.expr) -> tuple[ast.expr, str]:
    """The expression inside `int(…)`, `os.environ.get(…, …)`, `field(default=…)` and their like.

    Beside it stand the words that say how it is wrapped, empty where it is not.
    """
    how = ""
    while isinstance(node, ast.Call):
        name = callee(node)
        inner: ast.expr | None = None
        if name in {"int", "float"} and len(node.args) == 1 and not node.keywords:
            inner = node.args[0]
        elif reads_environment(node) and len(node.args) + len(node.keywords) == 2:  # noqa: PLR2004 - key, default
            inner = node.args[1] if len(node.args) > 1 else keyword(node, "default")
            how = "environment default"
        elif name in _DEFAULTS:
            inner = keyword(node, "default") or (node.args[0] if node.args else None)
        if inner is None:
            break
        node = inner
    return node, how


def is_read_off_data(node: ast.expr) -> bool:
    """Whether a size is counted in what is at hand: `len(x)`, `x.size(0)`, `x.shape[0]`, `x.shape`."""
    if isinstance(node, ast.IfExp):
        return is_read_off_data(node.body) or is_read_off_data(node.orelse)
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        return callee(node) in {"len", "size", "shape", "get_shape", "as_list"}
    return isinstance(node, ast.Attribute) and node.attr == "shape"


def callee(call: ast.Call) -> str:
    """The last name of what is called: `torch.utils.data.DataLoader(…)` gives `DataLoader`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value passed under a name, or None."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def text_of(node: ast.expr | None) -> str | None:
    """The value of a string literal, or None."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def last_name(node: ast.expr) -> str:
    """The name nearest to what is looked up: of `a.b`, `x["b"]`, `b` and `b()` alike it is `b`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return text_of(node.slice) or ""
    return callee(node) if isinstance(node, ast.Call) else ""


def identifiers(node: ast.expr | None) -> str:
    """The names in a target or in a simple expression, joined by `_`; empty where there are none."""
    found: list[str] = []
    work = [node] if node is not None else []
    while work and len(found) < 16:  # noqa: PLR2004 - enough to judge by
        item = work.pop()
        if isinstance(item, ast.Name):
            found.append(item.id)
        elif isinstance(item, ast.Attribute):
            found.append(item.attr)
            work.append(item.value)
        elif isinstance(item, ast.Tuple | ast.List):
            work.extend(item.elts)
        elif isinstance(item, ast.Subscript):
            work.extend((item.value, item.slice))
        elif isinstance(item, ast.Call):
            work.extend((item.func, *item.args))
        elif text := text_of(item):
            found.append(text)
    return "_".join(found)


def _compute(operator: ast.operator, left: int, right: int) -> int | None:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv():
            return left // right if right else None
        case ast.Pow():
            return int(left**right) if right <= 30 else None  # noqa: PLR2004 - 2**30 exceeds the largest
        case ast.LShift():
            return left << right if right <= 30 else None  # noqa: PLR2004 - the same
        case _:
            return None


def reads_environment(call: ast.Call) -> bool:
    """Whether a call asks the environment: `os.environ.get(…)`, `os.getenv(…)`."""
    name = callee(call)
    if name == "getenv":
        return True
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    return name == "get" and words(identifiers(receiver))[:1] == ("environ",)
