"""Checks that every package pinned in the given requirement files is installed whole: version, and each file's size."""
import csv
import re
import sys
from importlib import metadata

faults = []
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", file.read(), re.MULTILINE)
    for name, version in pins:
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            faults.append(f"{name} is not installed")
            continue
        if package.version != version:
            faults.append(f"{name} is {package.version}, not {version}")
        record = package.read_text("RECORD")
        if record is None:
            faults.append(f"{name} has no RECORD")
            continue
        for entry in csv.reader(record.splitlines()):
            if len(entry) < 3 or not entry[2]:
                continue
            place = package.locate_file(entry[0])
            try:
                size = place.stat().st_size
            except OSError:
                size = -1
            if size != int(entry[2]):
                faults.append(f"{name}: {entry[0]} is missing or cut short")
                break
for fault in faults[:10]:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
