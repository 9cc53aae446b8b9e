#!/usr/bin/env python3
"""An independent reading of the NEWS2 chart, to check apps/ward/src/news2.js against.

Every combination of the values at and on both sides of each boundary of the chart is scored here
from the chart as printed (a row per parameter, a column per number of points) and compared with the
application's answers, which it is given in the same order as lines `total band complete`.
"""
import itertools
import json
import subprocess
import sys

# Columns as printed: 3 2 1 0 1 2 3. None where the chart is blank; (low, high) inclusive otherwise.
POINTS = (3, 2, 1, 0, 1, 2, 3)
TOP = 10**6
CHART = {
    "rr": ((0, 8), None, (9, 11), (12, 20), None, (21, 24), (25, TOP)),
    "spo2_1": ((0, 91), (92, 93), (94, 95), (96, TOP), None, None, None),
    "spo2_2_air": ((0, 83), (84, 85), (86, 87), (88, TOP), None, None, None),
    "spo2_2_o2": ((0, 83), (84, 85), (86, 87), (88, 92), (93, 94), (95, 96), (97, TOP)),
    "sbp": ((0, 90), (91, 100), (101, 110), (111, 219), None, None, (220, TOP)),
    "hr": ((0, 40), None, (41, 50), (51, 90), (91, 110), (111, 130), (131, TOP)),
    # In tenths of a degree.
    "temp": ((0, 350), None, (351, 360), (361, 380), (381, 390), (391, TOP), None),
}


def column(row, value):
    """Points of a value in one row of the chart."""
    hits = [p for p, cell in zip(POINTS, CHART[row]) if cell and cell[0] <= value <= cell[1]]
    assert len(hits) == 1, (row, value, hits)
    return hits[0]


def boundaries(*rows):
    """The first and last value of every cell: both sides of each boundary."""
    cells = [cell for row in rows for cell in CHART[row] if cell]
    return sorted({edge for cell in cells for edge in cell if 0 < edge < TOP})


def lists():
    """Values of (rr, spo2, scale, oxygen, sbp, hr, acvpu, temp in tenths) to combine."""
    spo2 = boundaries("spo2_1", "spo2_2_air", "spo2_2_o2") + [100]
    return [boundaries("rr"), spo2, [1, 2], [False, True], boundaries("sbp"), boundaries("hr"),
            list("ACVPU"), boundaries("temp")]


def expected(case):
    rr, spo2, scale, oxygen, sbp, hr, acvpu, temp = case
    row = "spo2_1" if scale == 1 else "spo2_2_o2" if oxygen else "spo2_2_air"
    parts = [column("rr", rr), column(row, spo2), 2 if oxygen else 0, column("sbp", sbp),
             column("hr", hr), 0 if acvpu == "A" else 3, column("temp", temp)]
    total = sum(parts)
    if total >= 7:
        return total, 3
    if total >= 5:
        return total, 2
    return total, 1 if 3 in parts else 0


def main():
    script = sys.argv[1]
    app = subprocess.run(["node", script, json.dumps(lists())], stdout=subprocess.PIPE, check=True,
                         timeout=300).stdout
    wrong = count = 0
    for i, case in enumerate(itertools.product(*lists())):
        total, band = expected(case)
        got = (app[2 * i], app[2 * i + 1])
        count += 1
        if got != (total, band):
            wrong += 1
            if wrong <= 5:
                print(f"# {case}: chart {total},{band}; app {got}")
    same = count * 2 == len(app)
    print("1..2")
    verdict = "ok" if wrong == 0 else "not ok"
    print(f"{verdict} 1 - {count} combinations of boundary values as the chart")
    print(f"{'ok' if same else 'not ok'} 2 - as many answers as combinations")
    return 0 if wrong == 0 and same else 1


if __name__ == "__main__":
    sys.exit(main())
