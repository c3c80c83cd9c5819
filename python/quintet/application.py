"""Finding and importing the WSGI application: MODULE, MODULE:NAME, MODULE:package.name, MODULE:create_app("x").

The same spellings as Gunicorn's, which is where users come from. Without a name, `application` and then `app` is taken.
"""

import ast
import importlib
import sys

DEFAULT_NAMES = ("application", "app")


class ApplicationError(Exception):
    """The application cannot be found as named. The message is for the user; no traceback helps."""


def load(name):
    """The callable that `name` says."""
    module_name, _, expression = name.partition(":")
    module = _import(module_name, name)
    app = _evaluate(module, expression) if expression else _default(module)
    if not callable(app):
        raise ApplicationError(f"{name}: {type(app).__name__} is not callable, so it is no WSGI application")
    return app


def _import(module_name, name):
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        # Only when it is the named module itself (or a package it lies in); a missing import within it needs its traceback.
        if error.name and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise ApplicationError(f"{name}: there is no module {error.name!r} in {sys.path[0]} or on the path; "
                                   "start in the project's directory, or name it with --chdir") from None
        raise


def _default(module):
    for name in DEFAULT_NAMES:
        if hasattr(module, name):
            return getattr(module, name)
    raise ApplicationError(f"{module.__name__} has neither {' nor '.join(DEFAULT_NAMES)}: name the callable as MODULE:NAME")


def _evaluate(module, expression):
    """NAME, dotted names, and a call of one with literal arguments: a factory."""
    try:
        node = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise ApplicationError(f"{expression!r} is not a name or a call such as create_app()") from None
    if not isinstance(node, ast.Call):
        return _attribute(module, node, expression)
    factory = _attribute(module, node.func, expression)
    try:
        positional = [ast.literal_eval(argument) for argument in node.args]
        named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords}
    except ValueError:
        raise ApplicationError(f"{expression!r}: the arguments of a factory must be literals") from None
    return factory(*positional, **named)


def _attribute(module, node, expression):
    if isinstance(node, ast.Attribute):
        owner, name = _attribute(module, node.value, expression), node.attr
    elif isinstance(node, ast.Name):
        owner, name = module, node.id
    else:
        raise ApplicationError(f"{expression!r} is not a name or a call such as create_app()")
    try:
        return getattr(owner, name)
    except AttributeError:
        raise ApplicationError(f"{module.__name__} has no {name!r}{_instead(module, name, expression)}") from None


def _instead(module, name, expression):
    if expression != name:
        return f" (looking for {expression!r})"
    found = [default for default in DEFAULT_NAMES if callable(getattr(module, default, None))]
    return f"; it has {found[0]!r}" if found else ""


def import_urls():
    """Imports a Django project's URLs now: a broken one fails the boot and not the first request."""
    if "django.core.handlers.wsgi" not in sys.modules:
        return
    from django.conf import settings

    if settings.configured and getattr(settings, "ROOT_URLCONF", None):
        from django.urls import get_resolver

        get_resolver().url_patterns
