"""plots.py - bars as SVG, below docs/bench/, with nothing but Python."""
import os
from xml.sax.saxutils import escape

from measure import ROOT

COLOURS = ("#1b6ca8", "#6fb1e0", "#b5482a", "#d98f3d", "#8a8d2e", "#5c8a5a",
           "#8464a0", "#707070")
WIDTH, LEFT, RIGHT, BAR, GAP = 760, 190, 70, 16, 18
STYLE = "font-family:sans-serif;font-size:12px"


def number(value):
    return "%.1f" % value if value < 100 else "%.0f" % value


def bars(name, title, rows):
    """Rows are (group, who, value), those of a group one after the other;
    who keeps its colour. Bars begin at 0."""
    whos = list(dict.fromkeys(who for _, who, _ in rows))
    most = max([value for _, _, value in rows] or [1]) or 1
    room = WIDTH - LEFT - RIGHT
    marks, y, last = [], 34, None
    for group, who, value in rows:
        if group != last:
            y += GAP
            marks.append('<text x="8" y="%d" font-weight="bold">%s</text>' % (
                y - 5, escape(group)))
            last = group
        long = max(1.0, room * value / most)
        marks.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (
            LEFT - 6, y + 12, escape(who)))
        marks.append('<rect x="%d" y="%d" width="%.1f" height="%d" '
                     'fill="%s"/>' % (LEFT, y, long, BAR - 3, COLOURS[
                         whos.index(who) % len(COLOURS)]))
        marks.append('<text x="%.1f" y="%d">%s</text>' % (
            LEFT + long + 5, y + 11, number(value)))
        y += BAR
    text = "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
        'viewBox="0 0 %d %d" style="%s">' % (WIDTH, y + 10, WIDTH, y + 10,
                                             STYLE),
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="8" y="20" font-size="14" font-weight="bold">%s</text>' %
        escape(title), *marks, "</svg>", ""])
    path = os.path.join(ROOT, "docs/bench", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)
