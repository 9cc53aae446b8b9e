"""Names for the engine's exports and imports, which its package minified.

    names.py GLUE.cjs ENGINE.h > engine_names.h

The glue file beside the WebAssembly module says what each letter stands for: exports by name
(c._QTS_Eval=b.qa), imports by the JavaScript that implements them. Each import must be recognised
by exactly one pattern, so that a new version of the package fails here and not at run time."""

import re
import sys

# What each import of the engine is, by something only its implementation contains.
IMPORTS = {
    "memory": r"^q$",
    "assert_fail": r"Assertion failed",
    "abort": r'^\(\)=>N\(""\)$',
    "keepalive_clear": r"Q=!1",
    "localtime": r"getSeconds\(\)",
    "set_timer": r"setTimeout",
    "tzset": r"UTC\$\{",
    "clock_time_get": r"1E6\*\(",
    "date_now": r"^\(\)=>Date\.now\(\)$",
    "resize_heap": r"\.grow\(",
    "environ_get": r"J\[a\+e>>2\]",
    "environ_sizes_get": r"J\[a>>2\]=b\.length",
    "fd_close": r"^\(\)=>52$",
    "fd_seek": r"^function\(\)\{return 70\}$",
    "fd_write": r"ia\.decode\(p\.buffer",
    "exit": r"^ma$",
    "call": r"callFunction",
    "interrupt": r"shouldInterrupt",
    "load_module": r"loadModuleSource",
    "normalize_module": r"normalizeModule",
    "free_host_ref": r"freeHostRef",
}


def fail(text):
    sys.exit(f"names.py: {text}; is this another version of the engine?")


def mangle(name):
    """As wasm2c writes a name in C."""
    return "".join(c if c.isalnum() and c != "Z" or c == "_" else f"Z{ord(c):02X}" for c in name)


def split_members(text):
    """The members of a JavaScript object literal, cut at commas outside of brackets and strings."""
    members, depth, start, quote, i = [], 0, 0, None, 0
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\":
                i += 1
            elif c == quote:
                quote = None
        elif c in "\"'`":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                members.append(text[start:i])
                return members
            depth -= 1
        elif c == "," and depth == 0:
            members.append(text[start:i])
            start = i + 1
        i += 1
    fail("the imports do not end")


def import_letters(glue):
    start = glue.find("ua={")
    if start < 0:
        fail("no imports found")
    letters = {}
    for member in split_members(glue[start + 4:]):
        letter, body = member.strip().split(":", 1)
        names = [n for n, pattern in IMPORTS.items() if re.search(pattern, body.strip())]
        if len(names) != 1 or names[0] in letters:
            fail(f"import '{letter}' looks like {names}")
        letters[names[0]] = letter
    missing = set(IMPORTS) - set(letters)
    if missing:
        fail(f"imports not found: {sorted(missing)}")
    return letters


def main():
    glue = open(sys.argv[1], encoding="utf-8").read()
    header = sys.argv[2]
    letters = import_letters(glue)
    print("/* Written by tools/engine/names.py: the engine's names. */")
    print(f'#include "{header}"\n')
    for name, letter in sorted(letters.items()):
        print(f'#define ENGINE_IMPORT_{name.upper()} "{letter}"')
    # The constructor is the first export; the glue calls it by its letter alone.
    constructor = re.search(r"L=!0;Z\.(\w+)\(\)", glue)
    exports = dict(re.findall(r"c\._(QTS_\w+|malloc|free)=b\.([\w$]+)", glue))
    if not constructor or len(exports) < 60:
        fail("exports not found")
    exports["construct"] = constructor.group(1)
    print()
    for name, letter in sorted(exports.items()):
        name = name if name.startswith("QTS_") else f"QTS_{name}"
        print(f"#define {name} Z_engineZ_{mangle(letter)}")


main()
