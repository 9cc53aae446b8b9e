#!/usr/bin/env python3
"""How much of what other products make of HL7 v2 messages `medulla hl7 convert` makes, too.

The rule. Each expected bundle is taken apart into leaves: a resource's type, a place and a value.
Left aside are ids, meta, text, extensions, Provenance, MessageHeader.eventCoding.display and
references to resources without content, and
whatever a line of RULES below names, with its reason: what is not of the HL7 v2-to-FHIR guide but
of the product that wrote the expectation. A reference is the type of what it points to. Array
places have no numbers: the n-th equal leaf of a resource matches the n-th. Instants are compared
as instants. Equal expected resources count once: one organization is one resource. Resources of
a type are paired so that most leaves agree; the score is the share of
expected leaves that are there, over all messages of the types the mapping knows.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

# (set, type and place as a regular expression, reason)
RULES = [
    ("cdc", r"v2-0396\.html", "the product's own address for local codes"),
    ("ms", r"http://example\.com/v2-to-fhir-converter", "the product's own systems"),
]
SETS = {"cdc": "hl7v2-fhir-cdc", "ms": "hl7v2-fhir-ms"}
SKIP = {"id", "meta", "extension", "modifierExtension", "contained", "div"}


def moment(text):
    try:
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return at.astimezone(datetime.timezone.utc).isoformat()
    except ValueError:
        return text


def value(v):
    if isinstance(v, str) and re.match(r"^\d{4}-\d\d-\d\dT\d\d", v):
        return moment(v)
    if isinstance(v, (int, float)) and not isinstance(v, bool):
        return str(float(v))
    return str(v).strip()


def leaves(node, place, types):
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            if node["reference"] in types or not types:
                yield place + ".reference", types.get(node["reference"], "?")
            return
        for name, child in node.items():
            if name in SKIP or name.startswith("_") or name == "resourceType":
                continue
            if name == "text" and "resourceType" in node:
                continue
            yield from leaves(child, f"{place}.{name}", types)
    elif isinstance(node, list):
        for child in node:
            yield from leaves(child, place, types)
    else:
        yield place, value(node)


def is_own(resource):
    """The product's own organization, which it adds to every bundle."""
    return any(i.get("value", "").startswith("CDC PRIME") for i in resource.get("identifier", [])
               if isinstance(i, dict))


def resources(bundle):
    types = {}
    entries = [e for e in bundle["entry"] if e.get("resource") and not is_own(e["resource"])]
    for e in entries:
        r = e["resource"]
        if not list(leaves(r, "", {})):
            continue
        types[e.get("fullUrl", "")] = r["resourceType"]
        types[f"{r['resourceType']}/{r.get('id')}"] = r["resourceType"]
    for e in entries:
        r = e["resource"]
        if r["resourceType"] != "Provenance":
            yield r["resourceType"], collections.Counter(leaves(r, r["resourceType"], types))


def left_aside(which, leaf):
    text = f"{leaf[0]}={leaf[1]}"
    return any(s in ("*", which) and re.search(rule, text) for s, rule, _ in RULES)


def pair(expected, ours):
    """Greedy: the two that agree most first."""
    scores = sorted(((sum((e & o).values()), -i, -j) for i, e in enumerate(expected)
                     for j, o in enumerate(ours)), reverse=True)
    got, used = {}, set()
    for n, i, j in scores:
        if -i not in got and -j not in used and n:
            got[-i] = -j
            used.add(-j)
    return got


def score(which, expected, ours):
    wanted, had = collections.defaultdict(list), collections.defaultdict(list)
    for kind, bag in resources(expected):
        bag = collections.Counter({k: n for k, n in bag.items() if not left_aside(which, k)})
        if bag and bag not in wanted[kind]:
            wanted[kind].append(bag)
    for kind, bag in resources(ours):
        had[kind].append(bag)
    good, missed = 0, []
    for kind, bags in wanted.items():
        pairs = pair(bags, had[kind])
        for i, bag in enumerate(bags):
            other = had[kind][pairs[i]] if i in pairs else collections.Counter()
            good += sum((bag & other).values())
            missed += list((bag - other).elements())
    return good, missed


def main():
    medulla = sys.argv[1]
    shared = pathlib.Path(os.environ.get("MEDULLA_SHARED", "../shared")) / "data"
    verbose = "--misses" in sys.argv
    least = {"cdc": LEAST_CDC, "ms": LEAST_MS}
    print("TAP version 13")
    ok = True
    for n, (which, folder) in enumerate(SETS.items(), 1):
        files = sorted((shared / folder).rglob("*.hl7")) if (shared / folder).is_dir() else []
        good = total = messages = 0
        unknown, misses = [], collections.Counter()
        for path in files:
            wanted = path.with_suffix(".expected.json")
            if not wanted.exists():
                continue
            run = subprocess.run([medulla, "hl7", "convert", str(path)], capture_output=True,
                                 timeout=20)
            if run.returncode:
                unknown.append(path.name)
                continue
            ours = json.loads(run.stdout.splitlines()[0])
            g, missed = score(which, json.loads(wanted.read_text()), ours)
            good, total, messages = good + g, total + g + len(missed), messages + 1
            for place, text in missed:
                misses[f"{place}={text}" if "--values" in sys.argv else place] += 1
        if not total:
            print(f"ok {n} - {which} # SKIP no test data")
            continue
        share = 100 * good / total
        print(f"{'ok' if share >= least[which] else 'not ok'} {n} - {which}: {share:.1f} % of "
              f"{total} elements in {messages} messages; {len(unknown)} of other types")
        ok = ok and share >= least[which]
        for place, count in misses.most_common(10000 if verbose else 12):
            print(f"# missed {count:4} {place}")
    print(f"1..{len(SETS)}")
    return 0 if ok else 1


# What was reached; it must not fall.
LEAST_CDC = 85.0
LEAST_MS = 44.0

if __name__ == "__main__":
    sys.exit(main())
