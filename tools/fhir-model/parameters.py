"""SearchParameters and the Patient compartment to rows, one for each type a parameter serves."""

import re

from pool import Lists

TYPES = ["number", "date", "string", "token", "reference", "composite", "quantity", "uri",
         "special"]


def branches(expression):
    """The parts of a union, split where no parenthesis is open."""
    depth, start, found = 0, 0, []
    for at, char in enumerate(expression):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            found.append(expression[start:at].strip())
            start = at + 1
    return found + [expression[start:].strip()]


def of_type(expression, base):
    """The branches that begin with the type; all of them where none does (Resource.id)."""
    own = [each for each in branches(expression) if re.match(rf"\(*{base}\b", each)]
    return " | ".join(own) if own else expression


class Parameters:
    def __init__(self, definitions, compartment, types, texts):
        self.types, self.texts = types, texts
        self.by_url = {each["url"]: each for each in definitions}
        self.compartment = {each["code"]: each.get("param", [])
                            for each in compartment["resource"]}
        self.entries = sorted(
            ((types[base].id, each["code"], base, each) for each in definitions
             for base in each["base"] if base in types), key=lambda entry: entry[:2])
        self.index = {(base, code): number
                      for number, (_, code, base, _) in enumerate(self.entries)}
        self.targets, self.components, self.compartments = Lists(), Lists(), Lists()
        self.rows = [self.row(*entry) for entry in self.entries]

    def row(self, base_id, code, base, each):
        targets = [self.types[name].id for name in each.get("target", []) if name in self.types]
        components = [self.component(base, part) for part in each.get("component", [])]
        return "{%s, %s, %s, %d, %d, %d, %d, %d, %d}" % (
            self.texts.add(code), self.texts.add(of_type(each.get("expression", ""), base)),
            self.texts.add(each["url"]), base_id, self.targets.add(targets), len(targets),
            self.components.add(components), len(components), TYPES.index(each["type"]))

    def component(self, base, part):
        code = self.by_url[part["definition"]]["code"]
        return "{%s, %d}" % (self.texts.add(part["expression"]), self.index[(base, code)])

    def of(self, name):
        own = [self.index[(base, code)] for _, code, base, _ in self.entries if base == name]
        return (own[0], len(own)) if own else (0, 0)

    def compartment_of(self, name):
        own = [self.index[(name, code)] for code in self.compartment.get(name, [])
               if (name, code) in self.index]
        return self.compartments.add(own), len(own)
