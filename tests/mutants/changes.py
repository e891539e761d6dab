"""The small changes that are tried: each should make some test fail."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_COMPARED: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
}
_COUNTED: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
    ast.FloorDiv: ast.Mult(),
    ast.BitAnd: ast.BitOr(),
    ast.BitOr: ast.BitAnd(),
}
_NAMED = {"min": "max", "max": "min", "any": "all", "all": "any"}
# What a function of a type may return instead.
_INSTEAD = {"str": '""', "int": "0", "float": "0.0", "tuple": "()", "frozenset": "frozenset()", "list": "[]"}
_DELETED = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Continue, ast.Break, ast.Return)
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Mutant:
    """The whole file with one change in it, compiled.

    scope: name of the function or method that is changed, as in `__qualname__`; empty for a statement of the module,
        which is then the only thing in `code`.
    lines: where tests have to come by to notice.
    """

    line: int
    lines: range
    scope: str
    what: str
    code: Any


def mutants(source: str, name: str) -> Iterator[Mutant]:
    """Every change to a file, one at a time."""
    tree = ast.parse(source)
    for site in _sites(tree):
        said = {ast.dump(site.node)}
        for new in _changes(site):
            if ast.dump(new) in said:
                continue
            said.add(ast.dump(new))
            old = site.put(new)
            whole: ast.Module = tree if site.scope else ast.Module([site.statement], [])
            code = compile(ast.fix_missing_locations(whole), name, "exec")
            site.put(old)
            what = f"{_said(site.node)}  ->  {_left_out(site.node, new) or _said(new)}"
            end = site.node.end_lineno or site.node.lineno
            begin = min(site.statement.lineno, site.node.lineno) if site.scope else site.node.lineno
            yield Mutant(site.node.lineno, range(begin, end + 1), site.scope, what, code)


@dataclass(frozen=True, slots=True)
class _Site:
    """A node, where it hangs, the statement that it is part of, and the function around it."""

    node: Any
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    scope: str
    returns: str

    def put(self, new: Any) -> Any:
        if self.index is None:
            old = getattr(self.parent, self.field)
            setattr(self.parent, self.field, new)
        else:
            holder = getattr(self.parent, self.field)
            old, holder[self.index] = holder[self.index], new
        return old


def _sites(parent: ast.AST, statement: Any = None, scope: str = "", returns: str = "") -> Iterator[_Site]:
    for field, value in ast.iter_fields(parent):
        if field in ("annotation", "returns", "args", "decorator_list", "bases") and not isinstance(parent, ast.Call):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(node, ast.AST) or isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom)):
                continue
            here = node if isinstance(node, ast.stmt) else statement
            if isinstance(node, (*_FUNCTION, ast.ClassDef)):
                # A function within a function is part of the outer one's code.
                inner = scope if isinstance(parent, _FUNCTION) else f"{scope}.{node.name}".lstrip(".")
                of = ast.unparse(node.returns) if isinstance(node, _FUNCTION) and node.returns else ""
                yield from _sites(node, here, inner, of)
            elif not (isinstance(parent, ast.ClassDef) and isinstance(node, ast.stmt)):
                yield _Site(node, parent, field, index, here, scope, returns)
                yield from _sites(node, here, scope, returns)


def _changes(site: _Site) -> Iterator[Any]:  # noqa: C901, PLR0912 - one case for each kind of node
    node, parent = site.node, site.parent
    if site.field in ("test", "ifs") or (isinstance(parent, ast.comprehension) and site.field == "ifs"):
        yield from (ast.Constant(True), ast.Constant(False))
    match node:
        case ast.Compare(left, [op], right) if type(op) in _COMPARED:
            yield ast.Compare(left, [_COMPARED[type(op)]], right)
        case ast.Compare(left, ops, right):
            for n, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:n], _COMPARED[type(op)], *ops[n + 1 :]], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for n in range(len(values)):
                rest = [*values[:n], *values[n + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in _COUNTED:
            yield ast.BinOp(left, _COUNTED[type(op)], right)
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(float(value)):
            yield from (ast.Constant(value * 2), ast.Constant(value / 2)) if value else (ast.Constant(1.0),)
        case ast.Call(ast.Name(name), args, keywords) if name in _NAMED and args:
            yield ast.Call(ast.Name(_NAMED[name], ast.Load()), args, keywords)
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)
        case ast.Return(value) if value is not None:
            yield from _returned(site, value)
        case _:
            pass
    if isinstance(node, ast.Call):
        for n in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, [*node.keywords[:n], *node.keywords[n + 1 :]])
    if isinstance(node, _DELETED) and site.scope and not _says_nothing(node):
        yield ast.copy_location(ast.Pass(), node)


def _returned(site: _Site, value: ast.expr) -> Iterator[ast.stmt]:
    instead = _INSTEAD.get(site.returns.partition("[")[0])
    if site.returns == "bool":
        instead = f"not ({ast.unparse(value)})"
    elif site.returns.endswith("None"):
        instead = "None"
    if instead and ast.unparse(ast.parse(instead)) != ast.unparse(value):
        yield ast.copy_location(ast.Return(ast.parse(instead, mode="eval").body), site.node)


def _says_nothing(node: ast.stmt) -> bool:
    """A docstring, `return None`, what is there for the type checker."""
    match node:
        case ast.Expr(ast.Constant()) | ast.Expr(ast.Call(ast.Name("assert_never"))):
            return True
        case ast.Return(value):
            return value is None or (isinstance(value, ast.Constant) and value.value is None)
    return False


def _left_out(old: Any, new: Any) -> str:
    """Which argument a call lost: of a long one only the beginning is said."""
    if not isinstance(old, ast.Call) or not isinstance(new, ast.Call):
        return ""
    return ", ".join(f"without {keyword.arg or '**'}" for keyword in old.keywords if keyword not in new.keywords)


def _said(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())[:110]
