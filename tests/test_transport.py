#!/usr/bin/env python3
"""test_transport.py - servers that behave badly, against the transport.

    tests/test_transport.py FETCH

FETCH is tests/net/fetch.c, built. Each row is a server's script, what fetch
is told, and what it must print. Everything is on the loopback interface.
"""
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

BODY = bytes(i * 7 % 251 for i in range(300000))
SUM = "sum=%08x" % zlib.adler32(BODY)
POOL_MOST = 280000  # bytes: one connection, whatever the server does
OK = b"HTTP/1.1 200 OK\r\n"


class Server:
    """Hands each connection to the row's script, one thread each."""

    def __init__(self, script):
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heads, self.bodies, self.connections = [], [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.talk, daemon=True,
                             args=(conn, self.connections)).start()

    def talk(self, conn, nth):
        try:
            self.script(self, conn, nth)
        except OSError:
            pass
        conn.close()

    def head(self, conn):
        """Reads a request's head; b"" when the client is gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = conn.recv(1)
            if not piece:
                return b""
            data += piece
        self.heads.append(data)
        return data

    def body(self, conn, head):
        want = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        got = 0
        while got < want:
            piece = conn.recv(65536)
            if not piece:
                break
            got += len(piece)
        self.bodies.append(got)
        return got

    def close(self):
        self.listener.close()


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    conn.close()


def replies(*pieces, then=None):
    """One reply to each request, in pieces; `then` may end the connection."""
    def script(server, conn, nth):
        while server.head(conn):
            for piece in pieces:
                conn.sendall(piece)
            if then:
                return then(conn)
    return script


def sized(body, extra=b""):
    return OK + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body, size):
    out = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        out += b"%x\r\n" % len(piece) + piece + b"\r\n"
    return out


def closes(server, conn, nth):
    conn.recv(1)


def silent(server, conn, nth):
    server.head(conn)
    time.sleep(5)


def drip(server, conn, nth):
    server.head(conn)
    conn.sendall(OK + b"Content-Length: 100\r\n\r\n")
    for _ in range(50):
        conn.sendall(b"x")
        time.sleep(0.1)


def endless_head(server, conn, nth):
    server.head(conn)
    conn.sendall(OK)
    for i in range(1 << 20):
        conn.sendall(b"x-%d: y\r\n" % i)


def endless_line(server, conn, nth):
    server.head(conn)
    conn.sendall(OK + b"x: ")
    for i in range(4096):
        conn.sendall(b"y" * 4096)


def endless_continue(server, conn, nth):
    server.head(conn)
    for i in range(1 << 20):
        conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def one_each(server, conn, nth):
    """Answers one request, then closes without having said so."""
    head = server.head(conn)
    if b"PUT" in head:
        server.body(conn, head)
    conn.sendall(sized(b"one"))


def dies_when_reused(server, conn, nth):
    """Takes the second request on a connection, and resets it."""
    head = server.head(conn)
    server.body(conn, head)
    conn.sendall(sized(b"one"))
    if nth == 1:
        server.head(conn)
        time.sleep(0.2)
        return reset(conn)
    while server.head(conn):
        server.body(conn, server.heads[-1])
        conn.sendall(sized(b"two"))


def dies_later(server, conn, nth):
    """Answers one request; resets the next, on whichever connection."""
    head = server.head(conn)
    server.body(conn, head)
    if nth > 1:
        return reset(conn)
    conn.sendall(sized(b"one"))
    if server.head(conn):
        reset(conn)


def refuses_early(server, conn, nth):
    """Answers the announcement of a body, and closes at once, as S3 does."""
    server.head(conn)
    text = b"<Error><Code>ExpiredToken</Code></Error>"
    conn.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                 b"Content-Length: %d\r\n\r\n" % len(text) + text)


def continues(server, conn, nth):
    while True:
        head = server.head(conn)
        if not head:
            return
        if b"Expect: 100-continue" in head:
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        server.body(conn, head)
        conn.sendall(b"HTTP/1.1 200 OK\r\nETag: \"e\"\r\n"
                     b"Content-Length: 0\r\n\r\n")


def takes(server, conn, nth):
    while True:
        head = server.head(conn)
        if not head:
            return
        server.body(conn, head)
        conn.sendall(sized(b"took"))


FULL = sized(BODY)
ERROR = (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\n" +
         b"e" * 5000)

# name, script, what fetch is told, what it prints (a pattern), exit code,
# and what must hold of the server afterwards
ROWS = [
    ("a body of announced length", replies(FULL), "get", "200 .*" + SUM, 0),
    ("in single bytes of head", replies(*[FULL[i:i + 1] for i in range(60)],
                                        FULL[60:]), "get", SUM, 0),
    ("in chunks", replies(chunked(BODY, 1000) + b"0\r\n\r\n"), "get", SUM, 0),
    ("with a trailer", replies(chunked(BODY, 9999) + b"0\r\nx: y\r\n\r\n"),
     "get", SUM, 0),
    ("into a slow and small sink", replies(FULL),
     "get ring=8192 slow=3000", SUM, 0),
    ("chunks into a slow and small sink",
     replies(chunked(BODY, 70000) + b"0\r\n\r\n"),
     "get ring=4096 slow=1000", SUM, 0),
    ("into a slow sink", replies(FULL), "get slow=9000", SUM, 0),
    ("no body at all", replies(b"HTTP/1.1 204 No Content\r\n\r\n"), "get",
     "204 bytes=0", 0),
    ("an error's body is kept, bounded", replies(ERROR), "get",
     "403 bytes=5000 .*error=e{2048}$", 0),
    ("a HEAD announces and sends nothing",
     replies(OK + b"Content-Length: 77\r\n\r\n"), "head", "200 bytes=0", 0),
    ("connections are kept", replies(FULL), "get times=3",
     "(?s)reused=0.*reused=1.*reused=1", 0, lambda s: s.connections == 1),
    ("cut short of its length", replies(FULL[:-1], then=socket.socket.close),
     "get", "failed 18 the reply was cut short", 69),
    ("cut in a chunk",
     replies(chunked(BODY, 5000)[:-2000], then=socket.socket.close), "get",
     "failed (18|56) the (reply was cut|connection broke)", 69),
    ("cut before the last chunk",
     replies(chunked(BODY, 5000), then=socket.socket.close), "get",
     "failed (18|56) the (reply was cut|connection broke)", 69),
    ("of unknown length", replies(OK + b"\r\n" + BODY,
                                  then=socket.socket.close), "get",
     "failed 18 the reply does not say how long it is", 69),
    ("reset in the body", replies(FULL[:100000], then=reset), "get",
     "failed 56 connection reset", 69),
    ("reset before the head", replies(then=reset), "get",
     "failed 56 connection reset", 69),
    ("closed before the head", replies(then=socket.socket.close), "get",
     "failed 52 the connection closed without a reply", 69),
    ("closed within the head", replies(OK, then=socket.socket.close), "get",
     "failed 18 the reply's head was cut short", 69),
    ("not HTTP", replies(b"SSH-2.0-OpenSSH\r\n\r\n" * 99), "get",
     "failed 1 what it answers is not HTTP/1.1", 69),
    ("silent", silent, "get timeout_ms=400",
     "failed 28 the reply took too long", 69),
    ("dripping", drip, "get timeout_ms=700",
     "failed 28 the reply took too long", 69),
    ("an endless head", endless_head, "get", "failed 56 ", 69),
    ("an endless line", endless_line, "get", "failed \\S+ ", 69),
    ("endlessly about to go on", endless_continue, "get timeout_ms=3000",
     "failed \\S+ ", 69),
    ("a redirect is not followed",
     replies(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:%d/\r\n"
             b"Content-Length: 0\r\n\r\n"), "get", "301 bytes=0", 0,
     lambda s: len(s.heads) == 1),
    ("closed between requests", one_each, "get times=3 after_ms=100",
     "(?s)200.*200.*200", 0, lambda s: s.connections == 3),
    ("closed between uploads", one_each, "put body=90000 times=2 after_ms=100",
     "(?s)200.*200", 0, lambda s: s.bodies == [90000, 90000]),
    ("died on a kept connection", dies_when_reused,
     "put body=90000 times=2", "(?s)200 bytes=3 .*200 bytes=3 .*sent=90000",
     0, lambda s: s.connections == 2 and s.bodies[-1] == 90000),
    ("a POST that dies on a kept connection goes again", dies_later,
     "post body=900 times=2", "failed 56 connection reset", 69,
     lambda s: len(s.heads) == 3),
    ("what must be sent once is", dies_later, "post body=900 times=2 once=1",
     "failed 56 connection reset", 69, lambda s: len(s.heads) == 2),
    ("a large body waits for its leave", continues,
     "put body=5000000 times=2", "(?s)200 .*200 bytes=0 .*sent=5000000", 0,
     lambda s: s.bodies == [5000000] * 2),
    ("a refusal comes before the body", refuses_early, "put body=5000000",
     "400 .*sent=0 .*ExpiredToken", 0),
    ("a large body does not wait for ever", takes, "put body=5000000",
     "200 bytes=4 .*sent=5000000", 0, lambda s: s.bodies == [5000000]),
    ("a small body does not wait", takes, "post body=1000",
     "200 bytes=4 .*sent=1000", 0,
     lambda s: b"Expect" not in s.heads[0] and s.bodies == [1000]),
    ("a POST without a body", takes, "post", "200 bytes=4", 0,
     lambda s: b"Content-Length: 0\r\n" in s.heads[0]),
    ("a PUT without a body", takes, "put", "200 bytes=4", 0,
     lambda s: b"Content-Length: 0\r\n" in s.heads[0]),
    ("nothing is added to the head", takes, "post body=10", "200", 0,
     lambda s: re.fullmatch(
         rb"POST /a/../b%2Fc\?d HTTP/1.1\r\nHost: 127.0.0.1:\d+\r\n"
         rb"User-Agent: firn/test\r\nx-amz-test:1\r\n"
         rb"content-type:text/plain\r\nContent-Length: 10\r\n\r\n",
         s.heads[0]) is not None),
]


def run(fetch, words, url, **environment):
    words = words.split()
    done = subprocess.run([fetch, words[0], url] + words[1:],
                          capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, **environment))
    return done.returncode, done.stdout


def holds(fetch, row):
    name, script, words, want, code, *server_holds = row
    server = Server(script)
    got, out = run(fetch, words,
                   "http://127.0.0.1:%d/a/../b%%2Fc?d" % server.port)
    pool = re.search("pool_peak=(\\d+)", out)
    good = (got == code and re.search(want, out, re.M) is not None and
            pool is not None and int(pool[1]) < POOL_MOST and
            all(check(server) for check in server_holds))
    server.close()
    if not good:
        print("broken: %s: exit %d, %d connections, bodies %s\n%s" %
              (name, got, server.connections, server.bodies, out))
    return good


def proxies_are_for_https(fetch):
    def proxy(server, conn, nth):
        server.head(conn)
        conn.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    server, target = Server(proxy), Server(closes)
    plain = Server(replies(sized(b"direct")))
    url = "http://127.0.0.1:%d" % server.port
    outs = [
        run(fetch, "get", "https://example.test/", HTTPS_PROXY=url),
        run(fetch, "get", "https://127.0.0.1:%d/" % target.port,
            HTTPS_PROXY=url, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"),
        run(fetch, "get", "http://127.0.0.1:%d/" % plain.port,
            HTTPS_PROXY=url, http_proxy=url, ALL_PROXY=url),
    ]
    good = (server.connections == 1 and
            server.heads[0].startswith(b"CONNECT example.test:443 ") and
            b"x-amz" not in server.heads[0] and
            target.connections == 1 and
            "failed 56" in outs[0][1] and outs[2][0] == 0)
    if not good:
        print("broken: proxies", server.connections, server.heads, outs)
    return good


def waiting_costs_nothing(fetch):
    """Transfers that wait for room wake up no one meanwhile."""
    good = True
    for script, ring in ((replies(sized(b"x" * 4000000)), 65536),
                         (replies(sized(b"x" * 4000000)), 8192),
                         (replies(chunked(BODY * 9, 40000) + b"0\r\n\r\n"),
                          32768)):
        server = Server(script)
        code, out = run(fetch, "get times=2 parallel=2 hold_ms=1500 ring=%d" %
                        ring, "http://127.0.0.1:%d/" % server.port)
        server.close()
        polls = re.search("polls=(\\d+)", out)
        if code != 0 or int(polls[1]) > 3000:
            print("broken: waiting, ring of %d: exit %d\n%s" %
                  (ring, code, out))
            good = False
    return good


def full_pool_is_said(fetch):
    """Each allocation of one exchange fails in turn, then none does."""
    server = Server(replies(FULL))
    url = "http://127.0.0.1:%d/" % server.port
    for nth in range(1, 400):
        code, out = run(fetch, "get fail=%d" % nth, url)
        if "refused=0" in out:
            return nth > 20 and code == 0
        if code not in (0, 69) or (code == 69 and "pool full" not in out):
            print("broken: allocation %d fails: exit %d\n%s" %
                  (nth, code, out))
            return False
    return False


def main():
    fetch = os.path.abspath(sys.argv[1])
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    results = [holds(fetch, row) for row in ROWS]
    results += [proxies_are_for_https(fetch), waiting_costs_nothing(fetch),
                full_pool_is_said(fetch)]
    print("%d passed, %d failed" % (sum(results),
                                    len(results) - sum(results)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
