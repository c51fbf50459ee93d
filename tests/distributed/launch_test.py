#!/usr/bin/env python3
"""polyptych-cli generate as several processes, under real launchers, and with processes that are killed.

launch_test.py CLI FAKE_WORKER PART [NUMBER]
PART: torchrun | elastic | machines | mpirun | srun | launch | weights | faults | starts | storm (NUMBER of kills)
Ends with 77 (a named skip) where the launcher, or the means to make namespaces, are not there.
"""
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TORCHRUN = Path(sys.executable).parent / "torchrun"
PATIENCE = 240
MODEL = ["--model", str(Path(__file__).resolve().parents[2] / "resources" / "demo")]
LAUNCHER_NAMES = ("RANK", "LOCAL_", "WORLD_", "MASTER_", "SLURM_", "OMPI_", "PMI", "TORCHELASTIC_")
PROMPTS = ["a red boat on the sea", "a yellow house on a meadow", "a blue balloon", "a green cactus in the desert", "a white lighthouse at night",
           "a purple castle in the snow", "an orange cat"]
REAL = ["--seed", "5", "--steps", "2", "--width", "64", "--height", "64", "--threads", "1"]


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHER_NAMES)}
    return kept | more


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def freePort():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Case:
    """Programs, and a folder for everything that a part makes."""

    def __init__(self, cli, fake):
        self.cli = cli
        self.fake = fake
        self.folder = Path(tempfile.mkdtemp(prefix="polyptych-launch-"))
        self.list = self.folder / "prompts.txt"
        self.list.write_text("\n".join(PROMPTS) + "\n")

    def out(self, name):
        return self.folder / name

    def words(self, out, *more, settings=REAL):
        return ["generate", *MODEL, "--devices", "cpu", "--prompts", str(self.list), "--out", str(out), *settings, *more]

    def fakeWords(self, out, pictures, *more, stepMs=4):
        return ["generate", *MODEL, "--devices", "cpu", "--out", str(out), "--seed", "1", "--steps", "3", "--width", "32", "--height", "32", "--threads", "1",
                "--images-per-prompt", str(pictures), "--worker", self.fake, "--worker-argument=--step-ms", f"--worker-argument={stepMs}", *more,
                "a cat", "a dog"]

    def plain(self, name, words):
        run(words, self.cli)
        return content(self.out(name))


def run(words, *program, expected=0, env=None, cwd=None):
    ended = subprocess.run([*program, *words], capture_output=True, text=True, env=env or environment(), timeout=PATIENCE, cwd=cwd)
    assert ended.returncode == expected, (ended.returncode, words, ended.stdout[-4000:], ended.stderr[-4000:])
    return ended


def content(folder):
    """Every picture's bytes, and the manifest's rows without what varies."""
    pictures = {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert [row["index"] for row in rows] == sorted(row["index"] for row in rows)
    kept = [{key: value for key, value in row.items() if key not in ("device", "deviceName", "seconds", "time")} for row in rows]
    return pictures, kept


def same(folder, expected, what):
    pictures, rows = content(folder)
    wanted, wantedRows = expected
    assert pictures.keys() == wanted.keys(), (what, sorted(pictures.keys() ^ wanted.keys()))
    different = [name for name in wanted if pictures[name] != wanted[name]]
    assert not different, (what, different)
    assert rows == sorted(wantedRows, key=lambda row: row["index"]), what
    assert not (folder / ".polyptych" / "parts").exists(), what
    assert not list((folder / ".polyptych").glob("site-*")), what
    print(f"{what}: passed")


def torchrun(case):
    if not TORCHRUN.exists():
        skip("torchrun is not in this Python environment")
    expected = case.plain("plain", case.words(case.out("plain"), "--images-per-prompt", "2", "--batch", "3"))
    for split in ("pull", "static"):
        for size in (1, 2, 4):
            out = case.out(f"torchrun-{split}-{size}")
            ended = run(case.words(out, "--split", split, "--images-per-prompt", "2", "--batch", "3"), str(TORCHRUN), "--standalone", "--no-python",
                        f"--nproc-per-node={size}", case.cli)
            same(out, expected, f"torchrun, {size} processes, {split}")
            # Rank 0 alone speaks: a line a picture, each once.
            lines = [line for line in ended.stdout.splitlines() if line.startswith("[")]
            assert len(lines) == len(expected[0]) == len(set(lines)), ended.stdout
    again = run(case.words(case.out("torchrun-pull-2"), "--images-per-prompt", "2", "--batch", "3"), str(TORCHRUN), "--standalone", "--no-python",
                "--nproc-per-node=2", case.cli)
    assert "14 were there" in again.stderr, again.stderr


def elastic(case):
    """torchrun stops and restarts everybody when one rank dies; what was made stays."""
    if not TORCHRUN.exists():
        skip("torchrun is not in this Python environment")
    expected = case.plain("plain", case.fakeWords(case.out("plain"), 120))
    out = case.out("elastic")
    process = subprocess.Popen([str(TORCHRUN), "--no-python", "--nnodes=1", "--nproc-per-node=2", "--max-restarts=3", "--rdzv-backend=c10d",
                                f"--rdzv-endpoint=localhost:{freePort()}", "--rdzv-id=evening", case.cli, *case.fakeWords(out, 120, stepMs=20)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    for victim in (1, 0):
        started = time.monotonic()
        while len(list(out.glob(".polyptych/parts/*/*/pictures/*/*/*.png"))) < 10 and time.monotonic() - started < 60:
            time.sleep(0.1)
        os.kill(sorted(ranksBelow(process))[victim], signal.SIGKILL)
        time.sleep(1)
    output, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (process.returncode, output, error[-4000:])
    there = int(re.findall(r"(\d+) of them are there already", error)[-1])
    assert there >= 10, error[-4000:]
    same(out, expected, "torchrun --max-restarts, two ranks killed")


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def removeNamespaces(names):
    for name in names:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


class Machines:
    """Two machines: network namespaces joined by a cable."""

    def __enter__(self):
        self.names = [f"polyptych-{os.getpid()}-{side}" for side in "ab"]
        self.cables = [f"pl{os.getpid() % 100000}{side}" for side in "ab"]
        try:
            for name in self.names:
                ip("netns", "add", name)
            ip("link", "add", self.cables[0], "type", "veth", "peer", "name", self.cables[1])
            for name, cable, address in zip(self.names, self.cables, ("10.98.0.1/24", "10.98.0.2/24")):
                ip("link", "set", cable, "netns", name)
                ip("-n", name, "addr", "add", address, "dev", cable)
                ip("-n", name, "link", "set", cable, "up")
                ip("-n", name, "link", "set", "lo", "up")
        except (OSError, subprocess.CalledProcessError) as problem:
            removeNamespaces(self.names)
            skip(f"network namespaces cannot be made here ({problem})")
        return self

    def __exit__(self, *_):
        removeNamespaces(self.names)

    def cut(self, isCut):
        ip("-n", self.names[1], "link", "set", self.cables[1], "down" if isCut else "up")

    def start(self, side, words):
        return subprocess.Popen(["ip", "netns", "exec", self.names[side], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=environment())


def finish(processes, expected=0):
    ended = [process.communicate(timeout=PATIENCE) for process in processes]
    assert all(process.returncode == expected for process in processes), ([process.returncode for process in processes], ended)
    return ended


def machines(case):
    expected = case.plain("plain", case.words(case.out("plain")))
    with Machines() as two:
        if TORCHRUN.exists():
            out = case.out("shared")
            agents = [two.start(rank, [str(TORCHRUN), "--no-python", "--nnodes=2", f"--node-rank={rank}", "--nproc-per-node=2",
                                       "--master-addr=10.98.0.1", "--master-port=29443", case.cli, *case.words(out)]) for rank in range(2)]
            finish(agents)
            same(out, expected, "torchrun, 2 machines of 2 processes, one folder")
        launched = lambda rank, words: [case.cli, "launch", "--num_processes=4", "--num_machines=2", f"--machine_rank={rank}",
                                        "--main_process_ip=10.98.0.1", "--main_process_port=29444", *words]
        # Each machine with a disk of its own: the folders are brought together afterwards.
        outs = [case.out("first"), case.out("second")]
        said = finish([two.start(rank, launched(rank, case.words(outs[rank], "--split", "static"))) for rank in range(2)])
        assert "polyptych-cli merge" in said[0][1], said
        run(["merge", "--out", str(case.out("merged")), str(outs[0]), str(outs[1])], case.cli)
        same(case.out("merged"), expected, "launch, 2 machines with a folder each, merged")
        assert 0 < len(list(outs[1].glob("*.png"))) < 7
        again = finish([two.start(rank, launched(rank, case.words(outs[rank], "--split", "static"))) for rank in range(2)])
        assert "\n0 made" in again[0][1], again
        # A cable that is pulled for a moment.
        out = case.out("cut")
        words = case.fakeWords(out, 150, stepMs=20)
        plain = case.plain("cut-plain", case.fakeWords(case.out("cut-plain"), 150))
        ranks = [two.start(rank, launched(rank, words)) for rank in range(2)]
        time.sleep(2.5)
        two.cut(True)
        time.sleep(2)
        two.cut(False)
        finish(ranks)
        same(out, plain, "launch, cable cut for 2 s and restored")
        # One that is pulled for good: the first machine makes what the second had; the second ends with words.
        out = case.out("cut-for-good")
        ranks = [two.start(rank, launched(rank, [*words[:words.index("--out")], "--out", str(out), *words[words.index("--out") + 2:],
                                                 "--rank-timeout", "3"])) for rank in range(2)]
        time.sleep(2)
        two.cut(True)
        began = time.monotonic()
        said = [process.communicate(timeout=PATIENCE) for process in ranks]
        assert ranks[0].returncode == 0, said
        assert ranks[1].returncode == 1 and "store of its group" in said[1][1], said
        assert time.monotonic() - began < 90, time.monotonic() - began
        pictures, _ = content(out)
        assert pictures.keys() == plain[0].keys() and all(pictures[name] == plain[0][name] for name in pictures)
        print("launch, cable cut for good: passed")


def mpirun(case):
    program = shutil.which("mpirun")
    if not program:
        skip("mpirun is not installed (Debian: openmpi-bin)")
    expected = case.plain("plain", case.words(case.out("plain")))
    for size in (1, 3):
        out = case.out(f"mpirun-{size}")
        run(case.words(out), program, "--allow-run-as-root", "--oversubscribe", "-np", str(size), case.cli,
            env=environment(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", MASTER_PORT=str(freePort())))
        same(out, expected, f"mpirun, {size} processes")


def srun(case):
    if not all(shutil.which(program) for program in ("slurmctld", "slurmd", "srun", "munged")) or os.geteuid() != 0:
        skip("Slurm is not installed (Debian: slurmctld slurmd slurm-client munge), or this is not root")
    home = case.folder / "slurm"
    for name in ("state", "spool", "munge"):
        (home / name).mkdir(parents=True)
    host = socket.gethostname().split(".")[0]
    settings = home / "slurm.conf"
    settings.write_text("\n".join([
        "ClusterName=one", f"SlurmctldHost={host}(127.0.0.1)", "AuthType=auth/munge", f"AuthInfo=socket={home}/munge/socket",
        "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "ReturnToService=2", f"SlurmctldPidFile={home}/ctld.pid",
        f"SlurmdPidFile={home}/d.pid", f"SlurmdSpoolDir={home}/spool", f"StateSaveLocation={home}/state", "SlurmUser=root",
        f"SlurmctldPort={freePort()}", f"SlurmdPort={freePort()}", "SchedulerType=sched/builtin", "SelectType=select/linear", "MpiDefault=none",
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} State=UNKNOWN",
        "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES", ""]))
    env = environment(SLURM_CONF=str(settings))
    key = home / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    (home / "munge").chmod(0o755)
    daemons = []
    try:
        # munged wants safe folders above its files; --force lets it go on with a temporary one.
        daemons.append(subprocess.Popen(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={home}/munge/socket",
                                         f"--pid-file={home}/munge/pid", f"--log-file={home}/munge/log", f"--seed-file={home}/munge/seed"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(1)
        for daemon in ("slurmctld", "slurmd"):
            daemons.append(subprocess.Popen([daemon, "-D", "-f", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env))
        for _ in range(60):
            state = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, env=env, check=False).stdout
            if "idle" in state:
                break
            time.sleep(0.5)
        else:
            skip("Slurm does not start on this machine")
        expected = case.plain("plain", case.words(case.out("plain")))
        out = case.out("srun")
        run(case.words(out), "srun", "-n", "3", "--overcommit", case.cli, env=env | {"MASTER_PORT": str(freePort())})
        same(out, expected, "srun, 3 processes")
    finally:
        for daemon in reversed(daemons):
            daemon.kill()
            daemon.wait()


def descendants(root):
    """(pid, words) of everything below a process."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(entry.name)] = (int(fields[1]), [word.decode(errors="replace") for word in words])
    found, todo = [], [root]
    while todo:
        one = todo.pop()
        for pid, (parent, words) in parents.items():
            if parent == one:
                found.append((pid, words))
                todo.append(pid)
    return found


def named(words, name):
    return bool(words) and Path(words[0]).name == name


def workersBelow(folder, name="polyptych_fake_worker"):
    """Backends are no children of the programs that start them: they are found by their library."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if named(words, "polyptych-core") and str(folder) in " ".join(words):
                found += [pid for pid, its in descendants(int(entry.name)) if named(its, name)]
    return found


def coresBelow(folder):
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            count += named(words, "polyptych-core") and str(folder) in " ".join(words)
    return count


def ranksBelow(launcher):
    return [pid for pid, words in descendants(launcher.pid) if named(words, "polyptych-cli") and "generate" in words]


def launch(case):
    """Our own launcher: ranks that are killed come again, rank 0 too, and nothing is lost."""
    expected = case.plain("plain", case.fakeWords(case.out("plain"), 120))
    out = case.out("killed")
    process = subprocess.Popen([case.cli, "launch", "--num-processes", "3", "--max-restarts", "5", *case.fakeWords(out, 120, stepMs=20)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=environment())
    for victim in (1, 0, 2):
        time.sleep(1.2)
        ranks = sorted(ranksBelow(process))
        if victim < len(ranks):
            os.kill(ranks[victim], signal.SIGKILL)
    output, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (process.returncode, output, error)
    assert error.count("it is started again") >= 2, error
    same(out, expected, "launch, three ranks killed")
    # Ctrl-C: everything stops, what was made stays, and the same command goes on.
    out = case.out("stopped")
    words = [case.cli, "launch", "--num-processes", "2", *case.fakeWords(out, 120, stepMs=20)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    waitForParts(out, 20)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, (process.returncode, error)
    for _ in range(100):
        if coresBelow(out) == 0:
            break
        time.sleep(0.1)
    assert coresBelow(out) == 0
    again = run(words[1:], words[0])
    there = int(re.search(r"(\d+) were there", again.stderr).group(1))
    assert 0 < there < 240, again.stderr
    same(out, expected, "launch, stopped and gone on with")
    # merge does what rank 0 could not.
    out = case.out("left")
    words[words.index(str(case.out("stopped")))] = str(out)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    waitForParts(out, 20)
    process.kill()
    process.wait()
    time.sleep(1)
    made = int(run(["merge", str(out)], case.cli).stdout.split()[0])
    assert 0 < made < 240 and len(list(out.glob("*.png"))) == made and not (out / ".polyptych" / "parts").exists(), made
    run(words[1:], words[0])
    same(out, expected, "launch, killed and merged")
    # The program is taken away, as by an upgrade: a rank that is to come again cannot, and the others end the run.
    home = case.out("programs")
    home.mkdir()
    for name in ("polyptych-cli", "polyptych-core", "polyptych-worker"):
        shutil.copy2(Path(case.cli).parent / name, home / name)
    out = case.out("taken-away")
    process = subprocess.Popen([str(home / "polyptych-cli"), "launch", "--num-processes", "2", "--max-restarts", "2",
                                *case.fakeWords(out, 120, "--rank-timeout", "2", stepMs=20)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=environment())
    waitForParts(out, 10, rank=1)
    (home / "polyptych-cli").unlink()
    os.kill(sorted(ranksBelow(process))[1], signal.SIGKILL)
    ended(process, 1, "Rank 1 cannot be started")
    same(out, expected, "launch, program taken away")
    # A folder's name is no format.
    out = case.out("%1 %2 %3")
    run(["launch", "--num-processes", "2", *case.fakeWords(out, 120)], case.cli)
    same(out, expected, "launch, percent signs")


def ranked(case, rank, size, port, words, host="127.0.0.1", more=None):
    return subprocess.Popen([case.cli, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank), LOCAL_WORLD_SIZE=str(size), MASTER_ADDR=host,
                                            MASTER_PORT=str(port), **(more or {})))


def ended(process, code, *sentences):
    output, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, (process.returncode, output, error)
    for sentence in sentences:
        assert sentence in error, (sentence, error)
    return error


def weights(case):
    """The model read by one rank and sent to the others: the same pictures, whoever is missing."""
    expected = case.plain("plain", case.words(case.out("plain")))
    sentences = {"files": None, "broadcast": r"\d+ MB of weights came from one rank that read and sent them\.",
                 "measured": r"\d+ MB of weights came from .* \(reading \S+ GB/s, sending \S+ GB/s\)\."}
    for size in (2, 3):
        for way, sentence in sentences.items():
            out = case.out(f"{way}-{size}")
            said = run(["launch", "--num-processes", str(size), *case.words(out, "--split", "static", "--weights", way)], case.cli).stderr
            told = re.findall(r".*weights.*", said)
            assert len(told) == (0 if sentence is None else 1), said
            assert sentence is None or re.search(sentence, told[0]), said
            same(out, expected, f"weights, {way}, {size} processes")
    # On CPUs nobody sends unasked.
    said = run(["launch", "--num-processes", "2", *case.words(case.out("default"), "--split", "static")], case.cli).stderr
    assert "weights" not in said, said
    # A rank that never comes costs 10 s.
    out = case.out("absent")
    began = time.monotonic()
    ended(ranked(case, 0, 2, freePort(), case.words(out, "--weights", "broadcast", "--join-timeout", "4", "--rank-timeout", "2")), 0,
          "Each rank reads the weights from its own files: rank 1 of 2 did not come")
    assert 10 <= time.monotonic() - began < 40, time.monotonic() - began
    same(out, expected, "weights, a rank that does not come")
    # One that has nothing to make costs nothing.
    out = case.out("idle")
    began = time.monotonic()
    one = [word for word in case.words(out, "--split", "static", "--weights", "broadcast")]
    at = one.index("--prompts")
    one[at:at + 2] = []
    said = run(["launch", "--num-processes", "3", *one, *PROMPTS[:2]], case.cli).stderr
    assert "Rank 2 has nothing to make" in said, said
    assert time.monotonic() - began < 10, time.monotonic() - began
    print("weights, a rank that has nothing to make: passed")
    # Workers killed as soon as they are there: in the meeting, in the load or after it. The next worker of the rank reads its files.
    kills = 0
    for attempt in range(6):
        out = case.out(f"killed-{attempt}")
        process = subprocess.Popen([case.cli, "launch", "--num-processes", "2", *case.words(out, "--split", "static", "--weights", "broadcast")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
        victims = []
        while not victims and process.poll() is None:
            victims = workersBelow(out, "polyptych-worker")
        time.sleep(0.12 * attempt)
        for victim in victims[:1]:
            try:
                os.kill(victim, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
        ended(process, 0)
        same(out, expected, f"weights, a worker killed {0.12 * attempt:.2f} s after its start")
    assert kills > 0


def faults(case):
    expected = case.plain("plain", case.fakeWords(case.out("plain"), 20))
    quick = ["--join-timeout", "4", "--rank-timeout", "2"]
    # A rank that never comes: the others make everything, and do not wait for it (pull); or it is told (static).
    out = case.out("absent")
    process = ranked(case, 0, 2, freePort(), case.fakeWords(out, 20, *quick))
    ended(process, 0)
    same(out, expected, "a rank that does not come, pull")
    out = case.out("absent-static")
    ended(ranked(case, 0, 2, freePort(), case.fakeWords(out, 20, "--split", "static", *quick)), 1, "20 pictures were not made")
    print("a rank that does not come, static: passed")
    # Rank 0 never comes.
    began = time.monotonic()
    ended(ranked(case, 1, 2, freePort(), case.fakeWords(case.out("alone"), 20, *quick)), 1, "Check that rank 0 runs")
    assert time.monotonic() - began < 30
    print("no rank 0: passed")
    ended(ranked(case, 1, 2, freePort(), case.fakeWords(case.out("nowhere"), 20, *quick), host="no-such-host.invalid"), 1, "MASTER_ADDR")
    print("wrong address: passed")
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        ended(ranked(case, 0, 2, taken.getsockname()[1], case.fakeWords(case.out("taken"), 20, *quick)), 1, "port is taken")
    print("port taken: passed")
    # Other prompts, other pictures: refused on the rank that differs.
    port = freePort()
    first = ranked(case, 0, 2, port, case.fakeWords(case.out("differs"), 20, *quick))
    second = ranked(case, 1, 2, port, case.fakeWords(case.out("differs"), 21, *quick))
    ended(second, 2, "different prompts, settings or models")
    ended(first, 0)
    same(case.out("differs"), expected, "ranks with different lists")
    # The store's process is killed in the middle: every rank ends with words.
    port = freePort()
    out = case.out("store")
    ranks = [ranked(case, rank, 2, port, case.fakeWords(out, 120, *quick, stepMs=20)) for rank in range(2)]
    time.sleep(2)
    stores = [pid for pid, words in descendants(ranks[0].pid) if "--serve" in words]
    assert len(stores) == 1
    os.kill(stores[0], signal.SIGKILL)
    ended(ranks[0], 1, "has ended")
    ended(ranks[1], 1, "Check that rank 0 runs")
    longer = case.plain("longer", case.fakeWords(case.out("longer"), 120))
    ranks = [ranked(case, rank, 2, freePort() if rank == 0 else port, case.fakeWords(out, 120, *quick, stepMs=20)) for rank in range(1)]
    ended(ranks[0], 0)
    same(out, longer, "store killed, then the same command")
    # One of two ranks killed in the middle: the other makes what it had.
    port = freePort()
    out = case.out("one-killed")
    ranks = [ranked(case, rank, 2, port, case.fakeWords(out, 120, *quick, stepMs=20)) for rank in range(2)]
    time.sleep(2)
    ranks[1].kill()
    ended(ranks[0], 0, "gives no sign of life")
    same(out, longer, "one of two ranks killed, pull")
    ranks[1].communicate()
    # A rank whose clock is an hour late: clocks are never compared.
    faketime = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if faketime:
        port = freePort()
        out = case.out("late-clock")
        late = {"LD_PRELOAD": str(faketime), "FAKETIME": "-1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        ranks = [ranked(case, rank, 2, port, case.fakeWords(out, 120, stepMs=20), more=late if rank == 1 else {}) for rank in range(2)]
        for rank in ranks:
            ended(rank, 0)
        same(out, longer, "clock of one rank an hour late")
    else:
        print("clock of one rank an hour late: skipped (Debian: faketime)")
    # A worker killed in the middle is started again within its rank.
    port = freePort()
    out = case.out("worker-killed")
    ranks = [ranked(case, rank, 2, port, case.fakeWords(out, 120, stepMs=20)) for rank in range(2)]
    waitForParts(out, 10)
    victims = workersBelow(out)
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    for rank in ranks:
        ended(rank, 0)
    same(out, longer, "worker of a rank killed")
    # A rank whose every worker dies gives back what it had; rank 0 stays for the others.
    for victim in range(2):
        port = freePort()
        out = case.out(f"broken-{victim}")
        words = case.fakeWords(out, 20, *quick, stepMs=20)
        place = words.index("--worker-argument=--step-ms")
        broken = [*words[:place], "--worker-argument=--behave=crash", *words[place:]]
        ranks = [ranked(case, rank, 2, port, broken if rank == victim else words) for rank in range(2)]
        ended(ranks[victim], 0, "no worker left to go on")
        ended(ranks[1 - victim], 0)
        same(out, expected, f"rank {victim} with a worker that always dies, pull")


def partPictures(out, rank="*"):
    return len(list(out.glob(f".polyptych/parts/*/*-{rank}-*/pictures/*/*/*.png")))


def waitForParts(out, count, rank="*"):
    for _ in range(1200):
        if partPictures(out, rank) >= count:
            return
        time.sleep(0.05)
    assert False, f"fewer than {count} pictures in parts"


def killed(case, words, out):
    """Two ranks that are killed in the middle."""
    port = freePort()
    ranks = [ranked(case, rank, 2, port, words) for rank in range(2)]
    waitForParts(out, 20)
    for rank in ranks:
        rank.kill()
        rank.communicate()


FIRST_DIES = """#!{python}
import os, signal, subprocess, sys
words = sys.argv[1:]
if "--rank" in words and words[words.index("--rank") + 1] == "0" and not os.path.exists("{state}"):
    open("{state}", "w").close()
    real = subprocess.Popen(["{worker}", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    real.stdout.readline()
    os.kill(os.getppid(), signal.SIGKILL)
    real.kill()
    sys.exit(0)
os.execv("{worker}", ["{worker}", *words])
"""


def starts(case):
    """Two starts in one folder, starts that begin late, wrongly or with what is left of others."""
    quick = ["--join-timeout", "8", "--rank-timeout", "2"]
    expected = case.plain("plain", case.fakeWords(case.out("plain"), 60))
    # While one run is made in a folder, every other start is refused, and does it no harm.
    out = case.out("two")
    port = freePort()
    many = case.plain("many", case.fakeWords(case.out("many"), 400, stepMs=1))  # long enough for what happens beside it
    words = case.fakeWords(out, 400, *quick, stepMs=20)
    ranks = [ranked(case, rank, 2, port, words) for rank in range(2)]
    waitForParts(out, 5)
    for error in (run(words, case.cli, expected=2).stderr, ended(ranked(case, 0, 2, freePort(), words), 2)):
        assert "Another run is writing" in error or "Processes of another start" in error, error
    waiting = subprocess.run([case.cli, "merge", str(out)], capture_output=True, text=True, env=environment(), timeout=PATIENCE, check=False)
    for rank in ranks:
        ended(rank, 0)
    assert waiting.returncode != 0 or waiting.stdout.startswith("800 of 800"), waiting
    same(out, many, "two starts in one folder")
    # Its rank 0 is killed and comes again, the other is at work.
    out = case.out("orphan")
    port = freePort()
    words = [case.cli, "launch", "--num-processes", "2", *case.fakeWords(out, 400, stepMs=20)]
    launcher = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    waitForParts(out, 5, rank=1)
    os.kill(sorted(ranksBelow(launcher))[0], signal.SIGKILL)
    error = ended(ranked(case, 0, 2, freePort(), case.fakeWords(out, 400, *quick)), 2)
    assert "Another run is writing" in error or "Processes of another start" in error, error
    assert launcher.poll() is None
    launcher.send_signal(signal.SIGINT)
    launcher.communicate(timeout=PATIENCE)
    print("a start while ranks are at work whose rank 0 comes again: passed")
    # Rank 0 alone is stopped: all stop, with their files closed before it joins the parts. In the middle, and when it has made its own share.
    for split in ("pull", "static"):
        out = case.out(f"stopped-{split}")
        port = freePort()
        slow = {"pull": (20, 20), "static": (1, 40)}[split]
        ranks = [ranked(case, rank, 2, port, case.fakeWords(out, 60, *quick, "--split", split, stepMs=slow[rank])) for rank in range(2)]
        waitForParts(out, 10)
        if split == "static":
            waitForParts(out, 60, rank=0)
            time.sleep(1)  # its backend has ended
        ranks[0].send_signal(signal.SIGINT)
        error = ended(ranks[0], 130)
        ended(ranks[1], 130)
        assert partPictures(out) == 0 and coresBelow(out) == 0, split
        made = int(re.search(r"(\d+) made", error.splitlines()[-1]).group(1))
        assert made == len(list(out.glob("*.png"))) and 10 <= made < 120, (made, error)
        assert f"{made} of them are there already" in run(["launch", "--num-processes", "2", *case.fakeWords(out, 60)], case.cli).stderr
        same(out, expected, f"rank 0 alone stopped, {split}")
    # Nobody named a seed, everybody was killed: the same command goes on with the seed that was drawn, with a launcher and without.
    for name in ("group", "plain"):
        out = case.out(f"unnamed-{name}")
        words = case.fakeWords(out, 60, stepMs=20)
        place = words.index("--seed")
        del words[place:place + 2]
        killed(case, [*words, *quick], out)
        if name == "plain":
            error = run(words, case.cli).stderr
        else:
            error = ended(ranked(case, 0, 2, freePort(), [*words, *quick]), 0)
        assert int(re.search(r"(\d+) of them are there already", error).group(1)) >= 20, error
        seed = re.search(r"Seed (\d+)", error).group(1)
        withSeed = case.fakeWords(case.out(f"seeded-{name}"), 60)
        withSeed[withSeed.index("--seed") + 1] = seed
        wanted = case.plain(f"seeded-{name}", withSeed)
        pictures = {path.name: path.read_bytes() for path in out.glob("*.png")}
        indices = [json.loads(line)["index"] for line in (out / "manifest.jsonl").read_text().splitlines()]
        assert pictures == wanted[0] and sorted(indices) == list(range(120)), (name, indices)
        assert not (out / ".polyptych" / "parts").exists()
        print(f"killed without a seed, then the same command ({name}): passed")
    # One process with other words than the parts.
    out = case.out("other")
    killed(case, case.fakeWords(out, 60, *quick, stepMs=20), out)
    assert "parts of another run" in run(case.fakeWords(out, 61), case.cli, expected=2).stderr
    assert partPictures(out) >= 20 and not list(out.glob("*.png"))
    print("one process with other words than the parts: passed")
    # Rank 1 comes when all is made, or was there already.
    port = freePort()
    first = ranked(case, 0, 2, port, case.fakeWords(case.out("plain"), 60, *quick))
    time.sleep(1.5)
    ended(ranked(case, 1, 2, port, case.fakeWords(case.out("plain"), 60, *quick)), 0)
    assert ended(first, 0).splitlines()[-1].startswith("0 made, 120 were there")
    print("a rank that comes after the end: passed")
    # Two ideas of how many they are.
    port = freePort()
    out = case.out("sizes")
    first = ranked(case, 0, 2, port, case.fakeWords(out, 60, *quick))
    ended(ranked(case, 1, 3, port, case.fakeWords(out, 60, *quick)), 2, "Rank 0 is one of 2 processes")
    ended(first, 0)
    same(out, expected, "ranks with different numbers of processes")
    # Rank 0 is killed before it has told anything, and comes again.
    out = case.out("silent")
    wrapper = case.out("first-dies")
    wrapper.write_text(FIRST_DIES.format(python=sys.executable, state=case.out("has-died"), worker=Path(case.cli).parent / "polyptych-worker"))
    wrapper.chmod(0o755)
    ended(subprocess.Popen([case.cli, "launch", "--num-processes", "2", "--max-restarts", "1", "--rendezvous", str(wrapper),
                            *case.fakeWords(out, 60, "--join-timeout", "20")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           env=environment()), 0, "it is started again")
    same(out, expected, "rank 0 killed before it has told anything")


def storm(case, kills):
    """Workers and ranks killed at random, under launch --max-restarts and by the same command again, until all is made."""
    pictures = max(60, 6 * kills)
    words = lambda out: case.fakeWords(out, pictures)
    expected = case.plain("plain", words(case.out("plain")))
    out = case.out("storm")
    dice = random.Random(4711)
    done = {"worker": 0, "rank": 0, "launcher": 0}
    while sum(done.values()) < kills:
        process = subprocess.Popen([case.cli, "launch", "--num-processes", "3", "--max-restarts", "1000", *words(out)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=environment())
        while process.poll() is None and sum(done.values()) < kills:
            time.sleep(dice.uniform(0.05, 0.5))
            kind = dice.choices(("worker", "rank", "launcher"), (60, 35, 5))[0]
            victims = workersBelow(out) if kind == "worker" else ranksBelow(process) if kind == "rank" else [process.pid]
            if victims:
                try:
                    os.kill(dice.choice(victims), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                done[kind] += 1
        if process.poll() is None:
            process.wait(timeout=PATIENCE)
        if process.returncode == 0 and sum(done.values()) < kills:
            # All was made before the last kill: from the beginning again, in another folder.
            same(out, expected, f"storm, {done}")
            out = case.out(f"storm-{sum(done.values())}")
    for _ in range(5):
        if subprocess.run([case.cli, "launch", "--num-processes", "3", *words(out)], capture_output=True, env=environment(), timeout=PATIENCE,
                          check=False).returncode == 0:
            break
    same(out, expected, f"storm, {done}")


def main():
    cli, fake, part, *more = sys.argv[1:]
    case = Case(cli, fake)
    try:
        parts = {"torchrun": torchrun, "elastic": elastic, "machines": machines, "mpirun": mpirun, "srun": srun, "launch": launch,
                 "weights": weights, "faults": faults, "starts": starts}
        if part == "storm":
            storm(case, int(more[0]))
        else:
            parts[part](case)
    finally:
        for pid, _ in descendants(os.getpid()):  # a part that failed leaves ranks behind
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not os.environ.get("LAUNCH_TEST_KEEP"):
            shutil.rmtree(case.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
