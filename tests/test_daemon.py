"""test_daemon.py - firn daemon as systemd sees it: ready, alive, reloading,
stopping; and its runs, at their times. A number in a name is the row's in the
table of failures.

  test_daemon.py [firn]"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import rig

score = rig.Score()
NOW = int(time.time() * 1000)


class Daemon:
    def __init__(self, world, *words, **environment):
        self.told, self.out, self.err = [], [], []
        self.path = os.path.join(world.where, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.process = subprocess.Popen(
            [world.firn.program, "daemon", world.path, "--output", "json",
             "--rate", "1000", "--give-up", "5", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd="/", env=dict(
                world.firn.environment, NOTIFY_SOCKET=self.path,
                WATCHDOG_USEC="400000", **environment))
        for work in (self.listen, self.read_out, self.read_err):
            threading.Thread(target=work, daemon=True).start()

    def listen(self):
        try:
            while True:
                self.told.append((time.monotonic(),
                                  self.socket.recv(4096).decode()))
        except OSError:
            pass

    def read_out(self):
        for line in self.process.stdout:
            self.out.append(json.loads(line))

    def read_err(self):
        for line in self.process.stderr:
            self.err.append(line.decode())

    def wait(self, what, seconds=10):
        """Until it holds; the seconds it took."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            if what():
                return time.monotonic() - begun
            time.sleep(0.02)
        return None

    def said(self, line):
        return any(t.startswith(line) for _, t in self.told)

    def runs(self):
        return sum('"phase":"done"' in line for line in self.err)

    def end(self):
        self.process.wait(timeout=30)
        time.sleep(0.1)
        self.socket.close()
        os.unlink(self.path)
        return self.process.returncode


class World:
    def __init__(self, firn, model, where):
        self.model, self.where = model, where
        self.firn = rig.Firn(firn, model.url)
        self.path = os.path.join(where, "firn.json")

    def write(self, groups, schedule, **more):
        with open(self.path, "w", encoding="utf-8") as f:
            json.dump({"region": "us-east-1", "to": "s3://test-bucket/",
                       "groups": groups, "schedule": schedule,
                       "backfill_days": 1, **more}, f)


def at(seconds):
    """A schedule that fires once, so many whole seconds from now."""
    return "at(%s)" % time.strftime("%Y-%m-%dT%H:%M:%S",
                                    time.gmtime(time.time() + seconds))


def a_life(world):
    world.write(["/a"], at(4))
    d = Daemon(world)
    score.check("it says when it is ready", d.wait(lambda: d.said("READY=1")))
    score.check("the first run is at once", d.wait(lambda: d.runs() == 1, 3))
    score.equal("of what is due", [r["group"] for r in d.out], ["/a"])
    score.check("the next at its time", d.wait(lambda: d.runs() == 2, 8))
    score.equal("and after the last it ends", d.end(), 0)
    peaks = [json.loads(x)["rss_peak_bytes"] for x in d.err
             if '"phase":"done"' in x]
    score.check("in the memory of the first run", peaks[0] == peaks[-1],
                peaks)
    pets = [t for t, line in d.told if line == "WATCHDOG=1"]
    gaps = [b - a for a, b in zip(pets, pets[1:])]
    score.check("the watchdog is kept quiet", gaps and max(gaps) < 0.4, gaps)
    score.check("it says that it stops", d.said("STOPPING=1"))


def reloading(world):
    """87: a configuration is taken whole, between two runs, or not at all."""
    world.write(["/a"], "cron(0 3 1 1 ? 2199)")
    d = Daemon(world)
    d.wait(lambda: d.runs() == 1)
    with open(world.path, "w", encoding="utf-8") as f:
        f.write('{"region": "us-east-1", "groups": ["/b"')
    d.process.send_signal(signal.SIGHUP)
    score.check("half a file changes nothing (87)", d.wait(
        lambda: any("it ends too early" in x for x in d.err)), d.err[-2:])
    score.check("systemd is told", d.said("RELOADING=1\nMONOTONIC_USEC=") and
                d.told[-1][1] in ("READY=1", "WATCHDOG=1"), d.told[-3:])
    world.write(["/a", "/b"], at(2))
    d.process.send_signal(signal.SIGHUP)
    score.check("a whole one is in force at the next run (87)",
                d.wait(lambda: d.runs() == 2, 8))
    score.equal("with its groups", [r["group"] for r in d.out], ["/b"])
    score.equal("the end", d.end(), 0)


def stopping(world):
    world.write(["/a"], "rate(1 days)")
    d = Daemon(world)
    d.wait(lambda: d.runs() == 1)
    time.sleep(0.3)
    begun = time.monotonic()
    d.process.send_signal(signal.SIGTERM)
    code = d.end()
    score.check("SIGTERM while it waits (79)", code == 75 and
                time.monotonic() - begun < 2, code)
    world.model.control("group?group=/slow&created=%d" % (
        NOW - 3 * rig.DAY_MS))
    world.write(["/slow"], "rate(1 days)")
    world.model.control("set?latency:FilterLogEvents=5000")
    d = Daemon(world)
    d.wait(lambda: any('"reading"' in x for x in d.err))
    begun = time.monotonic()
    d.process.send_signal(signal.SIGTERM)
    code = d.end()
    score.check("SIGTERM in a run (79)", code == 75 and
                time.monotonic() - begun < 2.2, code)
    world.model.control("set?latency:FilterLogEvents=0")


def at_the_start(world):
    world.write(["/a"], "rate(1 day")
    done = world.firn.run("daemon", world.path)
    score.check("a schedule that is none", done.code == 78, done.err)
    world.write(["/a"], at(2))
    done = world.firn.run("daemon", world.path, "--give-up", "5",
                          NOTIFY_SOCKET="/nonexistent/notify")
    score.check("a socket that is not there", done.code == 0, done.err)


def main():
    firn = sys.argv[1] if len(sys.argv) > 1 else "build/firn"
    with rig.Model() as model, tempfile.TemporaryDirectory() as where:
        world = World(firn, model, where)
        for group in ("/a", "/b"):
            model.control("group?group=%s&created=%d" % (
                group, NOW - 3 * rig.DAY_MS))
        a_life(world)
        reloading(world)
        stopping(world)
        at_the_start(world)
    return score.close()


if __name__ == "__main__":
    sys.exit(main())
