#!/usr/bin/env python3
"""eval_test BINARY - cohort eval against a scripted supervisor on loopback and a tiny worker.

The server plays the supervisor by what it is asked: it answers from a whole document, writes a
program, decides, and judges. It counts what it receives, and kills the client at a request of
one's choice: the same command must then go on without asking an answered call again.
"""

import http.server
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

from servers import program, ships

MODEL = pathlib.Path(os.environ.get("COHORT_TEST_DATA") or "../shared/data",
                     "models/stories260K/stories260K.gguf").resolve()
BINARY = str(pathlib.Path(sys.argv[1]).resolve())
SKIPPED, DATA, USAGE, CANCELLED = 77, 65, 64, 75
SHIPS = ships(60)
PROGRAM = program("How many barrels?")
QUESTIONS = [
    {"question": "How many barrels had ship 11?", "documents": ["ships.txt"], "answer": "77"},
    {"id": "late", "question": "Did ship 5 leave late?", "documents": "ships.txt",
     "answer": False, "source": "of no interest"},
    {"question": "What did the ships carry?", "documents": ["ships.txt"],
     "answer_a": "Oil", "answer_b": "Wine", "correct": "Oil"},
    {"question": "Who owned the ships?", "documents": ["ships.txt"], "answer": "a merchant"},
]
# What the supervisor replies, by question: from the whole document, and from findings.
REPLIES = {
    "barrels": ("77 barrels", "78 barrels"),
    "late": ("No, it did not.", "no"),
    "carry": ("A", "A. Oil"),
    "owned": ("some trader", "nobody"),
}
JUDGED_RIGHT = "some trader"


class Supervisor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    bodies = []
    tokens_in = tokens_out = 0
    kill_at, child, refuse, mumbles = 0, None, 0, 0
    is_talk = False  # the plain Minion protocol

    @classmethod
    def reset(cls, kill_at=0):
        cls.bodies, cls.tokens_in, cls.tokens_out = [], 0, 0
        cls.kill_at, cls.child, cls.refuse, cls.mumbles = kill_at, None, 0, 0
        cls.is_talk = False

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cls = Supervisor
        with cls.lock:
            cls.bodies.append(body)
            number = len(cls.bodies)
        if cls.refuse:
            self.send_response(cls.refuse)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if number == cls.kill_at:
            cls.child.send_signal(signal.SIGKILL)
            cls.child.wait()
            self.close_connection = True
            return
        text = self.decide(json.loads(body)["messages"])
        usage = {"prompt_tokens": len(body) // 4, "completion_tokens": len(text)}
        with cls.lock:
            cls.tokens_in += usage["prompt_tokens"]
            cls.tokens_out += usage["completion_tokens"]
        reply = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}],
                            "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    @staticmethod
    def decide(messages):
        last = messages[-1]["content"]
        if "Write the program" in last:
            return PROGRAM
        if Supervisor.is_talk and "Judge whether" not in messages[0]["content"]:
            if len(messages) == 1:
                return json.dumps({"decision": "request_additional_info", "message": "Look."})
            asked = messages[0]["content"]
            answer = next(found for word, (_, found) in REPLIES.items() if word in asked)
            return json.dumps({"decision": "provide_final_answer", "answer": answer})
        if "Judge whether" in messages[0]["content"] and Supervisor.mumbles > 0:
            Supervisor.mumbles -= 1
            return "Hard to say, really."
        last = messages[0]["content"] if "could not be read" in last else last
        if "Judge whether" in last:
            right = JUDGED_RIGHT in last.split("<answer>")[1]
            return f'Well: {{"explanation": "so", "right": "{"yes" if right else "no"}"}}'
        asked = last.split("<findings>")[0].rsplit("Question:", 1)[1]
        whole, found = next(replies for word, replies in REPLIES.items() if word in asked)
        if "</document>" in last:
            return json.dumps({"explanation": "it says so", "answer": whole})
        if "<findings>" in last:
            return json.dumps({"decision": "provide_final_answer", "answer": found})
        return "Look for it."

    def log_message(self, *_):
        pass


class Eval(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        (self.folder / "ships.txt").write_text(SHIPS)
        self.write(QUESTIONS)
        self.out = self.folder / "results.jsonl"
        self.env = dict(os.environ, COHORT_STATE=str(self.folder / "state"),
                        COHORT_API_KEY="canary")
        Supervisor.reset()

    def tearDown(self):
        self.temporary.cleanup()

    def write(self, lines):
        self.questions = self.folder / "questions.jsonl"
        self.questions.write_text("".join(
            (line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))

    def start(self, *words):
        child = subprocess.Popen(
            [BINARY, "eval", "-m", str(MODEL), "--worker", "extract", "--json", *words,
             str(self.questions)], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, cwd="/")
        Supervisor.child = child
        return child

    def run_eval(self, *words, code=0):
        child = self.start(*words)
        out, err = child.communicate(timeout=120)
        self.assertEqual(child.returncode, code, err)
        self.assertNotIn("canary", out + err)
        return (json.loads(out) if code == 0 else out), err.splitlines()

    def remote(self, *words):
        return ("--remote", f"http://127.0.0.1:{PORT}/v1", "--remote-model", "big",
                "--price-in", "10", "--price-out", "100", "--budget", "5", "-o", str(self.out),
                *(words if "--ways" in words else ("--ways", "remote,local,minions", *words)))

    def results(self, over=True):
        lines = [json.loads(line) for line in self.out.read_text().splitlines()]
        return [line for line in lines if (line["state"] != "begun") == over]

    def ways(self, table):
        return {way["way"]: way for way in table["ways"]}

    def test_minion(self):
        Supervisor.is_talk = True
        table, _ = self.run_eval(*self.remote("--ways", "minion"))
        way = table["ways"][0]
        self.assertEqual((way["way"], way["right"], way["asked"]), ("minion", 2, 4))
        self.assertEqual(way["calls"], 8)  # two messages a question
        self.assertGreaterEqual(way["jobs"], 4)  # more where its context held only passages

    def test_every_way(self):
        table, err = self.run_eval(*self.remote())
        ways = self.ways(table)
        self.assertEqual(list(ways), ["remote", "local", "minions"])
        remote, minions, local = ways["remote"], ways["minions"], ways["local"]
        self.assertEqual((remote["right"], remote["asked"], remote["failed"]), (4, 4, 0))
        self.assertEqual((minions["right"], minions["asked"]), (2, 4), self.out.read_text())
        self.assertEqual((local["asked"], local["dollars"], local["sent_bytes"]), (4, 0, 0))
        self.assertEqual((remote["calls"], minions["calls"]), (4, 12))
        self.assertEqual(remote["judged"], {"exact": 2, "numeric": 1, "model": 1})
        self.assertGreater(minions["jobs"], 0)
        self.assertAlmostEqual(minions["accuracy_of_remote"], 0.5)
        self.assertAlmostEqual(minions["cost_of_remote"], minions["dollars"] / remote["dollars"])
        # Verdicts are the server's too, and in no way's row.
        verdicts = [body for body in Supervisor.bodies if b"Judge whether" in body]
        self.assertEqual(len(verdicts), 3 - local["failed"])
        sent = sum(map(len, Supervisor.bodies)) - sum(map(len, verdicts))
        self.assertEqual(sum(way["sent_bytes"] for way in ways.values()), sent)
        dollars = sum(way["dollars"] + way["judge_dollars"] for way in ways.values())
        self.assertAlmostEqual(
            dollars, (Supervisor.tokens_in * 10 + Supervisor.tokens_out * 100) / 1e6)
        # Whole documents leave by one way only.
        holding = [body for body in Supervisor.bodies if b"Ship 59 left" in body]
        self.assertEqual(len(holding), 4)
        lines = self.results()
        self.assertEqual(len(lines), 12)
        self.assertEqual({line["id"] for line in lines}, {"1", "late", "3", "4"})
        self.assertEqual(len(err), 12)

    def test_equal_text_wants_no_verdict(self):
        with unittest.mock.patch.dict(REPLIES, owned=("The merchant.", "nobody")):
            self.run_eval(*self.remote("--ways", "remote", "--judge", "model"))
        verdicts = [body for body in Supervisor.bodies if b"Judge whether" in body]
        self.assertEqual(len(verdicts), 3)
        self.assertFalse(any(b"The merchant." in body for body in verdicts))
        # The first word alone is not the text.
        self.assertEqual(sum(b"No, it did not." in body for body in verdicts), 1)

    def test_nothing_is_asked_twice(self):
        first, _ = self.run_eval(*self.remote())
        asked = len(Supervisor.bodies)
        again, err = self.run_eval(*self.remote())
        self.assertEqual((len(Supervisor.bodies), err, again), (asked, [], first))
        # A rule that costs nothing judges anew; a model's verdict is not bought unasked.
        strict, _ = self.run_eval(*self.remote("--judge", "exact"))
        self.assertEqual(self.ways(strict)["remote"]["right"], 2)
        self.run_eval(*self.remote("--judge", "model"), code=DATA)
        self.assertEqual(len(Supervisor.bodies), asked)
        # Another option is another answer, by the ways that it touches.
        self.run_eval(*self.remote("--remote-context", "9000"))
        self.assertEqual(len(Supervisor.bodies), asked + 4 + 1)

    def test_documents_that_do_not_fit(self):
        for name in ("a.txt", "b.txt"):
            (self.folder / name).write_text(SHIPS * 2)
        self.write([{**QUESTIONS[0], "documents": ["a.txt", "b.txt"]}])
        table, _ = self.run_eval(*self.remote("--ways", "remote", "--remote-context", "8192"))
        # Three bytes a token, less the reply's and our own words; the last document is cut.
        room = (8192 - 4096 - 1024) * 3 - len(QUESTIONS[0]["question"])
        self.assertLess(len(SHIPS) * 2, room)
        self.assertEqual(table["ways"][0]["left_bytes"], len(SHIPS) * 4 - room)
        self.assertEqual(Supervisor.bodies[0].count(b"was left off"), 1)

    def test_kill_and_go_on(self):
        whole, _ = self.run_eval(*self.remote())
        total = len(Supervisor.bodies)
        self.assertEqual(total, 4 + 12 + 3)
        for kill_at in range(1, total + 1, 4):
            self.out.unlink()
            Supervisor.reset(kill_at)
            child = self.start(*self.remote())
            child.communicate(timeout=120)
            self.assertEqual(child.returncode, -signal.SIGKILL)
            self.assertEqual(len(Supervisor.bodies), kill_at)
            with open(self.out, "a", encoding="utf-8") as file:
                file.write('{"id": "torn')  # as a kill amid a write leaves it
            table, _ = self.run_eval(*self.remote())
            # The one call that was not answered is sent again, and no other.
            self.assertEqual(len(Supervisor.bodies), total + 1, f"killed at {kill_at}")
            self.assertEqual(Supervisor.bodies[kill_at], Supervisor.bodies[kill_at - 1])
            for before, after in zip(whole["ways"], table["ways"]):
                self.assertEqual((before["right"], before["asked"]),
                                 (after["right"], after["asked"]))
            self.assertEqual(sum(line["is_resumed"] for line in self.results()), 1)

    def test_an_outcome_that_only_the_journal_has(self):
        self.run_eval(*self.remote())
        asked = len(Supervisor.bodies)
        lines = self.out.read_text().splitlines(keepends=True)
        self.assertIn('"state":"begun"', lines[-2])
        self.out.write_text("".join(lines[:-1]))
        self.run_eval(*self.remote())
        self.assertEqual(len(Supervisor.bodies), asked)
        self.assertEqual(self.out.read_text(), "".join(lines))

    def test_malformed_lines(self):
        good = QUESTIONS[0]
        bad = [
            ("{", "JSON"),
            ("[]", "no JSON object"),
            ({**good, "question": ""}, "question: it is missing"),
            ({**good, "question": "x" * 20000}, "at most 16384"),
            ({"question": "q", "documents": ["ships.txt"]}, "answer: it is missing"),
            ({**good, "answer": []}, "answer: 0 of them"),
            ({**good, "answer": {"a": 1}}, "answer: want text"),
            ({**good, "answer": " "}, "answer: it is empty"),
            ({**good, "options": ["a", "b"], "answer": "c"}, "names none of the 2 options"),
            ({**good, "options": {"B": "x"}}, "letters in order"),
            ({**good, "options": 3}, "options: want an array"),
            ({**good, "documents": []}, "documents: 0 of them"),
            ({**good, "documents": [7]}, "documents: want a path"),
            ({**good, "documents": ["none.txt"]}, "No such file"),
            ({**good, "documents": ["\x1b[31mred"]}, "?[31mred: No such file"),
            ({**good, "id": "x" * 300}, "id: 300 bytes"),
            (good, "the same line stands before"),
        ]
        self.write([good, "", *(line for line, _ in bad)])
        _, err = self.run_eval("--ways", "local", code=DATA)
        self.assertEqual(len(err), len(bad) + 1)
        for number, ((_, say), line) in enumerate(zip(bad, err), 3):
            self.assertIn(f"questions.jsonl line {number}: ", line)
            self.assertIn(say, line)
        table, err = self.run_eval("--ways", "local", "--skip-malformed")
        self.assertEqual((table["questions"], table["malformed"]), (1, len(bad)))

    def test_a_document_that_cannot_be_read(self):
        (self.folder / "noise").write_bytes(b"\x7fELF" + bytes(99))
        self.write([{**QUESTIONS[0], "documents": "noise"}, QUESTIONS[1]])
        table, _ = self.run_eval(*self.remote("--ways", "remote"))
        way = table["ways"][0]
        self.assertEqual((way["right"], way["asked"], way["failed"]), (1, 2, 1))
        self.assertIn("noise", self.results()[0]["error"])
        self.assertEqual(len(Supervisor.bodies), 1)

    def test_a_verdict_that_cannot_be_read(self):
        self.write(QUESTIONS[3:])
        Supervisor.mumbles = 1
        table, _ = self.run_eval(*self.remote("--ways", "remote"))
        self.assertEqual((table["ways"][0]["right"], len(Supervisor.bodies)), (1, 3))
        self.out.unlink()
        Supervisor.mumbles = 2
        table, _ = self.run_eval(*self.remote("--ways", "remote"))
        self.assertEqual((table["ways"][0]["right"], table["ways"][0]["failed"]), (0, 1))
        self.assertIn("verdict", self.results()[0]["error"])

    def test_what_stops_it(self):
        # The budget: nothing is counted as wrong, and a larger one goes on.
        _, err = self.run_eval(*self.remote("--ways", "remote", "--budget", "0.45"), code=DATA)
        self.assertIn("budget", err[-2])
        self.assertLess(len(self.results()), 4)
        table, _ = self.run_eval(*self.remote("--ways", "remote", "--budget", "5"))
        self.assertEqual((table["ways"][0]["right"], table["ways"][0]["failed"]), (4, 0))
        # A server that refuses all: the first question stops it.
        self.out.unlink()
        Supervisor.reset()
        Supervisor.refuse = 401
        child = self.start(*self.remote())
        _, err = child.communicate(timeout=120)
        self.assertNotEqual(child.returncode, 0)
        self.assertIn("refused the key", err)
        self.assertEqual((len(Supervisor.bodies), self.results()), (1, []))

    def test_refusals(self):
        for words, say in ((("--ways", "minions"), "--remote"),
                           (("--ways", "oracle"), "no such way"),
                           (("--judge", "model"), "--remote"),
                           (("--remote", "replay:x"), "record"),
                           (("--remote", "http://127.0.0.1:9/v1"), "--remote-model")):
            _, err = self.run_eval(*words, code=USAGE)
            self.assertEqual(len(err), 1)
            self.assertIn(say, err[0])
        self.out.write_text('{"custom_id": "a"}\n')
        _, err = self.run_eval("-o", str(self.out), code=DATA)
        self.assertIn("line 1", err[0])
        self.assertEqual(self.out.read_text(), '{"custom_id": "a"}\n')


if not MODEL.exists():
    print(f"skipped: needs {MODEL.name}")
    sys.exit(SKIPPED)
SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Supervisor)
PORT = SERVER.server_port
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
unittest.main(argv=sys.argv[:1] + sys.argv[2:])
