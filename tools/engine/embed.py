"""Files as bytes in the program, and the hash that names the engine.

    embed.py assembly SYMBOL FILE        an assembler file with FILE's bytes as SYMBOL
    embed.py hash NAME FILE...    a header that defines NAME as the SHA-256 of the files
"""

import hashlib
import os
import sys


def assembly(symbol, path):
    data = open(path, "rb").read()
    # The digest makes the text change with the file, so that the object is assembled anew.
    print(f"/* {hashlib.sha256(data).hexdigest()} */")
    print("  .section .rodata\n  .balign 4096")
    print(f"  .globl {symbol}\n  .globl {symbol}_end\n{symbol}:")
    print(f'  .incbin "{os.path.abspath(path)}"')
    # One NUL behind it, not counted, serves texts.
    print(f"{symbol}_end:\n  .byte 0\n")
    print('  .section .note.GNU-stack,"",%progbits')


def digest(name, paths):
    total = hashlib.sha256()
    for path in paths:
        data = open(path, "rb").read()
        total.update(len(data).to_bytes(8, "little") + data)
    print(f'#define {name} "{total.hexdigest()}"')


if sys.argv[1] == "assembly":
    assembly(*sys.argv[2:])
else:
    digest(sys.argv[2], sys.argv[3:])
