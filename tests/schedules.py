#!/usr/bin/env python3
"""schedules.py - makes tests/schedules.txt: expressions, each with its next
ten firing times, by none of firn's code.

    python3 tests/schedules.py > tests/schedules.txt
    python3 tests/schedules.py --others    (pip install croniter aws-croniter)

The oracle is as naive as can be: it walks through the days, asks of each what
the field says, word by word of the documentation, then looks at each of the
1,440 minutes, and has Python's zoneinfo (PEP 615) say whether the clocks show
it and when first. Zone data: TZDIR, by default what firn's table was made
from. --others holds the oracle against two libraries where they know the
form. A line: expression | zone | after | times, in UTC."""
import datetime
import itertools
import os
import random
import sys
import zoneinfo

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
YEAR = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT",
        "NOV", "DEC"]
END = datetime.date(2200, 1, 1)


def month_days(day):
    """All dates of that date's month."""
    first = day.replace(day=1)
    return [d for d in (first + i * DAY for i in range(31))
            if d.month == first.month]


def week_day(day):
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def number(word, names):
    return names.index(word.upper()) + 1 if word.upper() in names \
        else int(word)


def values(text, low, high, names=()):
    """The values that a list of ranges with steps has."""
    out = set()
    every = list(range(low, high + 1))
    for item in text.split(","):
        body, _, step = item.partition("/")
        if body == "*":
            run = every
        elif "-" in body:
            a, b = (number(w, names) for w in body.split("-"))
            around = every[every.index(a):] + every[:every.index(a)]
            run = around[:around.index(b) + 1]
        else:
            a = number(body, names)
            run = list(range(a, high + 1)) if step else [a]
        out.update(run[::int(step or 1)])
    return out


def nearest_working(day, wanted):
    """Is `day` the weekday of its month nearest to the wanted date?"""
    if wanted is None:
        return False
    candidates = [d for d in month_days(day) if d.isoweekday() <= 5]
    return min(candidates, key=lambda d: abs((d - wanted).days)) == day


def nth_before_last(day, text):
    month = month_days(day)
    back = int(text[1:].lstrip("-") or 0)
    return month[-1 - back] if back < len(month) else None


def is_month_day(day, text):
    text = text.upper()
    month = month_days(day)
    if text.startswith("L"):
        if text.endswith("W"):
            return nearest_working(day, nth_before_last(day, text[:-1]))
        return day == nth_before_last(day, text)
    if text.endswith("W"):
        n = int(text[:-1])
        return nearest_working(day, month[n - 1] if n <= len(month) else None)
    return day.day in values(text, 1, 31)


def is_week_day(day, text):
    text = text.upper()
    same = [d for d in month_days(day) if week_day(d) == week_day(day)]
    if text == "L":
        return week_day(day) == 7
    if text.endswith("L"):
        return week_day(day) == number(text[:-1], WEEK) and day == same[-1]
    if "#" in text:
        which, nth = text.split("#")
        return week_day(day) == number(which, WEEK) and \
            same.index(day) + 1 == int(nth)
    return week_day(day) in values(text, 1, 7, WEEK)


def instant(local, zone):
    """When the clocks first show a naive time; None when they never do."""
    at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return at if at.astimezone(zone).replace(tzinfo=None) == local else None


def cron(text, zone, after):
    minutes, hours, of_month, months, of_week, years = text.split()
    minutes = values(minutes, 0, 59)
    hours = values(hours, 0, 23)
    months = values(months, 1, 12, YEAR)
    years = values(years, 1970, 2199)
    day = after.date() - 2 * DAY
    while day < END:
        if day.year in years and day.month in months and (
                is_month_day(day, of_month) if of_month != "?"
                else is_week_day(day, of_week)):
            for hour, minute in itertools.product(range(24), range(60)):
                if hour in hours and minute in minutes:
                    at = instant(datetime.datetime.combine(
                        day, datetime.time(hour, minute)), zone)
                    if at is not None and at > after:
                        yield at
        day += DAY


def rate(text, zone, after):
    count, unit = text.split()
    unit = unit if unit.endswith("s") else unit + "s"
    for i in itertools.count(1):
        yield after + i * datetime.timedelta(**{unit: int(count)})


def once(text, zone, after):
    at = instant(datetime.datetime.fromisoformat(text), zone)
    return [at] if at is not None and at > after else []


def firing(expression, zone, after, count=10):
    kind, _, body = expression.partition("(")
    times = {"cron": cron, "rate": rate, "at": once}[kind](
        body.rstrip(")"), zoneinfo.ZoneInfo(zone),
        datetime.datetime.fromisoformat(after.replace("Z", "+00:00")))
    return list(itertools.islice(times, count))


NOW = "2026-11-22T12:00:00Z"

# Expressions; their zone and after are those of the row.
ROWS = [
    ("UTC", NOW, """
rate(1 minute)
rate(5 minutes)
rate(1 minutes)
rate(90 minutes)
rate(1 hour)
rate(7 hour)
rate(12 hours)
rate(1 day)
rate(30 days)
rate(365 days)
at(2026-11-22T12:00:01)
at(2028-02-29T23:59:59)
at(2199-12-31T23:59:59)
cron(0 3 * * ? *)
cron(15 13 * * ? *)
cron(* * * * ? *)
cron(*/15 * * * ? *)
cron(0/15 * * * ? *)
cron(7/15 * * * ? *)
cron(59/1 * * * ? *)
cron(0,30 0,12 * * ? *)
cron(10-12 3 * * ? *)
cron(58-2 3 * * ? *)
cron(50-10/7 3 * * ? *)
cron(0 20-2 * * ? *)
cron(0 20-2/2 * * ? *)
cron(0 23-0 * * ? *)
cron(0 */6 * * ? *)
cron(0 5/6 * * ? *)
cron(0 0-23/5 * * ? *)
cron(0 9-17 ? * MON-FRI *)
cron(0/30 9-17 ? * 2-6 *)
cron(0 9 ? * SUN,SAT *)
cron(0 9 ? * fri-mon *)
cron(0 9 ? * FRI-MON *)
cron(0 9 ? * 6-2 *)
cron(0 9 ? * 6-2/2 *)
cron(0 9 ? * MON/2 *)
cron(0 9 ? * */3 *)
cron(0 9 ? * * *)
cron(0 9 ? * 1 *)
cron(0 9 ? * 7 *)
cron(0 9 ? * SUN-SAT *)
cron(0 9 ? * L *)
cron(0 9 ? * l *)
cron(0 9 ? * 1L *)
cron(0 9 ? * 2L *)
cron(0 9 ? * 6L *)
cron(0 9 ? * 7L *)
cron(0 9 ? * FRIL *)
cron(0 9 ? * wedL *)
cron(0 9 ? 2 6L *)
cron(0 9 ? * 3#2 *)
cron(0 9 ? * TUE#2 *)
cron(0 9 ? * tue#1 *)
cron(0 9 ? * 1#1 *)
cron(0 9 ? * 7#4 *)
cron(0 9 ? * 6#5 *)
cron(0 9 ? * 1#5 *)
cron(0 9 ? 2 1#5 *)
cron(0 9 ? 2 7#5 *)
cron(0 9 1 * ? *)
cron(0 9 15 * ? *)
cron(0 9 29 * ? *)
cron(0 9 30 * ? *)
cron(0 9 31 * ? *)
cron(0 9 31 4/3 ? *)
cron(0 9 29 2 ? *)
cron(0 9 29 FEB ? *)
cron(0 9 29 2 ? 2027-2099)
cron(0 9 1,11,21 * ? *)
cron(0 9 */10 * ? *)
cron(0 9 5/10 * ? *)
cron(0 9 25-5 * ? *)
cron(0 9 25-5/3 * ? *)
cron(0 9 30-2 * ? *)
cron(0 9 1-7 * ? *)
cron(0 9 L * ? *)
cron(0 9 l * ? *)
cron(0 9 L 2 ? *)
cron(0 9 L-1 * ? *)
cron(0 9 L-3 * ? *)
cron(0 9 L-3 2 ? *)
cron(0 9 L-29 * ? *)
cron(0 9 L-30 * ? *)
cron(0 9 LW * ? *)
cron(0 9 lw * ? *)
cron(0 9 LW 2 ? *)
cron(0 9 L-3W * ? *)
cron(0 9 L-30W * ? *)
cron(0 9 L-27W 2 ? *)
cron(0 9 1W * ? *)
cron(0 9 2W * ? *)
cron(0 9 3W * ? *)
cron(0 9 15W * ? *)
cron(0 9 15w * ? *)
cron(0 9 28W * ? *)
cron(0 9 29W * ? *)
cron(0 9 30W * ? *)
cron(0 9 31W * ? *)
cron(0 9 28W 2 ? *)
cron(0 9 29W 2 ? *)
cron(0 9 1 1 ? *)
cron(0 9 1 JAN,JUL ? *)
cron(0 9 1 jan,Jul ? *)
cron(0 9 1 NOV-FEB ? *)
cron(0 9 1 11-2 ? *)
cron(0 9 1 11-4/2 ? *)
cron(0 9 1 */3 ? *)
cron(0 9 1 2/3 ? *)
cron(0 9 1 JAN-DEC/6 ? *)
cron(0 9 1 1 ? 2027)
cron(0 9 1 1 ? 2027-2030)
cron(0 9 1 1 ? 2028/4)
cron(0 9 1 1 ? */10)
cron(0 9 1 1 ? 2027,2099,2199)
cron(0 0 1 1 ? 2190-2199)
cron(59 23 31 12 ? 2199)
cron(0 0 29 2 ? 2096-2108)
cron(0 0 ? 2 * 2100)
cron(59 23 31 12 ? *)
cron(0 0 1 1 ? *)
cron(0  3 *	* ?  *)
cron(00 03 01 01 ? *)
cron(0 10 * * ? *)
cron(15 12 * * ? *)
cron(0 18 ? * MON-FRI *)
cron(0 8 1 * ? *)
cron(0/10 * ? * MON-FRI *)
cron(0/5 8-17 ? * MON-FRI *)
cron(0/30 20-2 ? * MON-FRI *)
cron(15 10 ? * 6L 2026-2030)
cron(15 12 * * ? 2026)
"""),
    # The edges of after.
    ("UTC", "2026-11-09T03:00:00Z", "cron(0 3 * * ? *)\ncron(1 3 * * ? *)"),
    ("UTC", "2026-11-09T02:59:59.999Z", "cron(0 3 * * ? *)"),
    ("UTC", "2026-12-31T23:59:59Z", "cron(0 0 * * ? *)\ncron(* * * * ? *)"),
    ("UTC", "1970-01-01T00:00:00Z", "cron(0 0 * * ? *)\nrate(3 days)"),
    ("UTC", "2038-01-19T03:14:07Z", "cron(* * * * ? *)\nrate(1 minute)"),
    ("UTC", "2096-02-29T00:00:00Z", "cron(0 0 29 2 ? *)\ncron(0 0 L 2 ? *)"),
    ("UTC", "2016-12-31T23:58:00Z", "cron(59 23 * * ? *)\n"
     "cron(* 23 31 12 ? *)"),
    ("UTC", "2199-12-25T00:00:00Z", "cron(0 0 * * ? *)"),
    ("America/Anchorage", "2199-12-30T00:00:00Z", "cron(0 20 * * ? *)"),
    ("Asia/Tokyo", "1970-01-01T00:00:00Z", "cron(0 0 1 * ? *)"),
    ("Africa/Monrovia", "1971-12-30T00:00:00Z", "cron(0 0 * * ? *)"),
    ("Pacific/Apia", "2011-12-28T00:00:00Z", "cron(0 0 * * ? *)\n"
     "cron(30 12 30 12 ? 2009-2014)\ncron(0 12 ? * FRI *)"),
    ("Pacific/Kiritimati", "1994-12-29T00:00:00Z", "cron(0 6 * * ? *)"),
    ("Pacific/Kwajalein", "1993-08-18T00:00:00Z", "cron(0 6 * * ? *)"),
    ("Asia/Seoul", NOW, "cron(0 3 * * ? *)\ncron(0 0 L * ? *)\n"
     "at(2026-11-23T03:00:00)\nrate(1 day)"),
    ("Asia/Kolkata", NOW, "cron(0 0 1W * ? *)\ncron(30 5 * * ? *)"),
    ("Asia/Kathmandu", NOW, "cron(0 0 ? * 6#5 *)"),
]

# Around the changes of the clocks: zone, after, the hour left out or repeated.
CHANGES = [
    ("Europe/Berlin", "2026-03-27T00:00:00Z", 2),
    ("Europe/Berlin", "2026-10-23T00:00:00Z", 2),
    ("Europe/London", "2026-03-27T00:00:00Z", 1),
    ("Europe/London", "2026-10-23T00:00:00Z", 1),
    ("America/New_York", "2026-03-06T00:00:00Z", 2),
    ("America/New_York", "2026-10-30T00:00:00Z", 1),
    ("America/Los_Angeles", "2025-03-07T00:00:00Z", 2),
    ("America/Los_Angeles", "2025-10-31T00:00:00Z", 1),
    ("America/Santiago", "2025-09-05T00:00:00Z", 0),
    ("America/Santiago", "2026-04-03T00:00:00Z", 23),
    ("Asia/Beirut", "2026-03-27T00:00:00Z", 0),
    ("Asia/Beirut", "2026-10-23T00:00:00Z", 23),
    ("Africa/Cairo", "2026-04-22T00:00:00Z", 0),
    ("Africa/Cairo", "2026-10-28T00:00:00Z", 23),
    ("America/Havana", "2026-03-06T00:00:00Z", 0),
    ("America/Havana", "2025-10-31T00:00:00Z", 0),
    ("Australia/Lord_Howe", "2026-10-02T00:00:00Z", 2),
    ("Australia/Lord_Howe", "2026-04-03T00:00:00Z", 1),
    ("Antarctica/Troll", "2026-03-27T00:00:00Z", 1),
    ("Antarctica/Troll", "2026-10-23T00:00:00Z", 1),
    ("Africa/Casablanca", "2026-02-13T00:00:00Z", 2),
    ("Africa/Casablanca", "2026-03-20T00:00:00Z", 2),
    ("Europe/Dublin", "2040-10-26T00:00:00Z", 1),
    ("America/St_Johns", "2010-11-05T00:00:00Z", 0),
    ("Pacific/Chatham", "2026-09-25T00:00:00Z", 2),
]

IN_CHANGES = ["cron(0 {h} * * ? *)", "cron(30 {h} * * ? *)",
              "cron(59 {h} ? * SUN,SAT *)", "cron(*/20 {h} * * ? *)",
              "cron(50 * * * ? *)"]

OTHERS = [
    ("Europe/Berlin", "2026-01-01T00:00:00Z", "cron(30 2 ? * 1L *)\n"
     "cron(30 2 * 3 ? 2026-2028)\ncron(30 2 ? 10 1L *)\n"
     "at(2026-10-25T02:30:00)\nat(2026-03-29T01:59:59)\n"
     "at(2026-03-29T03:00:00)"),
    ("America/Havana", "2024-01-01T00:00:00Z", "cron(0 0 ? * SUN#2 *)\n"
     "cron(30 0 ? 11 1#1 2015-2024)"),
    ("America/Havana", "2000-01-01T00:00:00Z", "cron(0 0 ? 3 1#2 2000-2024)"),
    ("America/Santiago", "2023-01-01T00:00:00Z", "cron(0 0 ? 9 1 *)\n"
     "cron(0 0 ? * SUN *)"),
    ("Europe/Berlin", "2026-10-25T00:15:00Z", "cron(*/10 * * * ? *)\n"
     "cron(* * * * ? *)\nrate(10 minutes)\nrate(1 day)"),
    ("Europe/Berlin", "2026-10-25T01:15:00Z", "cron(*/10 * * * ? *)\n"
     "cron(0 2 * * ? *)"),
    ("Europe/Berlin", "2026-03-29T00:45:00Z", "cron(*/10 * * * ? *)\n"
     "rate(10 minutes)\nrate(1 day)"),
    ("Europe/Berlin", "2150-01-01T00:00:00Z", "cron(30 2 L 3 ? *)\n"
     "cron(30 2 ? 3 SUN *)"),
]


def mixed(count):
    """Fields drawn at random, for what nobody thought of."""
    draw = random.Random(20261122)

    def one(low, high):
        a, b = draw.randint(low, high), draw.randint(low, high)
        step = draw.randint(1, max(1, (high - low) // 2))
        return draw.choice(["*", "%d" % a, "%d-%d" % (a, b), "*/%d" % step,
                            "%d/%d" % (a, step), "%d-%d/%d" % (a, b, step),
                            "%d,%d" % (a, b), "%d,%d-%d" % (b, a, b)])
    zones = ["UTC", "Europe/Berlin", "America/Havana", "Asia/Seoul",
             "Australia/Lord_Howe", "America/Santiago", "Asia/Tehran"]
    for _ in range(count):
        of_month = draw.choice([one(1, 31), one(1, 31), "L", "LW", "L-%d" %
                                draw.randint(1, 27), "%dW" %
                                draw.randint(1, 31)])
        of_week = draw.choice([one(1, 7), one(1, 7), "%dL" %
                               draw.randint(1, 7), "%d#%d" % (
                                   draw.randint(1, 7), draw.randint(1, 5))])
        days = draw.choice([(of_month, "?"), ("?", of_week)])
        after = datetime.datetime(2015, 1, 1, tzinfo=UTC) + \
            datetime.timedelta(minutes=draw.randint(0, 525600))
        yield (draw.choice(zones), after.strftime("%Y-%m-%dT%H:%M:%SZ"),
               "cron(%s %s %s %s %s *)" % (one(0, 59), one(0, 23), days[0],
                                           one(1, 12), days[1]))


def rows():
    for zone, after, text in ROWS + OTHERS:
        for line in text.strip("\n").split("\n"):
            yield zone, after, line
    for zone, after, hour in CHANGES:
        for line in IN_CHANGES:
            yield zone, after, line.format(h=hour)
    yield from mixed(60)


def compare():
    """With croniter and aws-croniter, where they know the form."""
    import aws_croniter
    import croniter
    agreed = {"croniter": 0, "aws_croniter": 0}
    differ = 0
    for zone, after, line in rows():
        if zone != "UTC" or not line.startswith("cron("):
            continue
        begin = datetime.datetime.fromisoformat(after.replace("Z", "+00:00"))
        want = firing(line, zone, after)
        fields = line[5:-1].split()
        got = {}
        try:
            got["aws_croniter"] = aws_croniter.AwsCroniter(
                line[5:-1]).get_next(begin, len(want))
        except Exception:
            pass
        week = fields[4].upper()
        if fields[5] == "*" and "W" not in fields[2].upper() and \
                "-" not in fields[2] and week in (
                    "?", "*", "MON-FRI", "SUN,SAT", "1", "7"):
            week = {"1": "SUN", "7": "SAT"}.get(week, week)
            try:
                it = croniter.croniter(" ".join(fields[:4] + [week]).replace(
                    "?", "*"), begin)
                got["croniter"] = [it.get_next(datetime.datetime)
                                   for _ in want]
            except Exception:
                pass
        for name, times in got.items():
            if times == want:
                agreed[name] += 1
            else:
                differ += 1
                print("%s differs: %s\n  %s\n  %s" % (
                    name, line, [str(t) for t in times],
                    [str(t) for t in want]))
    print(agreed, "agree,", differ, "differ")


def main():
    tz = os.environ.get("TZDIR", "build/deps/zoneinfo")
    zoneinfo.reset_tzpath([os.path.abspath(tz)])
    if "--others" in sys.argv[1:]:
        compare()
        return
    seen = set()
    with open(os.path.join(tz, "tzdata.zi"), encoding="ascii") as f:
        version = f.readline().split()[-1]
    print("# Made by tests/schedules.py and tzdata %s, apart from firn's code:"
          "\n# expression | zone | after | the next times, ten at most."
          % version)
    for row in rows():
        if row in seen:
            continue
        seen.add(row)
        zone, after, line = row
        times = firing(line, zone, after)
        print(" | ".join([line, zone, after, " ".join(
            t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in times)]))


if __name__ == "__main__":
    main()
