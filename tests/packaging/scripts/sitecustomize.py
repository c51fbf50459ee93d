"""Read by every Python that the packaging scripts start here: writes the call of venv, pip and check_environment.py down, fails or kills itself and its callers where
$STATE/failing or $STATE/killing has a pattern of the call, and leaves out the work, or with $TEMPLATE does it: a new environment is then a copy of that one."""
import fnmatch
import os
import shutil
import signal
import sys

words = [os.path.basename(word) if word.endswith("check_environment.py") else word for word in sys.orig_argv[1:]]


def is_one(name):
    try:
        with open(os.path.join(os.environ["STATE"], name), encoding="utf-8") as patterns:
            return any(fnmatch.fnmatchcase(" ".join(["python", *words]), line.strip() + "*") for line in patterns)
    except FileNotFoundError:
        return False


def make_environment(folder, template):
    python = os.path.join(folder, "bin", "python")
    if os.path.lexists(python):
        return
    if template:
        shutil.copytree(template, folder, symlinks=True)
    else:
        os.makedirs(os.path.dirname(python))
        os.symlink("/usr/bin/python3", python)


def take_part():
    """@return an exit code, or nothing where the call is to be what it is"""
    with open(os.path.join(os.environ["STATE"], "calls"), "a", encoding="utf-8") as calls:
        calls.write("".join(f"{word}\x1f" for word in ["python", *words]) + "\n")
    if is_one("failing"):
        return 1
    if is_one("killing"):
        os.killpg(0, signal.SIGKILL)
    template = os.environ.get("TEMPLATE")
    if words[1] == "venv":
        make_environment(words[2], template)
        return 0
    return None if template else 0


if words[:2] in (["-m", "venv"], ["-m", "pip"]) or words[:1] == ["check_environment.py"]:
    code = 70  # an exception here would only be printed
    try:
        code = take_part()
    finally:
        if code is not None:
            os._exit(code)
