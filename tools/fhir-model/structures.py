"""StructureDefinitions to rows of types, elements, members and invariants."""

from corrections import NOT_R4, NOT_R4_RULES, corrected
from pool import Lists, slots

NONE = MANY = 0xFFFF
PROFILE_URL = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_URL = "http://hl7.org/fhirpath/System."
CHOICE, SUMMARY, MODIFIER, CONTENT = 1, 2, 4, 8
BINDINGS = {"example": 1, "preferred": 2, "extensible": 3, "required": 4}
KINDS = {"primitive-type": "PRIMITIVE", "complex-type": "COMPLEX", "resource": "RESOURCE"}


def tail(url):
    return url.rsplit("/", 1)[-1]


class Type:
    def __init__(self, name, kind, base, abstract, definition):
        self.name, self.kind, self.base, self.abstract = name, kind, base, abstract
        self.definition = definition
        self.elements = []  # (name, element definition)
        self.rules = []
        self.id = NONE


class Model:
    def __init__(self, definitions, schema):
        self.types = {}
        self.schema = schema
        wanted = [d for d in definitions
                  if d["kind"] in KINDS and d["name"] not in NOT_R4]
        order = ["primitive-type", "complex-type", "resource"]
        wanted.sort(key=lambda d: (order.index(d["kind"]), d["name"]))
        for definition in wanted:
            base = tail(definition.get("baseDefinition", ""))
            self.types[definition["name"]] = Type(
                definition["name"], KINDS[definition["kind"]], base or None,
                definition.get("abstract", False), definition)
        self.named = list(self.types)
        for name in self.named:
            self.split(self.types[name])
        for number, each in enumerate(self.types.values()):
            each.id = number

    def split(self, outer):
        """One type for the definition and one for each element that has elements of its own."""
        root = outer.definition["snapshot"]["element"][0]["path"]
        owners = {root: outer}
        elements = list(corrected(outer.definition["snapshot"]["element"], self.schema))
        paths = {element["path"] for element in elements}
        parents = {path.rsplit(".", 1)[0] for path in paths if "." in path}
        for element in elements:
            path = element["path"]
            rules = self.own_rules(outer, element)
            if path == root:
                outer.rules = rules
                continue
            parent, name = path.rsplit(".", 1)
            if outer.kind == "PRIMITIVE" and name == "value":
                continue  # the JSON value itself
            owners[parent].elements.append((name, element))
            if path in parents:
                base = element["type"][0]["code"]
                nested = Type(path, "NESTED", base, False, outer.definition)
                nested.rules = rules
                self.types[path] = owners[path] = nested
                element["nested"] = path
            else:
                element["rules"] = rules

    @staticmethod
    def own_rules(outer, element):
        """Invariants not inherited: those come with the type they belong to."""
        own = outer.definition["url"]
        return [rule for rule in element.get("constraint", [])
                if rule.get("source", own) == own and rule["key"] not in NOT_R4_RULES]

    def type_names(self, owner, element):
        """(type, profile, targets) for each type of the element."""
        if "nested" in element:
            return [(element["nested"], None, [])]
        if "contentReference" in element:
            return [(tail(element["contentReference"]).lstrip("#"), None, [])]
        found = []
        for each in element.get("type", []):
            code = each["code"]
            if code.startswith(SYSTEM_URL):
                code = self.system_type(owner, element)
            profile = [tail(url) for url in each.get("profile", [])]
            targets = [tail(url) for url in each.get("targetProfile", [])]
            targets = [name for name in targets if name in self.types]
            if code in ("Reference", "canonical") and not targets:
                targets = ["Resource"]
            found.append((code, profile[0] if profile else None, targets))
        return found

    @staticmethod
    def system_type(owner, element):
        if owner.name == "Extension" and element["path"].endswith(".url"):
            return "uri"
        return "id" if owner.kind == "RESOURCE" else "string"


class Tables:
    """The model's rows as C initialisers."""

    def __init__(self, model, texts, terms):
        self.model, self.texts, self.terms = model, texts, terms
        self.element_types, self.targets, self.rule_lists = Lists(), Lists(), Lists()
        self.rules, self.rule_ids = [], {}
        self.types, self.elements, self.members, self.member_slots = [], [], [], []

    def type_id(self, name):
        return self.model.types[name].id if name else NONE

    def rule(self, rule):
        key = (rule["key"], rule["expression"], rule["severity"], rule["human"])
        if key not in self.rule_ids:
            self.rule_ids[key] = len(self.rules)
            add = self.texts.add
            self.rules.append("{%s, %s, %s, %d}" % (
                add(rule["key"]), add(rule["expression"]), add(rule["human"]),
                rule["severity"] != "error"))
        return self.rule_ids[key]

    def rule_list(self, rules):
        return self.rule_lists.add([self.rule(rule) for rule in rules]), len(rules)

    def element(self, owner, name, element):
        types = []
        for code, profile, targets in self.model.type_names(owner, element):
            ids = [self.type_id(target) for target in targets]
            types.append((self.type_id(code), self.type_id(profile),
                          self.targets.add(ids), len(ids)))
        choice = name.endswith("[x]")
        rule_first, rule_count = self.rule_list(element.get("rules", []))
        binding = element.get("binding", {})
        flags = (CHOICE * choice | SUMMARY * element.get("isSummary", False) |
                 MODIFIER * element.get("isModifier", False) |
                 CONTENT * ("contentReference" in element))
        top = element["max"]
        self.elements.append("{%s, %d, %d, %d, %d, %d, %d, %d, %d, %d}" % (
            self.texts.add(name[:-3] if choice else name), MANY if top == "*" else int(top),
            self.element_types.add(types), rule_first, self.terms.use(binding),
            element["min"], len(types), rule_count, flags,
            BINDINGS.get(binding.get("strength"), 0)))
        return types

    def add_members(self, owner):
        """The names by which JSON calls the elements."""
        names, first = [], len(self.members)
        for name, element in owner.elements:
            index = len(self.elements)
            types = self.element(owner, name, element)
            if not name.endswith("[x]"):
                names.append((name, index, types[0][0], 0))
                continue
            name = name[:-3]
            names.append((name, index, NONE, 0))
            for number, (code, *_) in enumerate(types):
                word = list(self.model.types)[code]
                names.append((name + word[0].upper() + word[1:], index, code, number))
        self.members += ["{%s, %d, %d, %d}" % (self.texts.add(name), *rest)
                         for name, *rest in names]
        table = slots([name for name, *_ in names])
        at = len(self.member_slots)
        self.member_slots += table
        return first, len(names), at, len(table) - 1

    def add_type(self, owner, parameters, compartment):
        element_first = len(self.elements)
        member_first, member_count, slot_first, slot_mask = self.add_members(owner)
        rule_first, rule_count = self.rule_list(owner.rules)
        self.types.append("{%s, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %s, %d}" % (
            self.texts.add(owner.name), slot_first, slot_mask, self.type_id(owner.base),
            element_first, len(self.elements) - element_first, member_first, member_count,
            *parameters, *compartment, rule_first, rule_count,
            "FHIR_KIND_" + owner.kind, owner.abstract))
