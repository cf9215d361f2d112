#!/usr/bin/env python3
"""check_athena.py - the statements of docs/reading.md on the default keys.

    PYTHONPATH=DIR tests/check_athena.py [firn]

Athena itself cannot be had here. What can: sqlglot reads the statements as
Athena's SQL and turns the queries into DuckDB's, which run over the objects
that firn archived under its default keys, with the columns, the partitions
and the paths that CREATE TABLE says. Not part of `make check`: DIR holds
duckdb and sqlglot, from PyPI (pip install --target DIR duckdb sqlglot)."""
import glob
import os
import re
import sys
import tempfile

import duckdb
import sqlglot

import rig

DAYS = ("2026-10-05", "2026-10-06")
score = rig.Score()


def statements():
    with open(os.path.join(rig.ROOT, "docs/reading.md")) as page:
        return re.findall(r"```sql\n(.*?)```", page.read(), re.S)


def fetch(model, where):
    s3 = rig.client("s3", model.url)
    for item in s3.list_objects_v2(Bucket="test-bucket")["Contents"]:
        path = os.path.join(where, item["Key"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        s3.download_file("test-bucket", item["Key"], path)


def table(db, create, where):
    """The table as CREATE TABLE has it, over the files: what begins with an
    underscore is not there for Athena, nor is it here."""
    tree = sqlglot.parse_one(create, read="athena")
    score.check("CREATE TABLE is read", isinstance(tree,
                                                   sqlglot.exp.Create), create)
    columns = [c.name for c in tree.this.expressions
               if isinstance(c, sqlglot.exp.ColumnDef)]
    properties = dict(re.findall(r"'([a-z._]+)'\s*=\s*'([^']*)'", create))
    template = properties["storage.location.template"]
    names = re.findall(r"\$\{(\w+)\}", template)
    partitions = re.search(r"PARTITIONED BY \((.*?)\)", create, re.S)[1]
    score.equal("each partition column is in the template and projected",
                (sorted(names), sorted(n for n in names
                                       if "projection.%s.type" % n in
                                       properties)),
                (sorted(re.findall(r"`?(\w+)`? string", partitions)),
                 sorted(names)))
    pattern = re.escape(template.replace("s3://acme-logs/", ""))
    for name in names:
        values = properties.get("projection.%s.values" % name)
        one = "|".join(map(re.escape, values.split(","))) if values else \
            r"\d{4}-\d\d-\d\d"
        pattern = pattern.replace(re.escape("${%s}" % name),
                                  "(?P<%s>%s)" % (name, one))
    parts = []
    for path in sorted(glob.glob(where + "/**/*", recursive=True)):
        key = os.path.relpath(path, where)
        found = re.fullmatch(pattern + r"[^_./][^/]*", key)
        if not found:
            continue
        parts.append("SELECT %s, %s FROM read_json('%s', format = "
                     "'newline_delimited', columns = {%s})" % (
                         ", ".join('"%s"' % c for c in columns
                                   if c not in names),
                         ", ".join("'%s' AS %s" % (found[n], n)
                                   for n in names), path,
                         ", ".join("'%s': 'VARCHAR'" % c for c in columns
                                   if c not in names)))
    score.equal("each archive is in one partition", len(parts), 4)
    db.execute("CREATE TABLE logs AS " + " UNION ALL ".join(parts))


def main():
    firn = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        rig.ROOT, "build/firn")
    create, *queries = statements()
    with rig.Model("--account", "111122223333") as model, \
            tempfile.TemporaryDirectory() as where:
        program = rig.Firn(firn, model.url)
        events = 0
        for group in ("/ecs/api", "/aws/lambda/resize"):
            model.control("group?group=%s&retention=3650" % group)
            for day in DAYS:
                model.control("fill?group=%s&from=%s&bytes=2000000"
                              "&profile=json" % (group, day))
                done = program.archive(group, "s3://test-bucket", "--day",
                                       day)
                score.equal("archive", (done.code, done.err[-200:] if
                                        done.code else ""), (0, ""))
                events += int(re.search(rb'"events":(\d+)', done.out)[1])
        fetch(model, where)
        db = duckdb.connect()
        table(db, create, where)
        score.equal("no event is lost", db.execute(
            "SELECT count(*), count(message), count(stream), count(CAST("
            "\"timestamp\" AS TIMESTAMPTZ)) FROM logs").fetchone(),
            (events,) * 4)
        score.equal("a day is its partition", db.execute(
            "SELECT count(*) FROM logs WHERE \"timestamp\"[1:10] != dt"
            ).fetchone()[0], 0)
        for query in queries:
            mine = sqlglot.transpile(query, read="athena", write="duckdb")[0]
            rows = db.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (%s)"
                              % mine).fetchall()
            print("%d rows: %s\n  %s" % (len(rows), " ".join(query.split()),
                                         rows[:1]))
            score.check("a query has rows: " + query, rows)
    print("sqlglot %s, duckdb %s" % (sqlglot.__version__,
                                     duckdb.__version__))
    sys.exit(score.close())


main()
