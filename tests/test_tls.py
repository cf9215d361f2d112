#!/usr/bin/env python3
"""test_tls.py - which servers are believed, and the one reason for those
that are not.

    tests/test_tls.py FIRN      the program: firn cat --ca-bundle ...
    tests/test_tls.py FETCH     tests/net/fetch.c, built, named fetch*

The servers are OpenSSL's (Python's ssl module), with certificates made here by
the openssl command under a small authority of our own. firn is told to read an
object from one of them: a server that is believed answers that there is none.
"""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import warnings

MISSING = (b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code>"
           b"<Message>The specified key does not exist.</Message></Error>")
REPLY = (b"HTTP/1.1 404 Not Found\r\nContent-Type: application/xml\r\n"
         b"Content-Length: %d\r\n\r\n" % len(MISSING))
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"
V = ssl.TLSVersion
warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is a row


class Authority:
    """Keys and certificates, in a directory that goes away."""

    def __init__(self, where):
        self.where = where
        self.root("ca", "ec")
        self.root("stranger", "ec")
        self.cert("ca2", "ec", ca=True)           # an intermediate

    def path(self, name):
        return os.path.join(self.where, name)

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, cwd=self.where,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def key(self, name, kind):
        if kind.startswith("rsa"):
            self.openssl("genrsa", "-out", name + ".key", kind[3:] or "2048")
        else:
            self.openssl("ecparam", "-genkey", "-noout", "-out",
                         name + ".key", "-name",
                         "secp384r1" if kind == "ec384" else "prime256v1")

    def root(self, name, kind):
        self.key(name, kind)
        self.openssl("req", "-x509", "-new", "-key", name + ".key", "-subj",
                     "/CN=firn test " + name, "-days", "9", "-out",
                     name + ".pem")

    def cert(self, name, kind, by="ca", names="DNS:localhost,IP:127.0.0.1",
             start="20250101000000Z", end="20991231235959Z", ca=False,
             digest="sha256", extra=""):
        self.key(name, kind)
        self.openssl("req", "-new", "-key", name + ".key", "-subj",
                     "/CN=" + name, "-out", name + ".csr")
        with open(self.path(name + ".ext"), "w") as ext:
            ext.write("basicConstraints=critical,CA:%s\n" %
                      str(ca).upper())
            if not ca:
                ext.write("subjectAltName=%s\n%s\n" % (names, extra))
        for state in ("index.txt", "serial"):
            with open(self.path(by + "." + state), "a") as f:
                if state == "serial" and f.tell() == 0:
                    f.write("01\n")
        with open(self.path(by + ".cnf"), "w") as conf:
            conf.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s.index.txt\n"
                       "serial=%s.serial\nnew_certs_dir=.\npolicy=p\n"
                       "unique_subject=no\n[p]\ncommonName=supplied\n" %
                       (by, by))
        self.openssl("ca", "-batch", "-notext", "-config", by + ".cnf",
                     "-cert", by + ".pem", "-keyfile", by + ".key", "-in",
                     name + ".csr", "-out", name + ".crt", "-extfile",
                     name + ".ext", "-startdate", start, "-enddate", end,
                     "-md", digest)
        shutil.copy(self.path(name + ".crt"), self.path(name + ".pem"))

    def self_signed(self, name, *words):
        self.key(name, "ec")
        self.openssl("req", "-x509", "-new", "-key", name + ".key", "-subj",
                     "/CN=localhost", "-days", "9", "-addext",
                     "subjectAltName=DNS:localhost", "-out", name + ".pem",
                     *words)


class Server:
    def __init__(self, authority, name, low=V.TLSv1_2, high=V.TLSv1_3,
                 ciphers="ALL:@SECLEVEL=0", chain=(),
                 client_chooses=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers)
        if client_chooses:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        context.minimum_version, context.maximum_version = low, high
        files = [authority.path(name + ".pem")]
        files += [authority.path(link + ".pem") for link in chain]
        bundle = authority.path(name + ".chain")
        with open(bundle, "w") as out:
            out.write("".join(open(f).read() for f in files))
        context.load_cert_chain(bundle, authority.path(name + ".key"))
        self.context = context
        self.seen = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(conn,),
                             daemon=True).start()

    def talk(self, conn):
        try:
            with self.context.wrap_socket(conn, server_side=True) as tls:
                self.serve(tls)
        except OSError:
            pass

    def serve(self, tls):
        data = b""
        while True:
            piece = tls.recv(65536)
            if not piece:
                return
            data += piece
            while b"\r\n\r\n" in data:
                head, data = data.split(b"\r\n\r\n", 1)
                self.seen.append((tls.version(), tls.cipher()[0]))
                body = b"" if head.startswith(b"HEAD") else MISSING
                tls.sendall(REPLY + body)

    def close(self):
        self.listener.close()


class Mixed(Server):
    """One name, two servers behind it: TLS 1.2 alone, then either."""

    def accept(self):
        conn, _ = self.listener.accept()
        self.talk(conn)
        self.context.maximum_version = V.TLSv1_3
        super().accept()


class Plain:
    """A server that does not speak TLS at all."""

    def __init__(self):
        self.seen = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
                conn.recv(1000)
                conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                conn.close()
            except OSError:
                return

    def close(self):
        self.listener.close()


def make(a):
    """The certificates of all rows."""
    a.cert("rsa", "rsa")
    a.cert("ec", "ec")
    a.cert("ec384", "ec384")
    a.cert("rsa4096", "rsa4096")
    a.cert("deep", "rsa", by="ca2")
    a.cert("expired", "ec", end="20250201000000Z")
    a.cert("future", "ec", start="20980101000000Z")
    a.cert("other", "ec", names="DNS:elsewhere.test")
    a.cert("wild", "ec", names="DNS:*.localhost")
    a.cert("named", "ec", names="DNS:localhost.elsewhere.test")
    a.cert("unknown", "ec", by="stranger")
    a.cert("weak", "rsa1024")
    a.cert("sha1", "rsa", digest="sha1")
    a.cert("client", "ec", extra="extendedKeyUsage=clientAuth")
    a.self_signed("lone")
    a.self_signed("leaf", "-addext", "basicConstraints=critical,CA:FALSE")
    with open(a.path("many.pem"), "w") as out:  # among others, with noise
        system = ""
        if os.path.exists(SYSTEM):
            system = open(SYSTEM, encoding="latin-1").read()
        out.write("# a comment\n" + system +
                  open(a.path("stranger.pem")).read() +
                  "\ntext\n" + open(a.path("ca.pem")).read().replace(
                      "\n", "\r\n"))
    with open(a.path("empty.pem"), "w") as out:
        out.write("nothing\n")


OLD = dict(low=V.TLSv1, high=V.TLSv1_1)
ONLY2 = dict(high=V.TLSv1_2)
ONLY3 = dict(low=V.TLSv1_3)

# name, the server's certificate, its options, our bundle, host, the reason
# why it is refused; None: it is believed
ROWS = [
    ("TLS 1.2, RSA", "rsa", ONLY2, "ca", "localhost", None),
    ("TLS 1.2, RSA, as we prefer", "rsa",
     dict(client_chooses=True, **ONLY2), "ca", "localhost", None),
    ("TLS 1.2, ECDSA", "ec", ONLY2, "ca", "localhost", None),
    ("TLS 1.3, RSA", "rsa", ONLY3, "ca", "localhost", None),
    ("TLS 1.3, ECDSA", "ec", ONLY3, "ca", "localhost", None),
    ("either, P-384", "ec384", {}, "ca", "localhost", None),
    ("either, RSA of 4,096 bits", "rsa4096", {}, "ca", "localhost", None),
    ("by address", "ec", {}, "ca", "127.0.0.1", None),
    ("with an intermediate", "deep", dict(chain=["ca2"]), "ca", "localhost",
     None),
    ("AES-256 alone", "rsa",
     dict(ciphers="ECDHE-RSA-AES256-GCM-SHA384", **ONLY2), "ca", "localhost",
     None),
    ("ChaCha20 alone", "ec",
     dict(ciphers="ECDHE-ECDSA-CHACHA20-POLY1305", **ONLY2), "ca",
     "localhost", None),
    ("its root among others", "ec", {}, "many", "localhost", None),
    ("itself in the bundle", "lone", {}, "lone", "localhost", None),
    ("itself in the bundle, no authority", "leaf", {}, "leaf", "localhost",
     None),
    ("expired", "expired", {}, "ca", "localhost", "has expired"),
    ("not yet valid", "future", {}, "ca", "localhost", "not yet valid"),
    ("for another host", "other", {}, "ca", "localhost", "another host"),
    ("for hosts under it", "wild", {}, "ca", "localhost", "another host"),
    ("a look-alike", "named", {}, "ca", "localhost", "another host"),
    ("by name, not by address", "other", {}, "ca", "127.0.0.1",
     "another host"),
    ("self-signed", "lone", {}, "ca", "localhost", "self-signed"),
    ("under an unknown root", "unknown", {}, "ca", "localhost",
     "unknown issuer"),
    ("under a root of the system's", "ec", {}, None, "localhost",
     "unknown issuer|no bundle"),
    ("its intermediate not sent", "deep", {}, "ca", "localhost",
     "unknown issuer"),
    ("a key of 1,024 bits", "weak", {}, "ca", "localhost", "weak"),
    ("signed with SHA-1", "sha1", {}, "ca", "localhost", "weak"),
    ("not for servers", "client", {}, "ca", "localhost", "not one for"),
    ("TLS 1.1 at most", "rsa", OLD, "ca", "localhost",
     "neither TLS 1.2 nor 1.3"),
    ("no cipher in common", "rsa", dict(ciphers="AES128-SHA", **ONLY2), "ca",
     "localhost", "refused the TLS handshake"),
    ("no TLS at all", None, {}, "ca", "localhost", "does not speak TLS"),
]


def command(program, bundle, host, port):
    url = "https://%s:%d" % (host, port)
    if os.path.basename(program).startswith("fetch"):
        return [program, "get", url + "/b/k"] + (
            ["ca=" + bundle] if bundle else [])
    return [program, "cat", "--endpoint-url", url, "--region", "us-east-1",
            "--give-up", "1", "s3://bucket/key"] + (
                ["--ca-bundle", bundle] if bundle else [])


def run(words):
    env = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "HOME": "/nonexistent",
           "AWS_SECRET_ACCESS_KEY": "secret", "PATH": os.environ["PATH"]}
    done = subprocess.run(words, env=env, capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


def holds(a, program, row):
    name, cert, options, bundle, host, reason = row
    server = Server(a, cert, **options) if cert else Plain()
    code, out = run(command(program, bundle and a.path(bundle + ".pem"),
                            host, server.port))
    believed = 0 if os.path.basename(program).startswith("fetch") else 78
    if reason is None:
        good = code == believed and len(server.seen) >= 1
    else:
        good = (code == 69 and not server.seen and
                re.search(reason, out) is not None)
    server.close()
    if not good:
        print("broken: %s: exit %d, seen %s\n%s" %
              (name, code, server.seen, out))
    return good


def a_host_without_pss_is_asked_for_tls12_alone(a, program):
    server = Mixed(a, "rsa", **ONLY2)
    _, out = run(command(program, a.path("ca.pem"), "localhost", server.port))
    server.close()
    if server.seen and server.seen[0][0] == "TLSv1.2":
        return True
    print("broken: asked for TLS 1.2 alone: %s\n%s" % (server.seen, out))
    return False


def cheapest_cipher_is_chosen(a, program):
    good = True
    for options in (ONLY2, ONLY3):
        server = Server(a, "rsa", client_chooses=True, **options)
        run(command(program, a.path("ca.pem"), "localhost", server.port))
        good = good and bool(server.seen) and \
            re.search("AES_?128", server.seen[0][1]) is not None
        server.close()
    if not good:
        print("broken: cipher", server.seen)
    return good


def bad_bundles_are_said(a, program):
    good = True
    for bundle, word in (("absent", "cannot read"), ("empty", "no certif")):
        code, out = run(command(program, a.path(bundle + ".pem"),
                                "localhost", 1))
        good = good and code == 78 and word in out and bundle in out
        if not good:
            print("broken: bundle %s: exit %d\n%s" % (bundle, code, out))
    return good


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as where:
        a = Authority(where)
        make(a)
        results = [holds(a, program, row) for row in ROWS]
        results.append(a_host_without_pss_is_asked_for_tls12_alone(
            a, program))
        results.append(cheapest_cipher_is_chosen(a, program))
        results.append(bad_bundles_are_said(a, program))
    print("%d passed, %d failed" % (sum(results),
                                    len(results) - sum(results)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
