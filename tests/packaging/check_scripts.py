"""packaging/run, packaging/test and their set-up do what README.md says, on copies in a folder of their own.

check_scripts.py SOURCE_FOLDER

PATH holds the harmless tools of the system and stand-ins for all that would change it (scripts/stand_in). Python's venv and pip are the real ones in one test, with wheels
made here; the others leave them out (scripts/sitecustomize.py). Nothing is downloaded or installed.
"""
import base64
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path

SOURCE = Path(sys.argv[1])
HERE = Path(__file__).resolve().parent / "scripts"
TOOLS = ("awk bash cat cut dirname env find flock grep head ln mkdir rm sed sha256sum sleep sort tail tee touch tr uname xargs").split()
STAND_INS = "apt-get clang-format-14 cmake ctest df dpkg dpkg-query git sudo".split()
NOBODY = 65534
STAGES = ("format", "dev", "no-torch", "asan", "tsan", "fuzz")
LAST_LINES = re.compile(r'\n(run|test): step "([^"\n]+)" failed\.\nWhy: [^\n]+\.\nWhat to do: [^\n]+\n(?:Failed: [^\n]+\n)*\Z')


def wheel(folder, name, content):
    """A wheel with one module. @return its line of a lock file"""
    info = f"{name}-1.0.dist-info"
    files = {f"{name}.py": content, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    rows = [f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text.encode())}"
            for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return f"{name}==1.0 \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class House:
    """A checkout with the scripts alone, a home, and a PATH of stand-ins, in a folder with a space and Korean letters."""

    def __init__(self, base):
        self.base = base
        self.root = base / "내 그림" / "polyptych"
        self.home, self.bin, self.state, self.wheels = (base / name for name in ("집 home", "bin", "state", "wheels"))
        for folder in (self.root / "packaging/requirements", self.root / "resources/demo", self.home, self.bin, self.state, self.wheels):
            folder.mkdir(parents=True)
        for script in ("run", "test", "setup.sh", "check_environment.py"):
            shutil.copy(SOURCE / "packaging" / script, self.root / "packaging")
        for file, name in (("torch-cpu", "small"), ("torch-full", "large"), ("parity", "judge")):
            (self.root / f"packaging/requirements/{file}.txt").write_text("# A comment.\n" + wheel(self.wheels, name, "x = '" + "x" * 3000 + "'\n"), encoding="utf-8")
        (self.root / "resources/demo/prompts.txt").write_text("".join(f"등대 {i}\n" for i in range(14)), encoding="utf-8")
        (base / "os-release").write_text('ID=debian\nVERSION_ID="12"\n', encoding="utf-8")
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        # Copies: another user may not be let into the checkout.
        stand_ins = Path(shutil.copytree(HERE, base / "scripts"))
        for name in STAND_INS:
            (self.bin / name).symlink_to(stand_ins / "stand_in")
        for folder in (base, self.state):
            folder.chmod(0o777)
        self.environment = {
            "PATH": str(self.bin), "HOME": str(self.home), "LC_ALL": "C.UTF-8", "STATE": str(self.state), "POLYPTYCH_OS_RELEASE": str(base / "os-release"),
            "PYTHONPATH": str(stand_ins), "PYTHONDONTWRITEBYTECODE": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri()}
        self.calls = []

    def tell(self, name, *lines):
        """What the stand-ins read: the packages that are missing, the calls that fail, ..."""
        (self.state / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def command(self, script, *arguments):
        return [str(self.root / "packaging" / script), *arguments]

    def start(self, script, *arguments, code=0, before=(), user=None, **environment):
        log = self.state / "calls"
        log.unlink(missing_ok=True)
        # A session of its own: a call that kills itself takes its callers along, as a machine that is switched off does.
        done = subprocess.run([*before, *self.command(script, *arguments)], env=self.environment | environment, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, cwd=self.base, start_new_session=True, user=user, extra_groups=[] if user else None)
        self.calls = [line.split("\x1f")[:-1] for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
        assert done.returncode == code, f"{script} {arguments}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
        return done

    def called(self, *beginning):
        return [call for call in self.calls if call[:len(beginning)] == list(beginning)]

    def changed(self):
        """The calls that change a system or a folder."""
        return [call for call in self.calls if call[0] not in ("dpkg-query", "df", "git")]

    def stops(self, script, *arguments, step, saying=(), **more):
        """The script fails in this step, and its last lines say so, why, and what to do."""
        done = self.start(script, *arguments, code=1, **more)
        last = LAST_LINES.search("\n" + done.stderr)
        assert last and last[1] == script and last[2] == step, f"the last lines are not those of step {step!r}: {done.stderr[-800:]}"
        for part in saying:
            assert part in last[0], f"{part!r} is not in {last[0]!r}"
        if script == "test" and "--setup-only" not in arguments:
            assert re.search(r"^\d+ passed, [1-9]\d* failed\n\Z", done.stdout, re.M), f"the last line is no count: {done.stdout[-200:]}"
        return done


def locks_pin_every_line_by_hash(house):
    pins = {}
    for path in sorted((SOURCE / "packaging/requirements").glob("*.txt")):
        text = re.sub(r"^#.*\n|^\s*\n", "", path.read_text(encoding="utf-8"), flags=re.M).replace("\\\n", " ")
        assert text, f"{path.name} pins nothing"
        for line in text.splitlines():
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), f"{path.name}: {line}"
            name, version = line.split()[0].lower().split("==")
            assert pins.setdefault(name, version) == version, f"{path.name}: {name} is {version}, and {pins[name]} in another file"
            readme = (SOURCE / "README.md").read_text(encoding="utf-8")
            assert "torch" != name or f"torch wheel {version}" in readme, f"README.md names another torch than {version}"


def help_says_what_there_is(house):
    for flag in ("--help", "-h"):
        text = house.start("run", flag).stdout
        assert all(word in text for word in ("--gpu", "--cpu", "--build-only", "cli ARGS")), text
        text = house.start("test", flag).stdout
        assert all(re.search(rf"^ +{stage} ", text, re.M) for stage in STAGES), text
        assert all(word in text for word in ("--setup-only", "--full", "--stage", "--label", "-j N")), text
        assert not house.calls and not list(house.home.iterdir())


def wrong_usage_ends_with_2_before_work(house):
    for arguments, sentence in ((["--fast"], 'unknown argument "--fast"'), (["dev"], 'unknown argument "dev"'), (["--stage", "all"], 'unknown stage "all"'),
                                (["--stage"], "--stage needs a value"), (["--label"], "--label needs a value"), (["-j", "0"], "-j takes a whole number"), (["-jx"], "-j takes a whole number")):
        done = house.start("test", *arguments, code=2)
        assert done.stderr.startswith(f"test: {sentence}") and "packaging/test [--setup-only]" in done.stderr and not done.stdout, done
        assert not house.calls and not list(house.home.iterdir())


def as_root():
    """How to start a program as root. Nothing where that cannot be."""
    if os.geteuid() == 0:
        return []
    unshare = shutil.which("unshare")
    return [unshare, "-r"] if unshare and subprocess.run([unshare, "-r", "true"], capture_output=True).returncode == 0 else None


def packages_are_installed_without_sudo_by_root(house):
    before = as_root()
    if before is None:
        print("SKIP packages_are_installed_without_sudo_by_root: no root and no user namespaces here")
        return
    house.tell("missing", "ninja-build", "libpng-dev", "xvfb")
    house.start("test", "--setup-only", "--stage", "no-torch", before=before)
    installs = house.called("apt-get")
    assert not house.called("sudo") and len(house.called("dpkg", "--configure", "-a")) == 1, house.calls
    assert len(installs) == 2 and installs[0][-1] == "update" and installs[1][-3:] == ["ninja-build", "libpng-dev", "xvfb"] and "-y" in installs[1], installs
    house.start("test", "--setup-only", "--stage", "no-torch", before=before)
    assert not house.changed(), "complete packages are touched"
    # Only the tests need what the tests need.
    house.tell("missing", "ninja-build", "xvfb")
    house.start("run", "--cpu", "--build-only", before=before)
    assert house.called("apt-get")[-1][-1] == "ninja-build", house.calls


def packages_are_installed_with_sudo_by_others(house):
    user = NOBODY if os.geteuid() == 0 else None
    try:
        subprocess.run(["true"], user=user, extra_groups=[] if user else None, cwd=house.base, check=True)
    except OSError as problem:
        print(f"SKIP packages_are_installed_with_sudo_by_others: no other user can start programs here ({problem})")
        return
    house.tell("missing", "ccache")
    house.start("test", "--setup-only", "--stage", "no-torch", user=user)
    assert [call[1] for call in house.called("sudo")] == ["dpkg", "apt-get", "env"], house.calls
    assert len(house.called("dpkg")) == 1 and len(house.called("apt-get")) == 2, house.calls
    house.tell("missing", "ccache")
    (house.bin / "sudo").unlink()
    house.stops("test", "--setup-only", "--stage", "no-torch", user=user, step="system packages", saying=("sudo", "apt-get install ccache"))
    assert not house.changed()


def another_distribution_is_told_what_is_missing(house):
    house.tell("missing", "ninja-build", "ccache")
    for name, text in (("fedora 41", "ID=fedora\nVERSION_ID=41\n"), ("debian 11", "ID=debian\nVERSION_ID=11\n"), ("an unknown distribution", None)):
        path = house.base / "os-release"
        path.unlink() if text is None else path.write_text(text, encoding="utf-8")
        for script in ("run", "test"):
            house.stops(script, step="system packages", saying=(name, "ninja-build ccache") if script == "test" else (name, "ninja-build", "ccache"))
            assert not house.changed()
    # With everything there it is as good as any.
    house.tell("missing")
    house.start("test", "--setup-only", "--stage", "no-torch")
    (house.bin / "dpkg-query").unlink()
    house.stops("run", step="system packages", saying=("no dpkg", "qt6-base-dev", "ninja-build"))
    assert not house.changed()


def ubuntu_is_written_for(house):
    (house.base / "os-release").write_text('NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n', encoding="utf-8")
    house.tell("missing", "ccache")
    house.start("test", "--setup-only", "--stage", "no-torch")
    assert house.called("apt-get")[-1][-1] == "ccache", house.calls


def a_failing_step_says_which_why_and_what_to_do(house):
    rows = (("dpkg --configure", "system packages", "dpkg"), ("apt-get * update", "system packages", "apt-get update"), ("apt-get * install", "system packages", "apt-get install"),
            ("python -m venv", "torch wheel", "virtual environment"), ("python -m pip", "torch wheel", "pip"), ("python check_environment.py", "torch wheel", "not complete"),
            ("cmake --preset", "configure ({})", "CMake"), ("cmake --build", "build ({})", "compiler"))
    # Each start goes on where the one before it stopped, to the next step that fails.
    house.tell("missing", "ccache")
    for call, step, why in rows:
        house.tell("failing", call)
        house.stops("run", "--cpu", step=step.format("release"), saying=(why,))
        assert not house.called("polyptych-cli"), f"{call} failed, and yet: {house.calls}"
    house.tell("failing")
    house.start("run", "--cpu", "--build-only")
    assert not house.called("apt-get") and not house.called("python") and not house.called("cmake", "--preset"), house.calls
    for call, step, why in (rows[-4], rows[-1]):
        house.tell("failing", call)
        house.stops("test", "--stage", "dev", step=step.format("dev"), saying=(why,))
        assert not house.called("ctest"), f"{call} failed, and yet: {house.calls}"
    shutil.rmtree(house.home / ".cache")
    house.tell("disk", "1000000")
    house.stops("run", step="torch wheel", saying=("976 MB", "XDG_CACHE_HOME"))
    assert not house.called("python"), house.calls


def an_interrupted_setup_goes_on(house):
    template = house.base / "template"
    subprocess.run(["/usr/bin/python3", "-m", "venv", template], check=True, capture_output=True)
    more = {"TEMPLATE": str(template)}
    start = ("test", "--setup-only", "--stage", "dev")
    # Killed before anything is installed, then when everything is, but not looked at.
    for call in ("python -m pip", "python check_environment.py"):
        house.tell("killing", call)
        house.start(*start, code=-9, **more)
        [env] = [path for path in (house.home / ".cache/polyptych").iterdir() if path.is_dir()]
        assert (env / "bin/python").exists() and not (env / ".complete").exists()
    house.tell("killing")
    # As an unpacking leaves it that was interrupted: pip believes in it.
    [module] = env.rglob("judge.py")
    os.truncate(module, 1000)
    house.stops(*start, step="torch wheel", saying=("not complete", "Start again"), **more)
    assert not (env / ".complete").exists()
    assert f"Set up: {env}\n" in house.start(*start, **more).stdout
    [module], [record] = env.rglob("judge.py"), env.rglob("judge-*/RECORD")
    assert module.stat().st_size > 3000 and (env / ".complete").exists() and list(env.rglob("large.py"))
    house.start(*start, **more)
    assert not house.changed(), f"a finished set-up is not left alone: {house.calls}"
    (env / ".complete").unlink()
    record.unlink()
    house.stops(*start, step="torch wheel", saying=("not complete",), **more)
    # Another file under the same name and version is refused, also in the second try.
    wheel(house.wheels, "judge", "x = 'another'\n")
    house.stops(*start, step="torch wheel", saying=("hash",), **more)
    assert len(house.called("python", "-m", "pip")) == 2 and not (env / ".complete").exists() and not list(env.rglob("judge.py")), house.calls
    # A changed pin is another environment.
    lock = house.root / "packaging/requirements/parity.txt"
    lock.write_text(wheel(house.wheels, "judge", "x = 'another'\n"), encoding="utf-8")
    said = house.start(*start, **more).stdout
    assert "Set up: " in said and f"Set up: {env}\n" not in said, said


def a_second_start_waits_for_the_first(house):
    start = ("test", "--setup-only", "--stage", "dev")
    env = Path(re.search(r"Set up: (.*)", house.start(*start).stdout)[1])
    assert env.parent == house.home / ".cache/polyptych", env
    (env / ".complete").unlink()
    with open(f"{env}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(house.command(*start), env=house.environment, stdout=subprocess.PIPE, text=True)
        try:
            assert "Waiting for another start" in second.stdout.readline()
            (env / ".complete").touch()
            (house.state / "calls").unlink()
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert second.communicate(timeout=30)[0] == f"== Set up: {env}\n" and second.returncode == 0
        finally:
            second.kill()
            second.wait()
    assert not (house.state / "calls").exists(), "the second start did the first one's work again"


def run_chooses_what_is_set_up(house):
    has_driver = any(all(Path(path).exists() for path in paths) for paths in (("/proc/driver/nvidia/version",), ("/dev/nvidiactl",),
                                                                             ("/dev/dxg", "/usr/lib/wsl/lib/libcuda.so.1")))
    for arguments, kind, lock in ((["--cpu"], "cpu", "torch-cpu.txt"), (["--gpu"], "full", "torch-full.txt"), ([], "full" if has_driver else "cpu", None)):
        house.start("run", *arguments, "--build-only")
        assert not house.called("polyptych") and not house.called("polyptych-cli")
        env = (house.root / "build/release/env").read_text(encoding="utf-8")
        assert env.startswith(f"{house.home}/.cache/polyptych/env-{kind}-"), env
        if lock:
            [call] = house.called("python", "-m", "pip")
            assert [Path(word).name for word in call if word.endswith(".txt")] == [lock] and {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(call), call
    house.start("run", "--cpu", "--build-only", XDG_CACHE_HOME=str(house.base / "cache"))
    assert (house.base / "cache/polyptych").is_dir()


def run_starts_the_program(house):
    words = ["generate", "빨간 배", "two  spaces", "", "--", "-dash", "--gpu"]
    house.tell("status", "3")
    for _ in range(2):
        done = house.start("run", "--cpu", "cli", *words, code=3)
        assert done.stdout == "".join(f"<{word}>\n" for word in words), "standard output is not the program's alone"
        assert "== Building the preset release" in done.stderr
    house.tell("status", "0")
    house.start("run", "--cpu", "--model", "내 모델", WAYLAND_DISPLAY="wayland-0")
    assert house.called("polyptych") == [["polyptych", "--model", "내 모델"]] and not house.called("polyptych-cli"), house.calls


def run_makes_a_gallery_without_a_display(house):
    done = house.start("run", "--cpu")
    [call] = house.called("polyptych-cli", "generate")
    gallery = Path(call[call.index("--out") + 1])
    assert gallery.parent == house.home / ".local/share/polyptych" and call[-13:] == ["--", *(f"등대 {i}" for i in range(12))], call
    assert (gallery / "contact-sheet.png").exists() and f"The sample gallery is in {gallery}\n" in done.stdout and str(gallery / "contact-sheet.png") in done.stdout
    assert done.stdout.count(".png\n") == 13, done.stdout
    house.start("run", "--cpu")
    assert house.called("polyptych-cli", "generate") == [call], "the second start makes another gallery"
    house.tell("failing", "polyptych-cli generate")
    house.stops("run", "--cpu", step="sample gallery", saying=(str(gallery),))


def configures_when_needed(house):
    def configured(code=0, **more):
        house.start("run", "--cpu", "--build-only", code=code, **more)
        assert code or len(house.called("cmake", "--build")) == 1
        return len(house.called("cmake", "--preset"))

    assert [configured(), configured()] == [1, 0]
    (house.root / "packaging/requirements/torch-cpu.txt").write_text(wheel(house.wheels, "small", "y = 1\n"), encoding="utf-8")
    assert [configured(), configured()] == [1, 0], "another environment"
    # Stopped after CMake wrote its files.
    shutil.rmtree(house.root / "build")
    house.tell("killing", "cmake --preset")
    house.start("run", "--cpu", "--build-only", code=-9)
    assert (house.root / "build/release/build.ninja").exists()
    house.tell("killing")
    assert [configured(), configured()] == [1, 0], "an interrupted configuration"
    # What another place's CMake left is of no use here.
    (house.root / "build/release/old").touch()
    house.root = house.root.rename(house.root.with_name("옮긴 곳"))
    assert [configured(), configured()] == [1, 0] and not (house.root / "build/release/old").exists(), "a moved checkout"


def test_counts_what_passed(house):
    house.tell("ctest", "100% tests passed, 0 tests failed out of 7")
    done = house.start("test", "--stage", "no-torch", "--stage", "format")
    assert done.stdout.endswith("\n8 passed, 0 failed\n") and not house.called("python"), f"{done.stdout} {house.calls}"
    done = house.start("test", "--label", "unit", "--label", "ui", "-j3")
    [call] = house.called("ctest")
    assert call[call.index("-L") + 1] == "^(unit|ui)$" and call[call.index("--parallel") + 1] == "3" and "build/dev/." in call, call
    house.tell("ctest", "60% tests passed, 2 tests failed out of 5", "\t  3 - tst_boat (Failed)", "\t  4 - tst_moon (Timeout)")
    house.tell("status", "8")
    done = house.start("test", "--stage", "no-torch", code=1)
    assert done.stdout.endswith("\n3 passed, 2 failed\n") and "tst_boat tst_moon" in done.stderr, done
    house.tell("ctest", "No tests were found!!!")
    done = house.start("test", "--stage", "no-torch", code=1)
    assert done.stdout.endswith("\n0 passed, 1 failed\n"), done.stdout
    house.tell("failing", "clang-format-14")
    done = house.start("test", "--stage", "format", code=1)
    assert done.stdout.endswith("\n0 passed, 1 failed\n") and "clang-format-14 -i" in done.stderr, done


TESTS = (locks_pin_every_line_by_hash, help_says_what_there_is, wrong_usage_ends_with_2_before_work, packages_are_installed_without_sudo_by_root,
         packages_are_installed_with_sudo_by_others, another_distribution_is_told_what_is_missing, ubuntu_is_written_for, a_failing_step_says_which_why_and_what_to_do,
         an_interrupted_setup_goes_on, a_second_start_waits_for_the_first, run_chooses_what_is_set_up, run_starts_the_program, run_makes_a_gallery_without_a_display,
         configures_when_needed, test_counts_what_passed)
os.umask(0o022)
failures = 0
for test in TESTS:
    if sys.argv[2:] and test.__name__ not in sys.argv[2:]:
        continue
    with tempfile.TemporaryDirectory(prefix="polyptych-") as folder:
        try:
            test(House(Path(folder)))
        except Exception:
            failures += 1
            print(f"FAIL {test.__name__}\n{traceback.format_exc()}")
print(f"{failures} failures")
sys.exit(1 if failures else 0)
