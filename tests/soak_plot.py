"""soak_plot.py - what tests/soak saw, as docs/soak.svg and docs/soak.md.

    tests/soak_plot.py       draws and writes the last one again"""
import json
import os
import time

import rig

WIDE, HIGH, LEFT, TOP = 760, 220, 70, 40
MIB = 1 << 20
KEPT = os.path.join(rig.ROOT, "build/soak.json")
COLOURS = {"default": "#1f5fa8", "small": "#b5541c"}


def number(n):
    return format(n, ",")


def seen(samples, settled_s):
    """Least and most of each figure once settled; the slope of its own memory
    by least squares, bytes an hour."""
    late = [s for s in samples if s["seconds"] >= settled_s]
    found = {name: (min(s[name] for s in late), max(s[name] for s in late))
             for name in late[0]}
    hours = [s["seconds"] / 3600 for s in late]
    mean = sum(hours) / len(late)
    first = late[0]["RssAnon"]  # so that a line that is level sums up to 0
    found["slope"] = sum(
        (h - mean) * (s["RssAnon"] - first) for h, s in zip(hours, late)
    ) / sum((h - mean) ** 2 for h in hours)
    found["samples"] = len(late)
    return found


def line(samples, name, most, seconds, colour, width):
    """A sample that says what those around it say is left out."""
    points = []
    for i, s in enumerate(samples):
        around = samples[max(i - 1, 0):i + 2]
        if 0 < i < len(samples) - 1 and all(
                a.get(name) == s.get(name) for a in around):
            continue
        if name in s:
            points.append("%.1f,%.1f" % (
                LEFT + WIDE * s["seconds"] / seconds,
                TOP + HIGH - HIGH * s[name] / most))
    return ('<polyline fill="none" stroke="%s" stroke-width="%g" '
            'points="%s"/>' % (colour, width, " ".join(points)))


def words(x, y, text, more=""):
    return '<text x="%d" y="%d" %s>%s</text>' % (x, y, more, text)


def svg(samples, about):
    seconds = max(s[-1]["seconds"] for s in samples.values())
    top = max(r["VmRSS"] for s in samples.values() for r in s)
    most = (top // (4 * MIB) + 1) * 4 * MIB
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
           'font-family="sans-serif" font-size="12">' % (
               LEFT + WIDE + 30, TOP + HIGH + 50),
           '<rect width="100%" height="100%" fill="#fff"/>',
           words(LEFT, 22, "firn daemon: its own memory (RssAnon, thick) and "
                 "all that is resident (VmRSS), MiB", 'font-size="14"')]
    for mib in range(0, most // MIB + 1, 4):
        y = TOP + HIGH - HIGH * mib * MIB / most
        out.append('<path stroke="#ddd" d="M%d %.1fh%d"/>' % (LEFT, y, WIDE))
        out.append(words(LEFT - 8, y + 4, mib, 'text-anchor="end"'))
    for tenth in range(0, 11, 2):
        x = LEFT + WIDE * tenth / 10
        out.append(words(x, TOP + HIGH + 18, "%.3g" % (
            about["seconds"] * tenth / 600), 'text-anchor="middle"'))
    out.append(words(LEFT + WIDE / 2, TOP + HIGH + 38, "minutes",
                     'text-anchor="middle"'))
    for profile, rows in samples.items():
        colour = COLOURS.get(profile, "#444")
        out.append(line(rows, "VmRSS", most, seconds, colour, 0.7))
        out.append(line(rows, "RssAnon", most, seconds, colour, 2))
        y = TOP + HIGH - HIGH * rows[-1]["RssAnon"] / most
        out.append(words(LEFT + WIDE - 8, y + 16, "%s: %s bytes its own" % (
            profile, number(rows[-1]["RssAnon"])),
            'text-anchor="end" fill="%s"' % colour))
    return "\n".join(out + ["</svg>\n"])


def span(pair):
    """Least and most, or the one that they are."""
    return number(pair[0]) if pair[0] == pair[1] else "%s to %s" % tuple(
        map(number, pair))


ROWS = [
    ("samples, once settled", lambda t: number(t["samples"])),
    ("its own memory (RssAnon), bytes", lambda t: span(t["RssAnon"])),
    ("slope of it by least squares, bytes an hour",
     lambda t: "%g" % t["slope"]),
    ("pages of its file (RssFile)", lambda t: span(t["RssFile"])),
    ("both (VmRSS)", lambda t: span(t["VmRSS"])),
    ("promised, CFG_RESIDENT_BYTES", lambda t: number(t["promised"])),
    ("the pool's high-water mark", lambda t: number(t["pool"])),
    ("the stack's", lambda t: number(t["stack"])),
    ("descriptors open", lambda t: span(t["open"]) if "open" in t else ""),
    ("runs; not well, because of the outages",
     lambda t: "%d; %d" % (t["runs"], t["unwell"])),
    ("requests; tried again",
     lambda t: "%s; %s" % (number(t["requests"]), number(t["retried"]))),
    ("days archived", lambda t: number(t["days"])),
    ("events, each found once", lambda t: number(t["events"])),
    ("bytes of lines", lambda t: number(t["raw"])),
    ("bytes stored", lambda t: number(t["stored"])),
    ("CPU, seconds", lambda t: "%.1f" % t["cpu"]),
]


def page(told, samples, about):
    out = ["""# Soak

Made by `make soak` (`tests/soak`), %s: `firn daemon` of both profiles
for %d seconds of real time, side by side, against the tests' AWS over TLS
on the loopback. The schedule is `rate(1 minute)`; each minute four groups are
given one more day that is due, and SIGHUP makes both read their configuration
again. Some requests are throttled, refused, cut or reset, some answers lost;
every tenth minute none is answered for 25 seconds. In the end each object was
read and held each event of its day once.

What may not grow is the memory that is firn's own, RssAnon: from second %d on
it must be the same number of bytes in each sample, once a second. Besides it
only pages of the program's file are resident: they come when their code first
runs, and where another program wants memory the kernel drops them and reads
them again.

![resident memory](soak.svg)
""" % (about["date"], about["seconds"], about["settled"])]
    told = [dict(t, **seen(samples[t["profile"]], about["settled"]))
            for t in told]
    out.append("| | %s |" % " | ".join("`%s`" % t["profile"] for t in told))
    out.append("|---|" + "--:|" * len(told))
    for name, cell in ROWS:
        out.append("| %s | %s |" % (name, " | ".join(map(cell, told))))
    out.append("""
In virtual time there is more of it: `make year` lives through 366 days of 24
hours with the same code, twenty groups, clocks that change, reboots, kills and
outages. firn's memory there is the same structs from the first second to the
last, and `make purity` shows that `core/` cannot ask for more.
""")
    return "\n".join(out)


def keep(told, samples, about):
    """In build/, for this to be done again."""
    about["date"] = time.strftime("%Y-%m-%d", time.gmtime())
    with open(KEPT, "w", encoding="utf-8") as f:
        json.dump([told, samples, about], f)


def write():
    with open(KEPT, encoding="utf-8") as f:
        told, samples, about = json.load(f)
    for name, text in (("soak.svg", svg(samples, about)),
                       ("soak.md", page(told, samples, about))):
        with open(os.path.join(rig.ROOT, "docs", name), "w",
                  encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    write()
