"""HTML and SVG as text in which everything is escaped that is not made here."""

from html import escape

from edifice_terminal import printable_lines


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """An element.

    Args:
        tag: its name.
        *children: what it holds, in order; text is escaped, `Markup` is not.
        **attributes: by name, where `_` stands for `-`, and one at the end is left out; those that
            are empty are left out too.
    """
    names = {name.removesuffix("_").replace("_", "-"): text for name, text in attributes.items()}
    given = "".join(f' {name}="{_escaped(text)}"' for name, text in names.items() if text)
    return Markup(f"<{tag}{given}>{joined(*children)}</{tag}>")


def joined(*children: str) -> Markup:
    """Elements and text, one after the other."""
    return Markup(
        "".join(child if isinstance(child, Markup) else _escaped(child) for child in children)
    )


def _escaped(text: str) -> str:
    """Text without marks that change how a page shows what is around it."""
    return escape(printable_lines(text))
