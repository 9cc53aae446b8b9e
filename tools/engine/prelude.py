"""prelude.py PRELUDE.js PART.js...: the prelude with each INCLUDE("PART.js"); replaced by that
file."""

import os
import sys

prelude = open(sys.argv[1], encoding="utf-8").read()
for path in sys.argv[2:]:
    mark = f'INCLUDE("{os.path.basename(path)}");'
    if prelude.count(mark) != 1:
        sys.exit(f"prelude.py: {mark} must occur once")
    prelude = prelude.replace(mark, open(path, encoding="utf-8").read())
print(prelude)
