"""Code systems and value sets to rows.

A concept has a number; those of a system stand together, in the system's order. A value set is a
list of ranges of such numbers, so that a whole system costs one range. Of systems that are not in
the definitions (LOINC, SNOMED CT) only the concepts that value sets list are known; a value set
that takes more of them than it lists is open: what is not found in it may still belong to it."""

from currencies import CURRENCIES
from pool import slots, text_row

NONE = 0xFFFF
OPEN = 1
# Systems with a grammar instead of a list.
SYNTAXES = {"urn:ietf:bcp:13": 1, "urn:ietf:bcp:47": 2, "http://unitsofmeasure.org": 3}
NOT_LISTED = ("not-present", "fragment", "example", "supplement")


class Pool:
    """Codes and displays, apart from the texts of the model: they would not fit in its numbers."""

    def __init__(self):
        self.pool, self.known = bytearray(), {}

    def add(self, text):
        if text not in self.known:
            self.known[text] = text_row(len(self.pool), len(text.encode()))
            self.pool += text.encode()
        return self.known[text]


class System:
    def __init__(self, url, listed):
        self.url, self.listed = url, listed
        self.concepts = {}  # code: (display, parents)
        self.number, self.first = 0, 0

    def add(self, concepts, parent=None):
        for concept in concepts:
            parents = [parent] if parent else []
            parents += [each.get("valueCode") for each in concept.get("property", [])
                        if each["code"] in ("subsumedBy", "parent")]
            self.concepts.setdefault(concept["code"], (concept.get("display", ""), parents))
            self.add(concept.get("concept", []), concept["code"])

    def is_a(self, code, ancestor):
        seen, waiting = set(), [code]
        while waiting:
            each = waiting.pop()
            if each == ancestor:
                return True
            if each in seen or each not in self.concepts:
                continue
            seen.add(each)
            waiting += self.concepts[each][1]
        return False


class Terms:
    def __init__(self, resources, texts):
        self.texts, self.terms = texts, Pool()
        self.systems, self.sets = {}, {}
        for each in resources:
            if each["resourceType"] == "CodeSystem":
                system = self.systems.setdefault(
                    each["url"], System(each["url"], each["content"] not in NOT_LISTED))
                system.add(each.get("concept", []))
            elif each["resourceType"] == "ValueSet":
                self.sets.setdefault(each["url"], each)
        currency = self.systems["urn:iso:std:iso:4217"] = System("urn:iso:std:iso:4217", True)
        currency.add([{"code": code} for code in CURRENCIES])
        for each in self.sets.values():
            for part in each.get("compose", {}).get("include", []):
                if part.get("concept") and not self.listed(part["system"]):
                    self.systems.setdefault(part["system"], System(part["system"], False)).add(
                        part["concept"])
        self.urls = {url: number for number, url in enumerate(self.sets)}
        self.number_concepts()
        self.members = {}  # url: (codes by system, open, syntax)

    def listed(self, url):
        return url in self.systems and self.systems[url].listed

    def number_concepts(self):
        first = 0
        for number, system in enumerate(self.systems.values()):
            system.number, system.first = number, first
            system.at = {code: first + at for at, code in enumerate(system.concepts)}
            first += len(system.concepts)
        if first >= NONE:
            raise SystemExit("fhir-model: more concepts than their numbers can tell apart")

    def use(self, binding):
        """The number of a binding's value set; one that is not defined is open and empty."""
        url = binding.get("valueSet", "").split("|")[0]
        if not url:
            return NONE
        if url not in self.urls:
            self.urls[url] = len(self.urls)
            self.sets[url] = {"compose": {"include": [{"system": "?"}]}}
        return self.urls[url]

    def part(self, part):
        """(concept numbers, is it open, its grammar) of one include or exclude."""
        found, is_open, syntax = None, False, 0
        if "system" in part:
            system = self.systems.get(part["system"])
            syntax = SYNTAXES.get(part["system"], 0)
            if "concept" in part:
                found = {system.at[each["code"]] for each in part["concept"]
                         if each["code"] in system.at}
                is_open = len(found) < len({each["code"] for each in part["concept"]})
                syntax = 0
            elif system is None or not system.listed:
                found, is_open = set(), not syntax
            else:
                found, is_open = self.filtered(system, part.get("filter", []))
        for url in part.get("valueSet", []):
            other, other_open, other_syntax = self.expand(url.split("|")[0])
            found = other if found is None else found & other
            is_open, syntax = is_open or other_open, syntax or other_syntax
        return found or set(), is_open, syntax

    @staticmethod
    def filtered(system, filters):
        codes = list(system.concepts)
        for each in filters:
            op, value = each["op"], each["value"]
            if each["property"] != "concept" or op not in ("is-a", "descendent-of", "is-not-a"):
                return set(), True
            codes = [code for code in codes if system.is_a(code, value) == (op != "is-not-a")
                     and not (op == "descendent-of" and code == value)]
        return {system.at[code] for code in codes}, False

    def expand(self, url):
        if url not in self.sets:
            return set(), True, 0
        if url not in self.members:
            self.members[url] = (set(), True, 0)  # a cycle gains nothing
            self.members[url] = self.compose(self.sets[url].get("compose", {}))
        return self.members[url]

    def compose(self, compose):
        members, is_open, syntax = set(), False, 0
        for part in compose.get("include", []):
            found, part_open, part_syntax = self.part(part)
            members = members | found
            is_open, syntax = is_open or part_open, syntax or part_syntax
        for part in compose.get("exclude", []):
            members = members - self.part(part)[0]
        return members, is_open, syntax

    def write(self):
        """Rows by table name."""
        numbered = [(system, code) for system in self.systems.values() for code in system.concepts]
        rows = {"concepts": [], "systems": [], "slots": [], "sets": [], "ranges": [],
                "set_systems": []}
        for system, code in numbered:
            display, parents = system.concepts[code]
            parent = system.at.get(parents[0], NONE) if parents else NONE
            rows["concepts"].append("{%s, %s, %d, %d}" % (
                self.terms.add(code), self.terms.add(display), system.number, parent))
        for system in self.systems.values():
            table = slots(list(system.concepts))
            rows["systems"].append("{%s, %d, %d, %d, %d, %d}" % (
                self.texts.add(system.url), len(rows["slots"]), len(table) - 1, system.first,
                len(system.concepts), 0 if system.listed else OPEN))
            rows["slots"] += table
        of = [system.number for system, _ in numbered]
        for url in list(self.urls):
            self.write_set(rows, url, of)
        return rows

    def write_set(self, rows, url, system_of):
        members, is_open, syntax = self.expand(url)
        range_first, system_first = len(rows["ranges"]), len(rows["set_systems"])
        ranges = []
        for number in sorted(members):
            if ranges and ranges[-1][0] + ranges[-1][1] == number:
                ranges[-1][1] += 1
            else:
                ranges.append([number, 1])
        rows["ranges"] += ["{%d, %d}" % tuple(each) for each in ranges]
        systems = sorted({system_of[number] for number in members})
        rows["set_systems"] += systems
        rows["sets"].append("{%s, %d, %d, %d, %d, %d, %d, %d}" % (
            self.texts.add(url), range_first, len(ranges), system_first, len(systems),
            len(members), OPEN if is_open else 0, syntax))

