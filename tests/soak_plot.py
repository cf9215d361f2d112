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


def line(samples, name, most, seconds, colour):
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
    return ('<polyline fill="none" stroke="%s" stroke-width="1.5" '
            'points="%s"/>' % (colour, " ".join(points)))


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
           words(LEFT, 22, "Resident memory (VmRSS) of firn daemon, MiB, "
                 "once a second", 'font-size="14"')]
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
        out.append(line(rows, "VmRSS", most, seconds, colour))
        y = TOP + HIGH - HIGH * rows[-1]["VmRSS"] / most
        out.append(words(LEFT + WIDE - 8, y - 6, "%s: %s bytes" % (
            profile, number(rows[-1]["VmRSS"])),
            'text-anchor="end" fill="%s"' % colour))
    return "\n".join(out + ["</svg>\n"])


ROWS = [
    ("resident at the first look, bytes", lambda t: number(t["first"])),
    ("resident once settled, least", lambda t: number(t["least"])),
    ("resident once settled, most", lambda t: number(t["most"])),
    ("slope by least squares, bytes an hour",
     lambda t: "%g" % t["slope"]),
    ("VmHWM at the end", lambda t: number(t["peak"])),
    ("most of it that is its own share (Pss)", lambda t: number(t["pss"])),
    ("the pool's high-water mark", lambda t: number(t["pool"])),
    ("the stack's", lambda t: number(t["stack"])),
    ("descriptors open, least to most",
     lambda t: "%d to %d" % tuple(t["open"]) if t["open"] else "not told"),
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


def page(told, about):
    out = ["""# Soak

Made by `make soak` (`tests/soak`), %s: `firn daemon` of both profiles for %d
seconds of real time, side by side, against the tests' AWS over TLS on the
loopback. The schedule is `rate(1 minute)`; each minute four groups are given
one more day that is due, and SIGHUP makes both read their configuration again.
Two in a hundred requests fail (throttled, refused, cut, reset, answers lost),
and every tenth minute none is answered for 25 seconds. Resident memory must be
the same number of bytes in each sample from second %d on; what comes before is
code that runs for the first time and is read from its file.

![resident memory](soak.svg)
""" % (about["date"], about["seconds"], about["settled"])]
    out.append("| | %s |" % " | ".join("`%s`" % t["profile"] for t in told))
    out.append("|---|" + "--:|" * len(told))
    for name, cell in ROWS:
        out.append("| %s | %s |" % (name, " | ".join(map(cell, told))))
    out.append("""
In virtual time there is more of it: `make year` lives through 366 days of 24
hours with the same code, twenty groups, clocks that change, reboots, kills and
outages, in well under a minute. firn's memory there is the same structs from
the first second to the last; `make purity` shows that `core/` cannot ask for
more.
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
                       ("soak.md", page(told, about))):
        with open(os.path.join(rig.ROOT, "docs", name), "w",
                  encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    write()
