#!/bin/sh
# Type-checks the sample in the folder given, with tsc from PATH, TSC or node_modules.
echo 1..1
tsc=${TSC:-$(command -v tsc || ls "$1/../../../node_modules/.bin/tsc" 2>/dev/null)}
if [ -z "$tsc" ]; then
  echo "ok 1 - declarations # SKIP 1 case: no TypeScript compiler (npm install typescript)"
elif output=$("$tsc" -p "$1"); then
  echo "ok 1 - declarations"
else
  echo "$output" | sed 's/^/# /'
  echo "not ok 1 - declarations"
fi
