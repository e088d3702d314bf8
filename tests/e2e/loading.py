"""loading - a server whose model is not there before a test says so: a folder's config.json is a pipe,
and who opens that waits for its writer."""

import errno
import json
import os
import pathlib
import tempfile

import serving
from serving import wait_for


class Loading(serving.Server):
    """One that is not asked to be ready: its port is that on which its process listens."""

    def __init__(self, binary):
        self._made = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._made.name)
        self._config = _fill(self.folder)
        super().__init__(binary, model=self.folder)

    def __exit__(self, *why):
        with self._made:
            super().__exit__(*why)

    def load(self):
        """The model is there from now on."""
        wait_for(lambda: _feed(self.folder / "config.json", self._config))

    def _wait_for_port(self):
        ports = []
        wait_for(lambda: ports.extend(self._listens()) or ports or self.process.poll() is not None)
        assert ports, self.process.stderr.read()
        return ports[0]

    def _listens(self):
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        files = set()
        for name in os.listdir(folder / "fd"):
            try:
                files.add(os.readlink(folder / "fd" / name))
            except FileNotFoundError:
                pass  # closed meanwhile
        sockets = [line.split() for line in (folder / "net/tcp").read_text().splitlines()[1:]]
        return [int(s[1].split(":")[1], 16) for s in sockets
                if s[3] == "0A" and f"socket:[{s[9]}]" in files]


def _feed(pipe, data):
    """Gives who waits at a pipe the data, and who opens that path again a file of it. False while
    nobody waits there."""
    try:
        out = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        assert error.errno == errno.ENXIO, error
        return False
    plain = pipe.with_suffix(".plain")
    plain.write_bytes(data)
    plain.replace(pipe)
    assert os.write(out, data) == len(data)
    os.close(out)
    return True


def _fill(folder):
    """A model whose config.json is a pipe: who opens it waits for what it will say."""
    source = serving.DATA.resolve() / "models/arch_tiny/hf-llama"
    os.mkfifo(folder / "config.json")
    (folder / "model.safetensors").symlink_to(source / "model.safetensors")
    (folder / "chat_template.jinja").write_text(serving.TINY_TEMPLATE)
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes
    letters = [chr(b) for b in shown] + [chr(256 + i) for i in range(256 - len(shown))]
    special = [{"id": i, "content": word, "special": True, "normalized": False, "lstrip": False,
                "rstrip": False, "single_word": False} for i, word in enumerate(("<s>", "</s>"))]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": special, "normalizer": None, "pre_tokenizer": level,
        "post_processor": None, "decoder": level, "model": {
            "type": "BPE", "merges": [], "vocab": {c: i + 2 for i, c in enumerate(letters)}}}))
    return (source / "config.json").read_bytes()
