#!/usr/bin/env python3
"""pull_test BINARY - cohort pull and models against a server on this machine that breaks off,
lies about lengths, corrupts a byte, redirects, knows no ranges, and changes between two tries.
Nothing leaves the machine."""

import hashlib
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

DATA, UNAVAILABLE, CANNOT_CREATE, NO_INPUT, USAGE = 65, 69, 73, 66, 64
BINARY = str(pathlib.Path(sys.argv[1]).resolve())
BODY = bytes(i * i % 251 for i in range(300_000))
SUM = hashlib.sha256(BODY).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """How it behaves is in self.server.way, a dict that each test makes."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def redirect(self, way):
        self.send_response(way.get("redirect_status", 302))
        self.send_header("Location", way["redirects"][self.path])
        for key, value in way.get("redirect_headers", {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        way, headers = self.server.way, self.headers
        way.setdefault("asked", []).append((self.path, headers.get("Range")))
        self.close_connection = True
        if self.path in way.get("redirects", {}):
            self.redirect(way)
            return
        pages = way.get("pages", {})
        body, tag = pages.get(self.path, way.get("body", BODY)), way.get("tag", '"v1"')
        status, first = way.get("status", 200), 0
        if headers.get("Range") and way.get("ranges", True) and \
                (headers.get("If-Range") == tag or way.get("deaf_to_if_range")):
            first = int(headers["Range"].split("=")[1].split("-")[0])
            status = 206 if first < len(body) else 416
        sent = body[first:]
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        if status == 206:
            total = way.get("total", len(body))
            at = first + way.get("range_off_by", 0)
            self.send_header("Content-Range", f"bytes {at}-{total - 1}/{total}")
        if not way.get("no_length"):
            self.send_header("Content-Length", str(way.get("length", len(sent))))
        self.end_headers()
        cuts = way.get("cuts", [])
        if cuts:
            sent = sent[:cuts.pop(0)]
        try:
            self.wfile.write(sent)
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client has had enough


class Hub(Server):
    """Answers as the hub does: a large file is elsewhere, at an address signed anew each
    time and longer than 2 KB; what is asked of it by an old name, or is small, is elsewhere on
    the same server; a refusal has its word in X-Error-Code, and its sentence."""
    FILE = "/O/R/resolve/main/a-Q4_K_M.gguf"
    GATED = ("Access to model O/R is restricted. You must have access to it and be "
             "authenticated to access it. Please log in.")
    asked_signatures = 0

    def say(self, status, headers, body=b""):
        self.send_response(status)
        self.send_header("X-Powered-By", "huggingface-moon")
        self.send_header("X-Request-Id", "Root=1-6784bc4b-799a755e6151d5f30862ea2a")
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code, sentence, more=None):
        headers = {"X-Error-Message": sentence, "Content-Type": "text/html; charset=utf-8"}
        if code:
            headers["X-Error-Code"] = code
        self.say(status, headers | (more or {}), sentence.encode())

    def linked(self, way):
        Hub.asked_signatures += 1
        where = (f"{way['cdn']}/xet-bridge-us/6784/{SUM}?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
                 f"X-Amz-Expires=3600&X-Amz-Signature={Hub.asked_signatures:064x}&"
                 "response-content-disposition=inline%3B+filename%2A%3DUTF-8%27%27a-Q4_K_M.gguf"
                 f"&x-id=GetObject&Policy={'eyJ_' * 600}&Key-Pair-Id=K2L8F4GPSG1IFC")
        self.say(302, {
            "Location": where, "X-Repo-Commit": "9217f5db79a29953eb74d5343926648285ec7e67",
            "Accept-Ranges": "bytes", "X-Linked-Size": str(len(BODY)),
            "X-Linked-ETag": f'"{SUM}"', "X-Xet-Hash": "f" * 64, "Vary": "Origin, Accept",
            "Link": f'<{way["root"]}/api/models/O/R/xet-read-token/9217>; rel="xet-auth"',
            "Content-Type": "text/plain; charset=utf-8"},
            f"Found. Redirecting to {where}".encode())

    def do_GET(self):
        way, token = self.server.way, self.headers.get("Authorization")
        if "xet-bridge" in self.path:
            way.setdefault("to_cdn", []).append(token)
            super().do_GET()
            return
        way.setdefault("to_hub", []).append((self.path, token))
        if way.get("refusal"):
            self.refuse(*way["refusal"])
        elif token not in way.get("tokens", (token,)):
            self.refuse(403 if token else 401, "GatedRepo", self.GATED)
        elif self.path in way.get("moved", {}):
            self.say(307, {"Location": way["moved"][self.path]})
        elif self.path == "/api/models/O/R":
            listed = {"_id": "6784", "id": "O/R", "gated": "auto", "siblings": [
                {"rfilename": ".gitattributes"}, {"rfilename": "a-Q4_K_M.gguf"}]}
            self.say(200, {"Content-Type": "application/json; charset=utf-8",
                           "RateLimit": '"api";r=499;t=95'}, json.dumps(listed).encode())
        elif self.path == self.FILE:
            self.linked(way)
        elif self.path.startswith("/api/resolve-cache/"):
            self.say(200, {"ETag": '"d6ceb92c"', "X-Repo-Commit": "9217"}, BODY)
        else:
            self.refuse(404, "EntryNotFound", "Entry not found")


class Pull(unittest.TestCase):
    HANDLER = Server

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.cache = pathlib.Path(self.folder.name, "cache")
        self.models = self.cache / "models"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.HANDLER)
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.way({})

    def tearDown(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.folder.cleanup()

    def way(self, way):
        self.server.way = way
        return way

    token = None

    def cohort(self, *words):
        told = {"HF_TOKEN": self.token} if self.token is not None else {}
        env = {"COHORT_CACHE": str(self.cache), "HF_ENDPOINT": self.root, "HOME": "/nowhere",
               "PATH": os.environ["PATH"]} | told
        env |= {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
        done = subprocess.run([BINARY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, env=env, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def pulls(self, *words, file="m.gguf", body=BODY):
        code, text, said = self.cohort("pull", "--json", *words)
        self.assertEqual(code, 0, said)
        told = json.loads(text)
        self.assertEqual(told["path"], str(self.models / file))
        self.assertEqual((self.models / file).read_bytes(), body)
        left = {path.name for path in self.models.iterdir()}
        self.assertEqual({name for name in left if name.startswith(file)},
                         {file, file + ".json"})
        return told

    def refused(self, code, say, *words):
        got, text, said = self.cohort("pull", *words)
        self.assertEqual((got, text), (code, ""), said)
        self.assertIn(say, said.splitlines()[-1])
        if self.models.exists():
            self.assertEqual([path.name for path in self.models.glob("*.gguf")], [])

    def test_plain_then_list_use_and_remove(self):
        told = self.pulls(self.root + "/m.gguf?x=1", "--sha256", SUM.upper())
        self.assertEqual((told["sha256"], told["verified"], told["bytes"]),
                         (SUM, True, len(BODY)))
        again = json.loads(self.cohort("pull", "--json", self.root + "/m.gguf")[1])
        self.assertTrue(again["was_there"])
        [entry] = json.loads(self.cohort("models", "--json")[1])
        self.assertEqual(entry, {"name": "m", "bytes": len(BODY), "sha256": SUM,
                                 "path": str(self.models / "m.gguf"),
                                 "source": self.root + "/m.gguf?x=1"})
        self.assertIn(SUM, self.cohort("models")[1])
        for name in ("m", "m.gguf"):  # found, and seen to be no model
            code, _, said = self.cohort("run", "-m", name, "x")
            self.assertEqual(code, DATA, said)
            self.assertIn("not a GGUF file", said)
        self.assertEqual(self.cohort("run", "-m", "n", "x")[0], NO_INPUT)
        self.assertEqual(self.cohort("models", "rm", "m"), (0, "", ""))
        self.assertEqual(list(self.models.iterdir()), [])
        self.assertEqual(self.cohort("models", "rm", "m")[0], NO_INPUT)
        self.assertEqual(self.cohort("models", "rm", "../models/m")[0], NO_INPUT)
        self.assertEqual(self.cohort("models", "rm")[0], USAGE)

    def test_broken_off_goes_on(self):
        way = self.way({"cuts": [100_000, 0, 50_000]})
        self.pulls(self.root + "/m.gguf", "--sha256", SUM)
        self.assertEqual([asked for _, asked in way["asked"]],
                         [None, "bytes=100000-", "bytes=100000-", "bytes=150000-"])

    def test_another_run_goes_on(self):
        self.way({"cuts": [100_000] + [0] * 9})
        self.refused(UNAVAILABLE, "100000 of 300000 bytes; run it again", self.root + "/m.gguf")
        way = self.way({})
        told = self.pulls(self.root + "/m.gguf", "--sha256", SUM)
        self.assertEqual(told["resumed_bytes"], 100_000)
        self.assertEqual(way["asked"], [("/m.gguf", "bytes=100000-")])

    def test_changed_between_runs(self):
        other = BODY[::-1] + b"more"
        for deaf in (False, True):
            self.way({"cuts": [100_000] + [0] * 9})
            self.refused(UNAVAILABLE, "run it again", self.root + "/m.gguf")
            self.way({"body": other, "tag": '"v2"', "deaf_to_if_range": deaf})
            if deaf:  # it does not mix the two
                self.refused(UNAVAILABLE, "has changed", self.root + "/m.gguf")
            self.pulls(self.root + "/m.gguf", body=other)
            self.cohort("models", "rm", "m")

    def test_changed_to_something_shorter(self):
        self.way({"cuts": [100_000] + [0] * 9})
        self.refused(UNAVAILABLE, "run it again", self.root + "/m.gguf")
        self.way({"body": b"short", "deaf_to_if_range": True})
        self.pulls(self.root + "/m.gguf", body=b"short")

    def test_knows_no_ranges(self):
        way = self.way({"cuts": [100_000], "ranges": False})
        self.pulls(self.root + "/m.gguf", "--sha256", SUM)
        self.assertEqual(len(way["asked"]), 2)
        (self.models / "m.gguf").unlink()
        way = self.way({"cuts": [100_000, 200_000], "tag": None})  # no version: from the start
        self.pulls(self.root + "/m.gguf", "--sha256", SUM)
        self.assertEqual([asked for _, asked in way["asked"]], [None] * 3)
        (self.models / "m.gguf").unlink()
        way = self.way({"cuts": [100_000], "tag": 'W/"weak"'})
        self.way({"cuts": [100_000] + [0] * 9, "tag": 'W/"weak"'})
        self.cohort("pull", self.root + "/m.gguf")
        way = self.way({})
        self.pulls(self.root + "/m.gguf")
        self.assertEqual(way["asked"][0][1], None)

    def test_another_range_than_asked_for(self):
        self.way({"cuts": [100_000], "range_off_by": 5})
        self.refused(UNAVAILABLE, "another range", self.root + "/m.gguf")
        self.way({"cuts": [100_000], "total": 400_000})
        self.refused(UNAVAILABLE, "another range", self.root + "/m.gguf")

    def test_lies_about_the_length(self):
        self.way({"length": len(BODY) + 5, "ranges": False})
        self.refused(UNAVAILABLE, "of 300005 bytes", self.root + "/m.gguf")
        self.way({"length": len(BODY) - 5})  # what is past it is not the file's
        self.refused(DATA, "SHA-256 is", self.root + "/m.gguf", "--sha256", SUM)
        way = self.way({"length": 1 << 60})
        self.refused(DATA, "the limit is", self.root + "/m.gguf")
        self.assertEqual(len(way["asked"]), 1)
        self.way({"length": 900_000_000_000})
        self.refused(DATA, "the disk has room for", self.root + "/m.gguf")
        self.assertEqual((self.models / "m.gguf.part").stat().st_size, 0)
        self.way({"no_length": True})
        self.pulls(self.root + "/m.gguf", "--sha256", SUM)

    def test_a_byte_corrupted(self):
        for at in (0, 150_000, len(BODY) - 1):
            wrong = bytearray(BODY)
            wrong[at] ^= 1
            self.way({"body": bytes(wrong)})
            self.refused(DATA, "it should be " + SUM, self.root + "/m.gguf", "--sha256", SUM)
            self.assertEqual(list(self.models.iterdir()), [])  # nor is it gone on with

    def test_hub(self):
        repo = {"siblings": [{"rfilename": name} for name in
                             ("README.md", "big-00001-of-00002-Q4_K_M.gguf", "../q4_k_m.gguf",
                              "a-Q8_0.gguf", "sub/a-Q4_K_M.gguf")]}
        file = "/O/R/resolve/main/sub/a-Q4_K_M.gguf"
        way = self.way({"pages": {"/api/models/O/R": json.dumps(repo).encode()},
                        "redirects": {file: "/cdn"},
                        "redirect_headers": {"X-Linked-ETag": f'"{SUM}"', "ETag": '"other"'}})
        told = self.pulls("hf:O/R", file="a-Q4_K_M.gguf")
        self.assertTrue(told["verified"])
        self.assertEqual([path for path, _ in way["asked"]], ["/api/models/O/R", file, "/cdn"])
        (self.models / "a-Q4_K_M.gguf").unlink()
        way["body"] = BODY + b"x"
        self.refused(DATA, "it should be " + SUM, "hf:O/R:sub/a-Q4_K_M.gguf")
        way["pages"]["/api/models/O/R"] = b'{"siblings":[{"rfilename":"x.bin"}]}'
        self.refused(DATA, "no GGUF file", "hf:O/R")
        long = {"siblings": [{"rfilename": "n" * 3000 + ".gguf"}]}
        way["pages"]["/api/models/O/R"] = json.dumps(long).encode()
        self.refused(DATA, "bytes, the limit is 2047", "hf:O/R")
        way["pages"]["/api/models/O/R"] = b'{"siblings":'
        self.refused(DATA, "", "hf:O/R")
        way["pages"]["/api/models/O/R"] = b" " * (9 << 20)
        self.refused(DATA, "the limit is 8388608", "hf:O/R")

    def test_names(self):
        way = self.way({})
        self.pulls("smollm2-360m", file="smollm2-360m-instruct-q8_0.gguf")
        self.assertEqual(way["asked"][0][0], "/HuggingFaceTB/SmolLM2-360M-Instruct-GGUF/resolve/"
                                             "main/smollm2-360m-instruct-q8_0.gguf")
        self.assertIn("not a GGUF file", self.cohort("run", "-m", "smollm2-360m", "x")[2])
        self.pulls(self.root + "/..%2f..%2fetc/%2e%2e%2fpass wd$(x).gguf".replace(" ", "%20"),
                   file="_2e_2e_2fpass_20wd__x_.gguf")
        self.pulls(self.root + "/x/.hidden", file="hidden.gguf")
        self.pulls(self.root + "/" + "n" * 300, file="n" * 154 + ".gguf")
        self.assertRegex(self.cohort("pull", "--help")[1], r"\bqwen2\.5-3b\s+llama-3\.2-1b\b")
        for word in ("nonsense", "hf:O", "hf:O/R/S", "hf:../R", "hf:O/R:../x.gguf", "hf:O/R:",
                     "hf:O/R:a b", self.root + "/", self.root + "/..", "hf:O/R?x/y"):
            code, text, said = self.cohort("pull", word)
            self.assertEqual((code, text, len(said.splitlines())), (DATA, "", 1), (word, said))

    def test_addresses(self):
        for url, say in (("http://example.com/m.gguf", "https is needed"),
                         ("ftp://127.0.0.1/m.gguf", "https is needed"),
                         ("file:///etc/passwd", ""),
                         ("http://u:p@127.0.0.1/m.gguf", "user name"),
                         ("http://127.0.0.1.example.com/m.gguf", "https is needed")):
            self.refused(DATA, say, url)
        way = self.way({"redirects": {"/m.gguf": "http://example.com/m.gguf"}})
        self.refused(DATA, "http://example.com is refused", self.root + "/m.gguf")
        way["redirects"]["/m.gguf"] = "file:///etc/passwd"
        self.refused(DATA, "", self.root + "/m.gguf")
        way["redirects"] = {"/m.gguf": "/m.gguf"}
        self.refused(UNAVAILABLE, "more than 5 redirects", self.root + "/m.gguf")
        way["redirects"] = {f"/{i}.gguf": f"/{i + 1}.gguf" for i in range(5)}
        self.pulls(self.root + "/0.gguf", file="0.gguf")

    def test_refusals_of_the_server(self):
        for status in (401, 404, 500):
            self.way({"status": status})
            self.refused(UNAVAILABLE, f"status {status}", self.root + "/m.gguf")
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.refused(UNAVAILABLE, "/m.gguf: Couldn't connect", self.root + "/m.gguf")
        self.assertNotIn("run it again", self.cohort("pull", self.root + "/m.gguf")[2])

    def test_usage(self):
        for words in ((), ("a", "b"), ("--sha256", "12", "a")):
            self.assertEqual(self.cohort("pull", *words)[0], USAGE)

    def test_a_folder_that_cannot_be_written(self):
        self.cache.write_text("a file")
        self.refused(CANNOT_CREATE, "", self.root + "/m.gguf")


class PullFromHub(Pull):
    """The hub, and another server as its CDN."""
    HANDLER = Hub

    def setUp(self):
        super().setUp()
        self.other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
        self.other_thread = threading.Thread(target=self.other.serve_forever, args=(0.02,))
        self.other_thread.start()

    def tearDown(self):
        self.other.shutdown()
        self.other_thread.join()
        self.other.server_close()
        super().tearDown()

    def way(self, way):
        way |= {"root": self.root}
        if hasattr(self, "other"):
            way |= {"cdn": f"http://127.0.0.1:{self.other.server_port}"}
            self.other.way = way
        return super().way(way)

    def test_large_file(self):
        way = self.way({"cuts": [100_000], "tag": '"xet-hash"'})
        told = self.pulls("hf:O/R", file="a-Q4_K_M.gguf")
        self.assertEqual((told["verified"], told["sha256"]), (True, SUM))
        self.assertEqual([path for path, _ in way["to_hub"]],
                         ["/api/models/O/R", Hub.FILE, Hub.FILE])
        self.assertEqual([asked for _, asked in way["asked"]], [None, "bytes=100000-"])
        self.cohort("models", "rm", "a-Q4_K_M")
        way = self.way({"no_length": True, "cuts": [100_000]})  # the size is the hub's
        self.pulls("hf:O/R:a-Q4_K_M.gguf", file="a-Q4_K_M.gguf")
        self.cohort("models", "rm", "a-Q4_K_M")
        self.way({"status": 403})  # a signature that has expired: no word of the hub's
        self.refused(UNAVAILABLE, f"{Hub.FILE}: the server answers with status 403", "hf:O/R")

    def test_token_goes_to_the_hub_alone(self):
        self.token = "hf_abcDEF"
        way = self.way({"tokens": ["Bearer hf_abcDEF"],
                        "moved": {"/Old/R/resolve/main/a-Q4_K_M.gguf": Hub.FILE}})
        self.pulls("hf:Old/R:a-Q4_K_M.gguf", file="a-Q4_K_M.gguf")
        self.assertEqual({token for _, token in way["to_hub"]}, {"Bearer hf_abcDEF"})
        self.assertEqual(way["to_cdn"], [None])
        self.cohort("models", "rm", "a-Q4_K_M")
        elsewhere = way["cdn"] + "/x.gguf"  # an address that is not the hub's
        way = self.way({"moved": {"/x.gguf": "/api/resolve-cache/x.gguf"}})
        self.pulls(elsewhere, file="x.gguf")
        self.assertEqual({token for _, token in way["to_hub"]}, {None})
        self.cohort("models", "rm", "x")
        for token in ("a\nX-Other: 1", "a b", "\u00e9"):
            self.token = token
            self.refused(DATA, "HF_TOKEN: byte", "hf:O/R")
        self.token = "x" * 600
        self.refused(DATA, "the token has 600 bytes, the limit is 512", "hf:O/R")

    def test_small_file(self):
        where = "/api/resolve-cache/models/O/R/9217/b.gguf?%2FO%2FR=&etag=%22d6ceb92c%22"
        self.way({"moved": {"/O/R/resolve/main/b.gguf": where}})
        self.pulls("hf:O/R:b.gguf", file="b.gguf")

    def test_refusals_say_what_to_do(self):
        gated = "O/R is gated"
        cases = [
            (None, (401, "GatedRepo", Hub.GATED), (gated, "set HF_TOKEN to an access token",
                                                   "/settings/tokens", self.root + "/O/R")),
            ("t", (403, "GatedRepo", Hub.GATED), (gated, "has no access: ask for it at")),
            (None, (401, "", "Invalid username or password."), ("no such repository",
                                                                "then set HF_TOKEN")),
            ("t", (404, "RepoNotFound", "Repository not found"), ("no such repository that",)),
            ("t", (401, "", "Invalid credentials in Authorization header"),
             ("does not take HF_TOKEN",)),
            (None, (404, "EntryNotFound", "Entry not found"), ("no such file; ",)),
            (None, (404, "RevisionNotFound", "Invalid rev id: main"), ("no branch main",)),
            (None, (429, "", "Too many", {"RateLimit": '"pages";r=0;t=120'}),
             ("in 120 seconds; with HF_TOKEN set",)),
            ("t", (429, "", "Too many", {"Retry-After": "7"}), ("in 7 seconds",)),
            (None, (429, "", "Too many", {"Retry-After": "-7"}), ("in 300 seconds",)),
            (None, (503, "", "Service Unavailable"), ("status 503",)),
        ]
        for self.token, refusal, says in cases:
            self.way({"refusal": refusal})
            for word in ("hf:O/R", "hf:O/R:a-Q4_K_M.gguf", self.root + Hub.FILE):
                for say in says:
                    self.refused(UNAVAILABLE, say, word)


def load_tests(loader, _tests, _pattern):
    """Of the cases that Pull has, PullFromHub repeats none."""
    suite = loader.loadTestsFromTestCase(Pull)
    for name in loader.getTestCaseNames(PullFromHub):
        if name in vars(PullFromHub):
            suite.addTest(PullFromHub(name))
    return suite


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
