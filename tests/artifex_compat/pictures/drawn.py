"""Where the text of a figure is, as it is drawn."""

from itertools import combinations

from matplotlib.text import Text


def _ticks(axis):
    """The labels of ticks that are within the axis' limits, which are those that are drawn."""
    low, high = sorted(axis.get_view_interval())
    for tick in axis.get_major_ticks():
        if low - 1e-9 <= tick.get_loc() <= high + 1e-9:
            yield from (tick.label1, tick.label2)


def texts(figure):
    """Every text of a figure that is drawn."""
    figure.draw_without_rendering()
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    every, shown = set(), set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                every |= {tick.label1, tick.label2}
            if axes.get_visible() and axis.get_visible():
                shown |= {*_ticks(axis)}
    return [text for text in found if text not in every or text in shown]


def words(figure):
    return [text.get_text() for text in texts(figure)]


def check_texts(figure):
    """No text lies over another, or leaves the figure; none is smaller than it should be."""
    found = texts(figure)
    boxes = [text.get_window_extent() for text in found]
    for text, box in zip(found, boxes, strict=True):
        assert box.x0 >= -1, text
        assert box.y0 >= -1, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert box.y1 <= figure.bbox.y1 + 1, text
        assert text.get_fontsize() >= 7, text
    for (a, one), (b, other) in combinations(zip(found, boxes, strict=True), 2):
        apart = one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
        assert apart, f"{a} lies over {b}"
