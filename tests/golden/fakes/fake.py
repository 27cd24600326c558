"""An implementation in the standard library alone, which misbehaves on the cases named bad.

`fake.py MODE [FILE]` answers every case with its inputs; MODE says what is wrong where.
"""

import base64
import json
import math
import os
import signal
import struct
import subprocess
import sys
import time

GROW = "import sys, time\nwhile True: open(sys.argv[1], 'a').write('x'); time.sleep(0.02)"


def write(text):
    sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode())
    sys.stdout.buffer.flush()


def floats(*values, shape=None):
    data = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    return {"dtype": "float32", "shape": shape or [len(values)], "data": data}


def crash():
    sys.stderr.write("first\nout of luck\x1b[31m\n")
    sys.stderr.flush()
    os._exit(3)


def crash_with_a_child():
    subprocess.Popen([sys.executable, "-c", GROW, sys.argv[2]])
    time.sleep(0.2)
    os._exit(3)


def close(end):
    os.close(end)
    time.sleep(60)


def stop_in_a_line():
    write('{"id": ')
    time.sleep(60)


def end_in_a_line():
    write('{"id": ')
    os._exit(0)


def endless():
    while True:
        write("x" * 2**16)


Z = floats(math.nan, 1)

# What it does before it answers, if it still can.
ACTS = {
    "honest": lambda: None,
    "crash": crash,
    "exit": lambda: os._exit(0),
    "signal": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "child": crash_with_a_child,
    "hang": lambda: time.sleep(60),
    "late": lambda: time.sleep(2.5),
    "half_a_line": stop_in_a_line,
    "half_a_line_and_end": end_in_a_line,
    "close_stdout": lambda: close(1),
    "close_stdin": lambda: close(0),
    "endless": endless,
    "flood_stderr": lambda: sys.stderr.write("x" * 79 + "\n" + "y" * 2**20),
}
# What it writes in the place of an answer to request 2.
LINES = {
    "garbage": "hello",
    "empty_line": "",
    "not_utf8": b"\xff\xfe{}",
    "array": "[1]",
    "nested": "[" * 100000,
    "huge_number": '{"id": ' + "9" * 10000 + "}",
    "not_a_number": '{"id": NaN}',
    "twice_in_one": '{"id": 2, "id": 2, "status": "ok", "outputs": {}}',
    "no_id": '{"status": "ok", "outputs": {}}',
    "no_outputs": '{"id": 2, "status": "ok"}',
    "maybe": '{"id": 2, "status": "maybe"}',
    "error": '{"id": 2, "status": "error", "message": "ValueError: no\\n luck"}',
    "unsupported": '{"id": 2, "status": "unsupported", "reason": "no bad things"}',
}
# The id that it answers in the place of 2.
IDS = {"wrong_id": 3, "old_id": 1, "text_id": "2", "true_id": True}
# The outputs that it gives in the place of the right ones.
OUTPUTS = {
    "more": {"extra": {"dtype": "float32", "shape": [2**40], "data": ""}},
    "missing": {"y": None},
    "swapped": {"x": floats(5, 6, 7, 8, shape=[2, 2]), "y": floats(1, 2, 3, 4, shape=[2, 2])},
    "transposed": {"x": floats(1, 3, 2, 4, shape=[2, 2])},
    "flat": {"x": floats(1, 2, 3, 4)},
    "nan_for_a_number": {"z": floats(math.nan, math.nan)},
    "number_for_nan": {"z": floats(0, 1)},
    "double": {"z": {"dtype": "float64", "shape": [1], "data": "AAAAAAAA8D8="}},
    "integer": {"z": {**Z, "dtype": "int32"}},
    "object": {"z": {**Z, "dtype": "object"}},
    "huge": {"z": {**Z, "shape": [2**30]}},
    "huger": {"z": {**Z, "shape": [2**40]}},
    "huge_and_empty": {"z": {"dtype": "float64", "shape": [0, *[2**31] * 9], "data": ""}},
    "many_axes": {"z": {**Z, "shape": [1] * 99 + [2]}},
    "negative": {"z": {**Z, "shape": [-1, -2]}},
    "true_shape": {"z": {**Z, "shape": [True, 2]}},
    "cut": {"z": {**Z, "data": Z["data"][:-4]}},
    "not_base64": {"z": {**Z, "data": "*" * 12}},
    "other_padding": {"z": {**Z, "data": "AADAfwAAgD9="}},
    "no_text": {"z": {**Z, "data": [1, 2]}},
    "no_array": {"z": [0.0, 1.0]},
    "two_for_a_bool": {"z": {"dtype": "bool", "shape": [1], "data": "Ag=="}},
}
HANDSHAKE = {"protocol": "golden/1", "implementation": "fake", "version": "1", "platform": "p"}
HANDSHAKES = {
    "no_handshake": b"",
    "hello": b"hello\n",
    "mix": b"==> edifice\nCompiling 3 files (.ex)\n",
    "golden_2": {**HANDSHAKE, "protocol": "golden/2"},
    "no_version": {"protocol": "golden/1", "implementation": "fake"},
    "no_name": {**HANDSHAKE, "implementation": ""},
    "wide_is_1": {**HANDSHAKE, "wide": 1},
    "products_of_bf16": {**HANDSHAKE, "products": "bf16"},
    "endless_handshake": b"x" * 2**17,
    "new_name": {**HANDSHAKE, "implementation": str(os.getpid())},
}


def respond(mode, request, *, bad):
    if bad:
        ACTS.get(mode, crash if mode == "new_name" else ACTS["honest"])()
        if mode in LINES:
            write(LINES[mode])
            write("\n")
            return
    inputs = request["inputs"]
    outputs = {name: inputs[name] for name in request["outputs"] if name in inputs}
    if bad:
        outputs |= OUTPUTS.get(mode, {})
    answer = {
        "id": IDS.get(mode, request["id"]) if bad else request["id"],
        "status": "ok",
        "outputs": {name: array for name, array in outputs.items() if array is not None},
    }
    for _ in range(2 if bad and mode == "twice" else 1):
        write(json.dumps(answer) + "\n")


def main(mode):
    handshake = HANDSHAKES.get(mode, HANDSHAKE)
    write(handshake if isinstance(handshake, bytes) else json.dumps(handshake) + "\n")
    while mode == "deaf":  # the request is larger than a pipe, and so is what it says meanwhile
        sys.stderr.write("I am not listening\n" * 1000)
    for line in sys.stdin:
        request = json.loads(line)
        respond(mode, request, bad=request["case"].endswith("bad"))
    if mode == "end_by_hanging":
        time.sleep(60)
    if mode == "end_by_talking":
        write("bye\n")
    return 3 if mode == "end_by_failing" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
