#!/usr/bin/env python3
"""cli_test BINARY - the cohort binary as a person meets it: help, exit codes, one line of error."""

import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

# Set where a sanitizer makes a large model slow: what computes most is for the plain build.
LIGHT = os.environ.get("COHORT_TEST_LIGHT") == "1"
COMMANDS = ("ask", "eval", "serve", "dsl", "runs", "run", "batch", "embed", "pull", "models",
            "tokenize", "inspect", "quantize", "perplexity", "kbench", "doctor")
USAGE, DATA, NO_INPUT, UNAVAILABLE, CANNOT_CREATE, IO = 64, 65, 66, 69, 73, 74
BINARY = str(pathlib.Path(sys.argv[1]).resolve())
CACHE = os.environ.get("COHORT_CACHE") or os.path.expanduser("~/.cache/cohort")
MODEL = pathlib.Path(CACHE, "models/SmolLM2-135M-Instruct.Q4_1.gguf")
LICENCE = pathlib.Path("/usr/share/common-licenses/GPL-3")
DATA_FOLDER = pathlib.Path(os.environ.get("COHORT_TEST_DATA") or "../shared/data")
TINY = DATA_FOLDER / "models/tinystories656k/tinystories656k-F16.gguf"


def cohort(*words, stdin="", env=None, stdout=subprocess.PIPE):
    """Runs the binary; gives (exit code, standard output, lines of standard error)."""
    done = subprocess.run([BINARY, *words], input=stdin.encode(), stdout=stdout,
                          stderr=subprocess.PIPE, timeout=500, env=env, check=False)
    return done.returncode, (done.stdout or b"").decode(), done.stderr.decode().splitlines()


def on_terminal(columns, *words):
    """What a terminal of so many columns is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([BINARY, *words], stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        shown = b""
        try:
            while some := os.read(ours, 65536):
                shown += some
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        return child.wait(), shown.decode().replace("\r\n", "\n")


class Help(unittest.TestCase):
    def test_narrow_and_wide(self):
        """No line is broken by the terminal, no word is lost, and beyond 100 it stays as it is."""
        for words in ((), *((name,) for name in COMMANDS)):
            _, text, _ = cohort(*words, "--help")
            for columns in (60, 80, 100, 300):
                code, shown = on_terminal(columns, *words, "--help")
                wide = [line for line in shown.splitlines() if len(line) > min(columns, 100)]
                self.assertEqual((code, wide), (0, []), words)
                self.assertEqual(shown.split(), text.split())

    def test_every_command(self):
        code, text, lines = cohort("--help")
        self.assertEqual((code, lines), (0, []))
        for name in COMMANDS:
            self.assertIn(f"  {name} ", text)
            code, own, lines = cohort(name, "--help")
            self.assertEqual((code, lines), (0, []))
            self.assertTrue(own.startswith(f"usage: cohort {name} "), own)
            self.assertIn("--help", own)

    def test_version(self):
        code, text, _ = cohort("--version")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"^cohort \d+\.\d+\.\d+\n$")


class Refusals(unittest.TestCase):
    def refused(self, code, *words, say="", **how):
        got, text, lines = cohort(*words, **how)
        self.assertEqual((got, len(lines), text), (code, 1, ""), (words, lines))
        self.assertIn(say, lines[0])

    def test_usage(self):
        self.refused(USAGE)
        self.refused(USAGE, "nonsense", say="nonsense")
        for name in COMMANDS:
            self.refused(USAGE, name, "--nonsense", say="--nonsense")
        self.refused(USAGE, "run", "--temperature", "hot", "x", say="0 to 10")
        self.refused(USAGE, "run", "--precision", "int4", "x", say="exact|int8")
        self.refused(USAGE, "batch", "only-one")
        self.refused(USAGE, "quantize", "only-one", say="1 argument, want 3")
        for name in ("tokenize", "doctor"):
            self.refused(USAGE, name, "stray", say="1 argument, want none")
        for name in ("inspect", "embed"):
            self.refused(USAGE, name, "one", "two", say="2 arguments, want 0 to 1")
        for name in ("perplexity", "pull"):
            self.refused(USAGE, name, say="0 arguments, want 1")
        self.refused(USAGE, "models", "rm", say="1 argument, want 2")
        self.refused(USAGE, "models", "remove", "x", say="2 arguments, want none")
        self.refused(USAGE, "quantize", "in", "out", "q6_k", say="Q4_K")
        self.refused(USAGE, "quantize", "--text", "file", "in", "out", "int8", say="--report")
        self.refused(USAGE, "quantize", "--json", "in", "out", "int8", say="--report")

    def test_no_model(self):
        env = {"HOME": "/nonexistent"}
        for words in (("run", "x"), ("tokenize",), ("inspect",)):
            self.refused(NO_INPUT, *words, env=env, say="./demo")
            self.refused(NO_INPUT, *words, env=env | {"COHORT_MODEL": "/no/model"},
                         say="/no/model")
        self.refused(NO_INPUT, "inspect", "-m", "/no/model", say="No such file")
        self.refused(NO_INPUT, "quantize", "/no/model", "/no/out", "int8", say="No such file")

    def test_malformed_model(self):
        for content in (b"", b"GGUF", b"not a model, but long enough to be one" * 9,
                        b"GGUF\3\0\0\0" + b"\xff" * 64):
            with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
                file.write(content)
                file.flush()
                for words in (("run", "x"), ("tokenize",), ("inspect",)):
                    self.refused(DATA, *words, "-m", file.name, say=file.name)

    def test_batch_files(self):
        with tempfile.TemporaryDirectory() as folder:
            inside, outside = os.path.join(folder, "in"), os.path.join(folder, "out")
            self.refused(NO_INPUT, "batch", inside, outside, say="No such file")
            for content, say in (("{", "line 1"), ("{}\n", "custom_id")):
                pathlib.Path(inside).write_text(content)
                self.refused(DATA, "batch", inside, outside, say=say)
                self.assertFalse(os.path.exists(outside))
            pathlib.Path(inside).write_text("")
            self.refused(CANNOT_CREATE, "batch", inside, "/no/such/folder/out")

    def test_ask_files(self):
        self.refused(USAGE, "ask", "a question without a document")
        self.refused(USAGE, "ask", "-f", "/dev/null")
        self.refused(NO_INPUT, "ask", "-f", "/no/such/file", "why?", say="No such file")
        self.refused(NO_INPUT, "ask", "-f", "", "why?", say="the name of one is empty")
        self.refused(DATA, "ask", "-f", "/dev/null", "why?", say="it is a device")
        with tempfile.TemporaryDirectory() as name:
            blank, noise = pathlib.Path(name, "blank.txt"), pathlib.Path(name, "noise.bin")
            self.refused(DATA, "ask", "-f", name, "why?", say="it is empty")
            blank.write_text(" \n\t\n")
            self.refused(DATA, "ask", "-f", str(blank), "why?", say="no text among them")
            noise.write_bytes(bytes(range(1, 256)) * 20)
            self.refused(DATA, "ask", "-f", str(noise), "why?", say="not a text file")

    def test_ask_before_anything_is_done(self):
        """Told before a model is loaded or a run begun."""
        paper = ("-f", str(pathlib.Path(__file__)))
        self.refused(USAGE, "ask", *paper, "   ", say="the question is missing")
        self.refused(DATA, "ask", *paper, "x" * 20000, say="at most 16384")
        self.refused(DATA, "ask", *paper, b"caf\xe9?", say="not UTF-8")
        self.refused(USAGE, "ask", *paper, "--record", "x", "why?", say="--remote, whose")
        here = ("--remote", "http://127.0.0.1:1/v1", "--remote-model", "gpt-4o")
        self.refused(DATA, "ask", *paper, "--remote", "nonsense", "--remote-model", "x", "why?",
                     say="remote: `nonsense` is no URL; one is https://")
        self.refused(DATA, "ask", *paper, "--workers", "nonsense", "why?", say="workers: `nonsense")
        self.refused(NO_INPUT, "ask", *paper, *here, "--key-file", "/no/key", "why?", say="/no/key")
        self.refused(CANNOT_CREATE, "ask", *paper, "--journal", "/no/such/folder/x.db", "why?",
                     say="--journal names another file")
        nowhere = dict(os.environ, COHORT_STATE="/proc/nowhere")
        self.refused(CANNOT_CREATE, "ask", *paper, *here, "why?", env=nowhere,
                     say="COHORT_STATE names another")

    def test_a_recording_is_kept(self):
        """What is refused, or only rehearsed, does not empty the file of an earlier run."""
        with tempfile.TemporaryDirectory() as name:
            kept = pathlib.Path(name, "kept.jsonl")
            kept.write_text("paid for\n")
            words = ("ask", "-f", __file__, "--record", str(kept), "--remote-model", "gpt-4o")
            cohort(*words, "--remote", "nonsense", "why?")
            cohort(*words, "--remote", "https://example.com/v1", "--dry-run", "why?")
            self.assertEqual(kept.read_text(), "paid for\n")

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            code, _, lines = cohort("--help", stdout=full)
            self.assertEqual((code, len(lines)), (IO, 1))


class Folder(unittest.TestCase):
    def test_quantize(self):
        source = DATA_FOLDER / "models/tinystories656k"
        if not source.exists():
            self.skipTest(f"{source} is not here")
        words = ("run", "--raw", "--precision", "int8", "--max-tokens", "24", "Once upon a time")
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "int8.gguf")
            self.assertEqual(cohort("quantize", str(source), out, "int8"), (0, "", []))
            code, _, lines = cohort("quantize", str(source), folder + "/no/out.gguf", "int8")
            self.assertEqual((code, len(lines)), (CANNOT_CREATE, 1))
            self.assertIn("/no/out.gguf: cannot be made: No such file", lines[0])
            code, told, lines = cohort(*words, "-m", out)
            self.assertEqual((code, lines), (0, []))
            self.assertGreater(len(told), 24)
            self.assertEqual(cohort(*words, "-m", str(source)), (code, told, lines))
            code, told, _ = cohort("inspect", "--json", "-m", out)
            self.assertGreater(json.loads(told)["metadata"]["tokenizer.huggingface.json"]
                               ["text_bytes"], 80000)


    def test_quantize_onto_itself(self):
        source = DATA_FOLDER / "models/tinystories656k"
        if not source.exists():
            self.skipTest(f"{source} is not here")
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "model.gguf")
            copy.write_bytes((source / "tinystories656k-F16.gguf").read_bytes())
            alias = pathlib.Path(folder, "alias.gguf")
            alias.symlink_to(copy)
            models = pathlib.Path(folder, "hf")
            models.mkdir()
            for path in source.glob("*[!f]"):  # all but the GGUF files
                (models / path.name).write_bytes(path.read_bytes())
            shard = models / "model.safetensors"
            for model, out in ((copy, copy), (copy, alias), (models, shard)):
                before = out.read_bytes()
                for kind in ("int8", "Q8_0"):
                    code, text, lines = cohort("quantize", str(model), str(out), kind)
                    self.assertEqual((code, text, len(lines)), (DATA, "", 1), lines)
                    self.assertIn(f"{out}: is what the model is read from", lines[0])
                self.assertEqual(out.read_bytes(), before)


@unittest.skipUnless(MODEL.exists(), f"{MODEL} is not here")
class WithModel(unittest.TestCase):
    # Where any model will do: under a sanitizer a small one, if it is here.
    any_model = ("-m", str(TINY)) if LIGHT and TINY.exists() else ()

    def test_tokenize(self):
        code, text, lines = cohort("tokenize", "--json", stdin="Hello, 42 worlds!\n")
        self.assertEqual((code, lines), (0, []))
        ids = json.loads(text)
        self.assertTrue(all(isinstance(i, int) for i in ids) and len(ids) > 5)
        code, text, _ = cohort("tokenize", "--json", stdin="")
        self.assertEqual((code, json.loads(text)), (0, []))
        special = json.loads(cohort("tokenize", "--json", stdin="<|im_start|>")[1])
        plain = json.loads(cohort("tokenize", "--json", "--plain", stdin="<|im_start|>")[1])
        self.assertEqual(len(special), 1)
        self.assertGreater(len(plain), 1)

    def test_tokenize_like_the_reference(self):
        path = DATA_FOLDER / "models/smollm2-135m/reference_float64.json"
        if not path.exists():
            self.skipTest(f"{path} is not here")
        for case in json.loads(path.read_text()):
            ids = json.loads(cohort("tokenize", "--json", stdin=case["text"])[1])
            self.assertEqual(ids, case["ids"])

    def test_inspect(self):
        code, text, _ = cohort("inspect", "--json")
        self.assertEqual(code, 0)
        told = json.loads(text)
        self.assertEqual(told["metadata"]["general.architecture"], "llama")
        self.assertTrue(told["runs_here"])
        self.assertEqual(told["file_bytes"], MODEL.stat().st_size)
        self.assertEqual(len({t["name"] for t in told["tensors"]}), len(told["tensors"]))
        code, text, _ = cohort("inspect", "--tensors")
        self.assertEqual(code, 0)
        self.assertIn("token_embd.weight", text)

    def test_inspect_plans(self):
        words = ("inspect", "--device", "cpu", "--json", "--context", "1500")
        for more, kv in (((), "f32"), (("--kv", "f16"), "f16"), (("--precision", "int8"), "int8")):
            code, text, lines = cohort(*words, *more)
            self.assertEqual((code, lines), (0, []))
            (plan,) = json.loads(text)["plans"]
            self.assertEqual((plan["device"], plan["kv"], plan["context_max"]), ("cpu", kv, 1500))
            self.assertGreater(plan["weight_bytes"], 1 << 26)
            pages = plan["kv_pages"]
            self.assertEqual(plan["kv_bytes"] % pages, 0)
            self.assertEqual(plan["jobs"], min(pages // 72, plan["sequences_max"]))
        code, text, _ = cohort("inspect", "--device", "emu", "--kv", "f32", "--json")
        self.assertEqual(code, 0)
        self.assertIn("why_not", json.loads(text)["plans"][0])
        code, text, _ = cohort("inspect")
        self.assertRegex(text, r"(?m)^  jobs +\d+ of 800 \+ 250 \+ 100 tokens at once")

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    def test_quantize(self):
        words = ("run", "--precision", "int8", "--max-tokens", "12", "The moon is")
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "int8.gguf")
            self.assertEqual(cohort("quantize", str(MODEL), out, "int8"), (0, "", []))
            self.assertEqual(cohort(*words, "-m", out), cohort(*words))
            code, _, lines = cohort("run", "-m", out, "--precision", "exact", "x")
            self.assertEqual((code, len(lines)), (DATA, 1))
            code, _, lines = cohort("quantize", out, out, "int8")
            self.assertEqual((code, len(lines)), (DATA, 1))
            self.assertEqual(os.listdir(folder), ["int8.gguf"])
            out = os.path.join(folder, "q8_0.gguf")
            self.assertEqual(cohort("quantize", str(MODEL), out, "q8_0"), (0, "", []))
            code, told, _ = cohort("run", "-m", out, "--max-tokens", "8",
                                   "What is the capital of France?")
            self.assertEqual(code, 0)
            self.assertIn("Paris", told)
        code, _, lines = cohort("quantize", str(MODEL), "/no/such/folder/out", "int8")
        self.assertEqual((code, len(lines)), (CANNOT_CREATE, 1))
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as text:
            text.write("The cat sat on the mat. " * 4)
            text.flush()
            code, told, lines = cohort("quantize", "--report", "--text", text.name, str(MODEL))
        self.assertEqual((code, lines), (0, []))
        self.assertIn("211 matrices", told)
        code, text, lines = cohort("quantize", "--report", "--json", str(MODEL))
        self.assertEqual((code, lines), (0, []))
        matrices = json.loads(text)["matrices"]
        self.assertEqual(len(matrices), 211)
        self.assertTrue(all(0 <= m["error"] <= m["row_error"] < 0.2 for m in matrices))
        self.assertRegex(told, r"KL of int8 from exact  0\.0\d+ nats")

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    def test_run(self):
        words = ("run", "--max-tokens", "12", "--json", "What is the capital of France?")
        code, text, lines = cohort(*words)
        self.assertEqual((code, lines), (0, []))
        told = json.loads(text)
        self.assertIn("Paris", told["samples"][0]["text"])
        self.assertEqual(json.loads(cohort(*words, "--threads", "1")[1])["samples"],
                         told["samples"])
        code, streamed, _ = cohort(*[w for w in words if w != "--json"])
        self.assertEqual((code, streamed), (0, told["samples"][0]["text"] + "\n"))

    def test_run_samples(self):
        words = ("run", "--raw", "-n", "6", "--samples", "3", "-t", "1", "--seed", "7", "--json",
                 *self.any_model, "Once upon a time")
        told = json.loads(cohort(*words)[1])
        self.assertEqual(len(told["samples"]), 3)
        self.assertEqual(json.loads(cohort(*words)[1])["samples"], told["samples"])
        self.assertGreater(len({s["text"] for s in told["samples"]}), 1)
        other = json.loads(cohort(*words, "--seed", "8")[1])
        self.assertNotEqual(other["samples"], told["samples"])

    def test_run_options(self):
        words = ("run", "--raw", "-n", "8", "-t", "1", "--seed", "5", *self.any_model,
                 "Once upon a time")
        likeliest = cohort("run", "--raw", "-n", "8", *self.any_model, "Once upon a time")
        plain, typical = cohort(*words), cohort(*words, "--typical-p", "0.2")
        self.assertEqual([told[0] for told in (likeliest, plain, typical)], [0, 0, 0])
        self.assertEqual(len({likeliest[1], plain[1], typical[1]}), 3)
        self.assertEqual(cohort(*words, "--typical-p", "1"), plain)
        for option in (("--min-p", "1"), ("--top-p", "0"), ("--top-k", "1")):
            self.assertEqual(cohort(*words, *option), likeliest)

    def test_run_refusals(self):
        for words, sentence in (
                (("--typical-p", "0"), "--typical-p 0: want a number above 0, 1 at most"),
                (("--typical-p", "nan"), "--typical-p nan: want a number from 0 to 1"),
                (("--min-p", "1.5"), "--min-p 1.5: want a number from 0 to 1"),
                (("--repetition-penalty", "0"),
                 "--repetition-penalty 0: want a number from 0.01 to 100"),
                (("--logit-bias", "the=1"),
                 "--logit-bias: `the=1`, want TOKEN=BIAS such as 11=-2.5"),
                (("--logit-bias", "11=nan"),
                 "--logit-bias: `11=nan`, want a bias from -100 to 100"),
                (("--stop", ""), "--stop: `` has 0 bytes, want 1 to 256"),
                (("--stop", "x") * 17, "--stop: 17 strings, at most 16 are taken"),
                (("--schema", "a", "--regex", "b"),
                 "--schema and --regex: a text can be held to one of them"),
                (("--best-of", "2"), "--best-of: unknown option; try --help")):
            with self.subTest(words=words):
                self.assertEqual(cohort("run", *words, "x"),
                                 (USAGE, "", [f"cohort run: {sentence}"]))
        code, _, lines = cohort("run", "--raw", *self.any_model, "--logit-bias", "99999999=1", "x")
        self.assertEqual(code, DATA)
        self.assertIn("logit_bias: token 99999999, the vocabulary ends at", lines[0])

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    def test_run_stop(self):
        told = json.loads(cohort("run", "--raw", "--json", "-n", "40", "--stop", "5",
                                 "1 2 3 4")[1])["samples"][0]
        self.assertEqual(told["finish"], "stop")
        self.assertNotIn("5", told["text"])

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    def test_run_schema(self):
        schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20},
                                                   "sure": {"type": "boolean"}},
                  "required": ["city", "sure"], "additionalProperties": False}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "schema.json")
            path.write_text(json.dumps(schema))
            words = ("run", "--schema", str(path), "-t", "1.5", "--seed", "3", "--json", "Paris?")
            told = json.loads(cohort(*words)[1])["samples"][0]
        self.assertEqual(told["finish"], "stop")
        said = json.loads(told["text"])
        self.assertEqual(set(said), {"city", "sure"})
        self.assertIsInstance(said["sure"], bool)
        told = json.loads(cohort("run", "--regex", r"It is [A-Z][a-z]{2,8}\.", "--json",
                                 "What is the capital of France?")[1])["samples"][0]
        self.assertRegex(told["text"], r"^It is [A-Z][a-z]{2,8}\.$")

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    def test_run_chunk(self):
        chunk = "The offer is valid\n for three  years. It isn't valid for \"spare\" parts."
        citation = {"type": "string", "x-copied-from": "chunk", "minLength": 5, "maxLength": 60}
        schema = {"type": "object", "properties": {"citation": citation}, "required":
                  ["citation"], "additionalProperties": False}
        with tempfile.TemporaryDirectory() as folder:
            path, source = pathlib.Path(folder, "schema.json"), pathlib.Path(folder, "chunk")
            path.write_text(json.dumps(schema))
            source.write_text(chunk)
            words = ("run", "--schema", str(path), "--chunk", str(source), "-t", "1.5", "--seed",
                     "2", "--samples", "4", "--json", "How long?")
            told = json.loads(cohort(*words)[1])["samples"]
            code, _, lines = cohort("run", "--schema", str(path), "How long?")
        for sample in told:
            self.assertEqual(sample["finish"], "stop")
            said = json.loads(sample["text"])["citation"]
            self.assertIn(said, " ".join(chunk.split()))
            self.assertTrue(5 <= len(said) <= 60, said)
        self.assertEqual(code, 65)
        self.assertIn("there is no chunk", lines[0])

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    @unittest.skipUnless(LICENCE.exists(), f"{LICENCE} is not here")
    def test_ask(self):
        code, text, lines = cohort("ask", "--json", "-f", str(LICENCE),
                                   "May I charge a price for each copy that I convey?")
        self.assertEqual((code, lines), (0, []), text)
        told = json.loads(text)
        self.assertTrue(told["answer"].strip())
        self.assertGreater(len(told["citations"]), 0)
        self.assertIn("ledger", told)
        document = LICENCE.read_bytes()
        for citation in told["citations"]:
            folded = " ".join(citation["text"].split())
            self.assertIn(folded, " ".join(document.decode().split()))
            self.assertEqual(citation["document"], str(LICENCE))
            place = document[citation["offset"]:][:len(citation["text"].encode()) * 2]
            self.assertTrue(" ".join(place.decode("utf-8", "ignore").split())
                            .startswith(folded[:40]), citation)

    @unittest.skipIf(LIGHT, "left out: for the plain build")
    def test_ask_progress(self):
        """On standard error: nothing with --json, JSON or plain lines when asked for."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "short.txt")
            path.write_text("Nothing.\n")
            words = ("ask", "--precision", "int8", "--journal", "none", "-f", str(path), "Who?")
            shown = {how: cohort(*words, *how.split())[2]
                     for how in ("--json", "--json --progress json", "", "--progress none")}
        self.assertEqual(shown["--json"], [])
        self.assertEqual(shown["--progress none"], [])
        for line in shown["--json --progress json"]:
            self.assertEqual(json.loads(line)["event"], "progress")
        self.assertGreater(len(shown["--json --progress json"]), 0)
        self.assertRegex(shown[""][-1], r"^round 1, done .* spent, \$0.0020 saved")

    def test_doctor(self):
        code, text, _ = cohort("doctor", "--json")
        told = json.loads(text)
        self.assertEqual(code, UNAVAILABLE if told["problems"] else 0, text)
        self.assertEqual([f for f in told["findings"] if f["grade"] == "problem"], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
