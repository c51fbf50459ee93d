"""Starts polyptych-worker-cuda as the pool does, for a GPU that no machine has, and watches it end as core/protocol/PROTOCOL.md says.

check_cuda_worker.py POLYPTYCH_WORKER_CUDA VERSION

The program must find its libraries by itself. Its Hello must not pretend to the device; then it says why it is of no use and ends.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

program, version = sys.argv[1:3]
UUID = "GPU-00000000-0000-4000-8000-000000000000"
TOKEN = "0123456789abcdef"
HELLO, FATAL = 1, 16
EXIT_FATAL = 4
START_SECONDS = 30  # a debug or sanitizer build on a busy machine; a second at most otherwise
END_SECONDS = 5     # 2 by the protocol


def decoded(data):
    """The CBOR of these messages: maps, texts and whole numbers. @return the value and the bytes after it"""
    kind, short = data[0] >> 5, data[0] & 31
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    value = int.from_bytes(data[1:1 + size], "big") if size else short
    data = data[1 + size:]
    if kind == 0:
        return value, data
    if kind == 3:
        return data[:value].decode("utf-8"), data[value:]
    assert kind == 5, f"a CBOR value of kind {kind}"
    entries = {}
    for _ in range(value):
        key, data = decoded(data)
        entries[key], data = decoded(data)
    return entries, data


def received(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        assert more, f"the worker closed its socket after {len(data)} of {count} bytes"
        data += more
    return data


def message(connection):
    magic, wire, kind, size, attachments, zero = struct.unpack("<4sHHIHH", received(connection, 16))
    assert (magic, wire, attachments, zero) == (b"PLPW", 1, 0, 0), "a frame with another header"
    value, rest = decoded(received(connection, size))
    assert not rest, f"{len(rest)} bytes after the map"
    return kind, value


def accepted(listener, worker):
    listener.settimeout(0.1)
    deadline, ended = time.monotonic() + START_SECONDS, False
    while time.monotonic() < deadline:
        try:
            connection = listener.accept()[0]
        except TimeoutError:
            assert not ended, f"the worker ended with {worker.returncode} before it connected"
            ended = worker.poll() is not None  # its connection may still wait
        else:
            connection.settimeout(START_SECONDS)
            return connection
    raise AssertionError(f"the worker did not connect in {START_SECONDS} s")


def environment():
    own = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    return own | {"CUDA_VISIBLE_DEVICES": UUID, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def check(folder, log):
    path = os.path.join(folder, "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        worker = subprocess.Popen([program, "--socket", path, "--device", "cuda", "--threads", "1"], stdin=subprocess.PIPE, stdout=log, stderr=log,
                                  env=environment(), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        try:
            worker.stdin.write(f"{TOKEN}\n".encode())
            worker.stdin.close()
            with accepted(listener, worker) as connection:
                kind, hello = message(connection)
                assert kind == HELLO, f"the first message is of type {kind}"
                device = hello["device"]
                assert (hello["token"], hello["pid"], hello["version"]) == (TOKEN, worker.pid, version), hello
                assert device == {"kind": "cuda", "name": "", "uuid": "", "totalBytes": 0}, f"a GPU that is not there: {device}"
                kind, said = message(connection)
                assert kind == FATAL, f"a message of type {kind}: {said}"
                assert said["error"]["code"] == "device_lost" and "nvidia-smi" in said["error"]["message"], said
                started = time.monotonic()
                code = worker.wait(timeout=END_SECONDS)
                assert code == EXIT_FATAL, f"exit code {code}, not {EXIT_FATAL}"
                print(f"without its GPU the worker ended with {code}, {time.monotonic() - started:.1f} s after its last word")
        finally:
            worker.kill()
            worker.wait()


with tempfile.TemporaryDirectory() as name, open(os.path.join(name, "log"), "w+b") as output:
    try:
        check(name, output)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as problem:
        output.seek(0)
        sys.exit(f"FAIL {problem or type(problem).__name__}\nThe worker's log: {output.read().decode(errors='replace')[-2000:]}")
