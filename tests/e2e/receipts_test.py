#!/usr/bin/env python3
"""receipts_test BINARY - what ask and batch tell of workers elsewhere: who is sent the key, what the
ledger and the egress log say of another machine, how refusals, busy servers and bad replies end,
and a talk (--protocol minion) that is killed and goes on without a paid call made twice."""

import collections
import http.server
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest

from servers import GIVE_UP_S, Server, private_address, ships

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
QUESTION, KEY, PAID_KEY = "How many barrels had ship 111?", "sesame-workers", "sesame-paid"


class Supervisor(http.server.BaseHTTPRequestHandler):
    """The paid side of a talk: two questions to the worker, then the answer."""

    protocol_version = "HTTP/1.1"
    keys, heads = collections.Counter(), []
    kill_at, child = 0, None  # the request at which the client is killed, unanswered

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cls = Supervisor
        cls.heads.append(self.headers)
        if sum(cls.keys.values()) + 1 == cls.kill_at:
            cls.kill_at = 0
            cls.child.kill()
            cls.child.wait()
            self.close_connection = True
            return
        cls.keys[self.headers["Idempotency-Key"]] += 1
        asked = sum(message["role"] == "assistant" for message in body["messages"])
        text = json.dumps({"decision": "request_additional_info", "message": f"Look, {asked}: ship 111?"}
                          if asked < 2 else
                          {"decision": "provide_final_answer", "answer": "777 barrels"})
        data = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}],
                           "usage": {"prompt_tokens": 50, "completion_tokens": 5}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Receipts(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.state = self.folder / "state"
        (self.folder / "ships.txt").write_text(ships(300))
        self.env = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
        self.env |= {"COHORT_STATE": str(self.state), "COHORT_WORKERS_KEY": KEY}

    def server(self, *words, **more):
        server = Server(*words, **more)
        self.addCleanup(server.close)
        return server

    def words(self, servers, *more):
        return [BINARY, "ask", "--workers", ",".join(server.url for server in servers),
                "--worker-rest", "0.002", "--json", "--progress", "plain", *more,
                "-f", str(self.folder / "ships.txt"), QUESTION]

    def run_it(self, command):
        return subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP_S,
                              check=False, env=self.env)

    def ask(self, servers, *more):
        done = self.run_it(self.words(servers, *more))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.told = done.stdout + done.stderr
        return json.loads(done.stdout)

    def fails(self, servers, why, *more):
        done = self.run_it(self.words(servers, *more))
        self.assertNotEqual(done.returncode, 0, done)
        self.assertIn(why, done.stderr)
        return done

    def supervisor(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Supervisor)
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02},
                         daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        Supervisor.keys, Supervisor.heads, Supervisor.kill_at = collections.Counter(), [], 0
        return ["--protocol", "minion", "--remote", f"http://127.0.0.1:{server.server_port}/v1",
                "--remote-model", "big"]

    def batch(self, server):
        lines = [{"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions",
                  "body": {"model": "mine", "messages": [{"role": "user", "content": f"Hi {i}."}]}}
                 for i in range(9)]
        (self.folder / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = self.run_it([BINARY, "batch", "--workers", server.url, str(self.folder / "in.jsonl"),
                            str(self.folder / "out.jsonl")])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def log(self):
        path = self.state / "egress.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def test_the_key_goes_to_workers_alone(self):
        worker = self.server("answers")
        self.env["COHORT_API_KEY"] = PAID_KEY
        self.ask([worker], *self.supervisor())
        self.assertTrue(worker.heads and Supervisor.heads)
        for head in worker.heads:
            self.assertEqual(head["Authorization"], f"Bearer {KEY}")
        for head in Supervisor.heads:
            self.assertEqual(head["Authorization"], f"Bearer {PAID_KEY}")
        self.batch(worker)
        kept = b"".join(path.read_bytes() for path in self.state.rglob("*") if path.is_file())
        self.assertGreater(len(kept), 0)
        for key in (KEY, PAID_KEY):
            self.assertNotIn(key, self.told)
            self.assertNotIn(key.encode(), kept)

    def test_a_key_that_is_no_header_is_not_told(self):
        self.env["COHORT_WORKERS_KEY"] = KEY + "\n"
        done = self.fails([self.server("answers")], "control characters")
        self.assertNotIn(KEY, done.stderr)

    def test_a_refused_key_ends_it_at_once(self):
        server = self.server("401")
        self.fails([server], "the key is refused; set COHORT_WORKERS_KEY")
        self.assertEqual(len(server.heads), 1)
        self.fails([server], "COHORT_WORKERS_KEY", "--worker-model", "mine", "--in-flight", "3")
        self.assertLessEqual(len(server.heads), 4)
        answers = self.server("answers")
        told = self.ask([server, answers], "--worker-model", "mine", "--in-flight", "3")
        self.assertIn("777 barrels", told["answer"])
        self.assertLessEqual(len(server.heads), 7)

    def test_a_busy_one_is_spared_and_comes_back(self):
        """Retry-After is 1: the few that it refuses come first, and it is asked again, alone."""
        busy = self.server("busy", after=1)
        told = self.ask([busy], "--in-flight", "1")
        self.assertIn("777 barrels", told["answer"])
        self.assertEqual(busy.seen, 1 + told["ledger"]["jobs"])
        self.assertGreaterEqual(told["ledger"]["times"]["model_s"], 1.0)

    def test_refused_jobs_are_told_of(self):
        done = self.fails([self.server("400")], "no passage")
        self.assertRegex(done.stderr, r"\d+ jobs failed on the workers; the last: HTTP 400: too long for 2560")

    def test_bad_replies(self):
        for behaviour, grade in (("cut", "truncated"), ("wrong", "unreadable")):
            with self.subTest(behaviour):
                done = self.fails([self.server(behaviour)], "no passage")
                with sqlite3.connect(self.state / "runs.db") as journal:
                    row = journal.execute("SELECT jobs, outcomes FROM round ORDER BY run DESC").fetchone()
                counts = [int.from_bytes(row[1][i:i + 4], "little") for i in range(0, len(row[1]), 4)]
                self.assertEqual(sorted(counts)[-1], row[0], (grade, counts))
                self.assertEqual(done.stdout, "")
        told = self.ask([self.server("endless"), self.server("answers")], "--in-flight", "1")
        self.assertIn("777 barrels", told["answer"])

    def test_another_machine(self):
        """What is sent to another machine is in the ledger and, first, in the egress log."""
        here = self.server("answers")
        self.batch(here)
        self.assertEqual(self.log(), [])
        self.assertEqual(self.ask([here])["ledger"]["worker_sent_bytes"], 0)
        self.assertEqual(self.log(), [])
        address = private_address()
        if not address:
            self.skipTest("this machine has no private address")
        there = self.server("answers", host=address)
        ledger = self.ask([there])["ledger"]
        self.assertEqual(ledger["worker_sent_bytes"], sum(there.sizes))
        self.assertEqual(ledger["worker_hosts"], there.url.split("://")[1])
        self.assertEqual(sorted(line["bytes"] for line in self.log()), sorted(there.sizes))
        self.assertEqual({line["run"] for line in self.log()}, {2})
        seen = len(there.sizes)
        done = self.batch(self.fresh_out(there))
        sent, batch = there.sizes[seen:], self.log()[seen:]
        self.assertIn(f"{sum(sent)} bytes sent to", done.stderr)
        self.assertEqual(sorted(line["bytes"] for line in batch), sorted(sent))
        self.assertEqual({line["run"] for line in batch}, {0})
        self.assertEqual({line["body"]["model"] for line in batch}, {"mine"})
        self.assertTrue(all(line["url"].startswith(there.url) for line in batch))

    def fresh_out(self, server):
        (self.folder / "out.jsonl").unlink()
        return server

    def test_a_talk_goes_on(self):
        for kill_at in (1, 2, 3):
            with self.subTest(kill_at=kill_at):
                worker, journal = self.server("answers"), self.folder / f"{kill_at}.db"
                words = self.words([worker], *self.supervisor(), "--journal", str(journal))
                Supervisor.kill_at = kill_at
                Supervisor.child = subprocess.Popen(words, env=self.env, stdout=subprocess.DEVNULL,
                                                    stderr=subprocess.DEVNULL)
                self.assertEqual(Supervisor.child.wait(timeout=GIVE_UP_S), -9)
                worked = len(worker.answered)
                self.assertEqual(worked, kill_at - 1)
                done = self.run_it([BINARY, "ask", "--resume", "1", "--journal", str(journal), "--json"])
                self.assertEqual(done.returncode, 0, done.stderr)
                told = json.loads(done.stdout)
                self.assertEqual(told["answer"], "777 barrels")
                self.assertEqual(set(Supervisor.keys.values()), {1}, Supervisor.keys)
                self.assertEqual(len(Supervisor.keys), 3)
                self.assertEqual(len(worker.answered), 2)
                self.assertEqual(told["ledger"]["calls"], 4)  # one of them unanswered
                self.assertEqual(told["ledger"]["remote_prompt_tokens"], 150)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
