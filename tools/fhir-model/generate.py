"""The FHIR R4 definitions, from their npm package to constant C tables.

    generate.py DEFINITIONS OUT_types.gen.h OUT_tables.gen.c

DEFINITIONS is the package's folder of JSON bundles. What each row means says src/fhir/model.h."""

import json
import os
import sys

from parameters import Parameters
from pool import Texts, c_array, c_string, slots
from schema import Schema
from structures import Model, Tables
from terms import Terms

folder, out_types, out_tables = sys.argv[1:]


def load(name):
    with open(os.path.join(folder, name), encoding="utf-8-sig") as file:
        return json.load(file)


def every(name):
    return [entry["resource"] for entry in load(name)["entry"]]


def resources(name, kind):
    return [each for each in every(name) if each["resourceType"] == kind]


def named_header(model, counts):
    lines = ["/* Made by tools/fhir-model; not to be edited. */",
             "#ifndef MEDULLA_FHIR_TYPES_GEN_H", "#define MEDULLA_FHIR_TYPES_GEN_H", "",
             "enum fhir_type_id {"]
    lines += [f"  FHIR_TYPE_{name.upper()} = {model.types[name].id}," for name in model.named]
    lines += ["};", "", "enum {"]
    lines += [f"  FHIR_{word} = {count}," for word, count in counts.items()]
    return "\n".join(lines + ["};", "", "#endif", ""])


def main():
    texts = Texts()
    definitions = (resources("profiles-types.json", "StructureDefinition") +
                   resources("profiles-resources.json", "StructureDefinition"))
    model = Model(definitions, Schema(load("fhir.schema.json")["definitions"]))
    terms = Terms(every("valuesets.json") + every("v3-codesystems.json") +
                  every("v2-tables.json"), texts)
    parameters = Parameters(resources("search-parameters.json", "SearchParameter"),
                            load("compartmentdefinition-patient.json"), model.types, texts)
    tables = Tables(model, texts, terms)
    for each in model.types.values():
        tables.add_type(each, parameters.of(each.name), parameters.compartment_of(each.name))
    term_rows = terms.write()

    rows = [
        ("struct fhir_type fhir_types[]", tables.types),
        ("struct fhir_element fhir_elements[]", tables.elements),
        ("struct fhir_element_type fhir_element_types[]",
         ["{%d, %d, %d, %d}" % row for row in tables.element_types.rows]),
        ("struct fhir_member fhir_members[]", tables.members),
        ("struct fhir_rule fhir_rules[]", tables.rules),
        ("struct fhir_parameter fhir_parameters[]", parameters.rows),
        ("struct fhir_component fhir_components[]", parameters.components.rows),
        ("struct fhir_value_set fhir_value_sets[]", term_rows["sets"]),
        ("struct fhir_range fhir_ranges[]", term_rows["ranges"]),
        ("struct fhir_system fhir_systems[]", term_rows["systems"]),
        ("struct fhir_concept fhir_concepts[]", term_rows["concepts"]),
        ("uint16_t fhir_concept_slots[]", term_rows["slots"]),
        ("uint16_t fhir_set_systems[]", term_rows["set_systems"]),
        ("uint16_t fhir_member_slots[]", tables.member_slots),
        ("uint16_t fhir_targets[]", tables.targets.rows),
        ("uint16_t fhir_rule_lists[]", tables.rule_lists.rows),
        ("uint16_t fhir_parameter_targets[]", parameters.targets.rows),
        ("uint16_t fhir_compartments[]", parameters.compartments.rows),
        ("uint16_t fhir_type_slots[FHIR_TYPE_SLOTS]", slots(model.named)),
        ("uint16_t fhir_value_set_slots[FHIR_VALUE_SET_SLOTS]",
         slots(list(terms.urls))),
        ("uint16_t fhir_system_slots[FHIR_SYSTEM_SLOTS]", slots(list(terms.systems))),
    ]
    counts = {
        "PRIMITIVES": sum(model.types[name].kind == "PRIMITIVE" for name in model.named),
        "TYPES": len(tables.types), "ELEMENTS": len(tables.elements),
        "MEMBERS": len(tables.members),
        "RULES": len(tables.rules), "PARAMETERS": len(parameters.rows),
        "VALUE_SETS": len(terms.urls), "SYSTEMS": len(terms.systems),
        "CONCEPTS": len(term_rows["concepts"]), "TYPE_SLOTS": len(slots(model.named)),
        "VALUE_SET_SLOTS": len(slots(list(terms.urls))),
        "SYSTEM_SLOTS": len(slots(list(terms.systems))),
    }
    with open(out_types, "w") as out:
        out.write(named_header(model, counts))
    with open(out_tables, "w") as out:
        out.write('/* Made by tools/fhir-model; not to be edited. */\n#include "fhir/tables.h"\n\n')
        out.write(f"const char fhir_texts[] =\n{c_string(texts.pool)};\n")
        out.write(f"\nconst char fhir_terms[] =\n{c_string(terms.terms.pool)};\n")
        for declaration, lines in rows:
            out.write("\n" + c_array(declaration, lines))


main()
