"""Brings node_modules to what package-lock.json names, when it is not there yet.

    npm.py SOURCE_ROOT STAMP

One build step, before all that take something from npm: two of them could not install at once."""

import json
import os
import subprocess
import sys

root, stamp = sys.argv[1:]


def is_current():
    with open(os.path.join(root, "package-lock.json")) as file:
        packages = json.load(file)["packages"]
    for path, entry in packages.items():
        if not path or entry.get("optional"):  # optional ones are for other machines
            continue
        try:
            with open(os.path.join(root, path, "package.json")) as file:
                if json.load(file)["version"] != entry["version"]:
                    return False
        except OSError:
            return False
    return True


if not is_current():
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                   cwd=root, check=True, stdout=subprocess.DEVNULL)
with open(stamp, "w"):
    pass
