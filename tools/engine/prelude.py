"""prelude.py PRELUDE.js PART.js: the prelude with WEB_PARTS replaced by the other file."""

import sys

prelude, part = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
if prelude.count("WEB_PARTS;") != 1:
    sys.exit("prelude.py: WEB_PARTS must occur once")
print(prelude.replace("WEB_PARTS;", part.rstrip() + ";"))
