"""runtime.py - the tests' model of Lambda's runtime API.

It holds events until they are asked for, and what it was told. As Lambda
does, it takes an answer for the event in hand alone, and only with the id of
that attempt. Its faults: `status` answers every POST or question with that,
`drop` closes connections instead of answering so many requests."""
import collections
import http.server
import json
import queue
import socket
import threading
import time

Told = collections.namedtuple("Told", "what id body headers at")
BASE = "/2018-06-01/runtime/"


class Runtime:
    def __init__(self, seconds=60):
        self.events, self.told = queue.Queue(), queue.Queue()
        self.seconds, self.serial, self.held = seconds, 0, None
        self.status = {"GET": 200, "POST": 202}
        self.drop, self.strange, self.connections = 0, [], set()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                model.connections.add(self.connection)

            def finish(self):
                model.connections.discard(self.connection)
                try:
                    super().finish()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

            def dropped(self):
                if model.drop > 0:
                    model.drop -= 1
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return True
                return False

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path != BASE + "invocation/next":
                    model.strange.append("GET " + self.path)
                    return self.reply(404)
                if self.dropped():
                    return None
                if model.status["GET"] != 200:
                    return self.reply(model.status["GET"])
                found = model.wait(self.connection)
                if found is None:
                    return None
                event, seconds = found
                model.serial += 1
                model.held = ("8476a536-e9f4-11e8-9739-%012d" % model.serial,
                              "attempt-%d" % model.serial)
                return self.reply(
                    200, event, Content_Type="application/json",
                    Lambda_Runtime_Aws_Request_Id=model.held[0],
                    Lambda_Runtime_Invocation_Id=model.held[1],
                    Lambda_Runtime_Deadline_Ms="%d" % (
                        (time.time() + seconds) * 1000),
                    Lambda_Runtime_Invoked_Function_Arn="arn:aws:lambda:us-"
                    "east-1:123456789012:function:firn",
                    Lambda_Runtime_Trace_Id="Root=1-5bef4de7-ad49b0e87f6ef6c"
                    "87fc2e700;Parent=9a9197af755a6419;Sampled=1")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.dropped():
                    return None
                if "Authorization" in self.headers:
                    model.strange.append("a signed request")
                if model.status["POST"] != 202:
                    return self.reply(model.status["POST"])
                if self.path == BASE + "init/error":
                    return self.take("init", None, body)
                for what in ("response", "error"):
                    if model.held and self.path == BASE + "invocation/%s/%s" \
                            % (model.held[0], what):
                        if self.headers["Lambda-Runtime-Invocation-Id"] != \
                                model.held[1]:
                            model.strange.append("another attempt")
                            return self.reply(400)
                        return self.take(what, model.held[0], body)
                model.strange.append("POST " + self.path)
                return self.reply(400)

            def take(self, what, which, body):
                model.held = None
                self.reply(202, b'{"status":"OK"}\n')
                model.told.put(Told(what, which, json.loads(body),
                                    {
                    k.lower(): v for k, v in self.headers.items()},
                    time.time()))

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a connection that was cut, or a process that was

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.api = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def send(self, event, seconds=None):
        """An event, as bytes or what becomes JSON."""
        self.events.put((event if isinstance(event, bytes)
                         else json.dumps(event).encode(),
                         self.seconds if seconds is None else seconds))

    def wait(self, connection):
        """The next event, unless the connection is cut before it comes."""
        while connection in self.connections:
            try:
                found = self.events.get(timeout=0.05)
            except queue.Empty:
                continue
            if connection in self.connections:
                return found
            self.events.put(found)
        return None

    def hear(self, seconds=60):
        """The next that it is told; of nothing at all if none comes."""
        try:
            return self.told.get(timeout=seconds)
        except queue.Empty:
            return Told("nothing", None, collections.defaultdict(str), {}, 0)

    def until_held(self):
        while self.held is None:
            time.sleep(0.02)

    def invoke(self, event, seconds=None):
        self.send(event, seconds)
        return self.hear()

    def cut(self):
        """Kept connections die, as those of a frozen process do."""
        for c in list(self.connections):
            self.connections.discard(c)
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.server.shutdown()
