"""The JavaScript engine, from its npm package to C.

    translate.py SOURCE_ROOT MARK OUT.c OUT.h OUT_names.h OUT_wasm

Takes the WebAssembly module and its glue file from node_modules (tools/npm.py has installed it),
runs wasm2c and wasm2c-mark, and reads the names."""

import os
import shutil
import subprocess
import sys

PACKAGE = "node_modules/@jitl/quickjs-ng-wasmfile-release-sync/dist"

root, mark, out_c, out_h, out_names, out_wasm = sys.argv[1:]
package = os.path.join(root, PACKAGE)
shutil.copyfile(os.path.join(package, "emscripten-module.wasm"), out_wasm)

work = out_c + ".d"
os.makedirs(work, exist_ok=True)
plain = os.path.join(work, "engine.c")
subprocess.run(["wasm2c", "--module-name=engine", "--no-debug-names", out_wasm, "-o", plain],
               check=True)
shutil.copyfile(os.path.join(work, "engine.h"), out_h)
with open(out_c, "wb") as out:
    subprocess.run([mark, plain, out_h, "engine_module"], check=True, stdout=out)
names = os.path.join(os.path.dirname(os.path.abspath(__file__)), "names.py")
glue = os.path.join(package, "emscripten-module.cjs")
with open(out_names, "wb") as out:
    subprocess.run([sys.executable, names, glue, os.path.basename(out_h)], check=True, stdout=out)
