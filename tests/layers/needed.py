"""Checks which shared libraries a finished program needs.

needed.py PROGRAM [--direct REGEX] [--any REGEX]
  --direct  no library of the program's own NEEDED list may match
  --any     no library that the loader brings in, through others too, may match
"""
import argparse
import re
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--direct", action="append", default=[])
parser.add_argument("--any", action="append", default=[])
arguments = parser.parse_args()


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
    return done.stdout


direct = re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-dW", arguments.program))
loaded = [line.split()[0] for line in run("ldd", arguments.program).splitlines() if line.strip()]
if not direct or not loaded:
    sys.exit(f"{arguments.program}: no list of needed libraries was found")
breaches = [(name, pattern) for pattern in arguments.direct for name in direct if re.search(pattern, name)]
breaches += [(name, pattern) for pattern in arguments.any for name in loaded if re.search(pattern, name)]
for name, pattern in breaches:
    print(f"{arguments.program} needs {name}, which \"{pattern}\" forbids")
print(f"{len(direct)} libraries needed directly, {len(loaded)} in all")
sys.exit(1 if breaches else 0)
