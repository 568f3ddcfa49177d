"""HTML that cannot be forgotten to be escaped: text is escaped unless it is `Markup`."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"circle", "input", "line", "path", "rect"})
"""Elements without content; those of SVG among them."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str | float | bool | None) -> Markup:
    """An element.

    Args:
        name: The element's.
        content: What is in it; each is escaped unless it is `Markup`.
        attributes: `class_` stands for ``class`` and `data_cell` for ``data-cell``. True gives an attribute
            without a value, None and False give none.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}/>" if not content else f"<{name}{written}>{join(*content)}</{name}>")
    return Markup(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: str) -> Markup:
    """Several pieces one after the other, each escaped unless it is `Markup`."""
    return Markup("".join(each if isinstance(each, Markup) else escape(each) for each in content))


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    key = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {key}"
    told = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {key}="{escape(told)}"'
