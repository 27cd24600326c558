"""HTML as trees of elements, in which everything is escaped that is text."""

import re
from typing import TypeAlias
from xml.etree import ElementTree

from edifice_terminal import shown

Element: TypeAlias = ElementTree.Element
Child: TypeAlias = Element | str


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """An element.

    Args:
        tag: its name.
        *children: what it holds, in order.
        **attributes: by name, where one `_` at the end is left out.
    """
    made = ElementTree.Element(tag, {n.removesuffix("_"): v for n, v in attributes.items()})
    for child in children:
        if not isinstance(child, str):
            made.append(child)
            continue
        text = "\n".join(map(shown, child.split("\n")))
        if len(made):
            made[-1].tail = (made[-1].tail or "") + text
        else:
            made.text = (made.text or "") + text
    return made


def document(title: str, style: str, *body: Child) -> str:
    """A whole page, which needs nothing else.

    Args:
        title: of the window.
        style: CSS.
        *body: what the page holds.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", style),
    )
    tree = element("html", head, element("body", element("main", *body)), lang="en")
    return f"<!doctype html>\n{ElementTree.tostring(tree, encoding='unicode', method='html')}\n"


def section(title: str, *children: Child) -> Element:
    """A section with a heading that links can lead to."""
    return element("section", element("h2", title, id=anchor(title)), *children)


def anchor(title: str) -> str:
    """The id of a heading."""
    return re.sub(r"\W+", "-", title.lower())
