/* hl7/vocab.c: short lists, searched from the front. */
#include "hl7/map_parts.h"

#include <string.h>

#define VOCAB(name, table) static const struct vocab_code name##_codes[] = {
#define TO(system) {NULL, NULL, NULL, system},
#define CODE(v2, fhir) {v2, fhir, NULL, NULL},
#define NAMED(v2, fhir, display) {v2, fhir, display, NULL},
#define END \
  { NULL, NULL, NULL, NULL } \
  } \
  ;
#include "hl7/vocab.tbl"
#undef VOCAB
#undef TO
#undef CODE
#undef NAMED
#undef END
#define VOCAB(name, table) {name##_codes, sizeof name##_codes / sizeof *name##_codes, table},
#define TO(system)
#define CODE(v2, fhir)
#define NAMED(v2, fhir, display)
#define END

static const struct {
  const struct vocab_code *codes;
  size_t count;
  const char *table;
} vocabs[VOCAB_COUNT] = {
    {NULL, 0, NULL},
#include "hl7/vocab.tbl"
};

static const struct {
  const char *word, *uri;
} systems[] = {
    {"LN", "http://loinc.org"},
    {"LOINC", "http://loinc.org"},
    {"SCT", "http://snomed.info/sct"},
    {"SNOMED", "http://snomed.info/sct"},
    {"SNOMED-CT", "http://snomed.info/sct"},
    {"SNOMEDCT", "http://snomed.info/sct"},
    {"SNM3", "http://terminology.hl7.org/CodeSystem/snm3"},
    {"I9", "http://hl7.org/fhir/sid/icd-9-cm"},
    {"I9C", "http://hl7.org/fhir/sid/icd-9-cm"},
    {"I9CDX", "http://hl7.org/fhir/sid/icd-9-cm"},
    {"ICD9CM", "http://hl7.org/fhir/sid/icd-9-cm"},
    {"I10", "http://hl7.org/fhir/sid/icd-10"},
    {"ICD10", "http://hl7.org/fhir/sid/icd-10"},
    {"ICD-10", "http://hl7.org/fhir/sid/icd-10"},
    {"I10C", "http://hl7.org/fhir/sid/icd-10-cm"},
    {"ICD10CM", "http://hl7.org/fhir/sid/icd-10-cm"},
    {"I10P", "http://www.cms.gov/Medicare/Coding/ICD10"},
    {"C4", "http://www.ama-assn.org/go/cpt"},
    {"CPT", "http://www.ama-assn.org/go/cpt"},
    {"CPT4", "http://www.ama-assn.org/go/cpt"},
    {"HCPCS", "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"},
    {"CVX", "http://hl7.org/fhir/sid/cvx"},
    {"MVX", "http://terminology.hl7.org/CodeSystem/MVX"},
    {"NDC", "http://hl7.org/fhir/sid/ndc"},
    {"RXNORM", "http://www.nlm.nih.gov/research/umls/rxnorm"},
    {"RXN", "http://www.nlm.nih.gov/research/umls/rxnorm"},
    {"UCUM", "http://unitsofmeasure.org"},
    {"ATC", "http://www.whocc.no/atc"},
    {"CDCREC", "urn:oid:2.16.840.1.113883.6.238"},
    {"ISO639", "urn:ietf:bcp:47"},
    {"ISO3166_1", "urn:iso:std:iso:3166"},
    {"NCIT", "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"},
};

bool vocab_find(enum vocab vocab, struct bytes code, struct vocab_code *ret_code) {
  const char *system = NULL;
  for (size_t i = 0; i < vocabs[vocab].count; i++) {
    const struct vocab_code *here = &vocabs[vocab].codes[i];
    if (!here->v2) {
      system = here->system;
    } else if (bytes_eq_str(code, here->v2)) {
      *ret_code = (struct vocab_code){here->v2, here->fhir, here->display, system};
      return true;
    }
  }
  return false;
}

const char *vocab_table(enum vocab vocab) {
  return vocabs[vocab].table;
}

struct bytes vocab_system(struct arena *arena, struct bytes word) {
  for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
    if (bytes_eq_nocase(word, bytes_str(systems[i].word))) return bytes_str(systems[i].uri);
  }
  uint64_t number;
  if (bytes_starts(word, BYTES("HL7")) && word.len == 7 &&
      bytes_u64(bytes_from(word, 3), &number)) {
    return arena_printf(arena, THO "v2-%04u", (unsigned)number);
  }
  if (bytes_starts(word, BYTES("urn:")) || bytes_starts(word, BYTES("http://")) ||
      bytes_starts(word, BYTES("https://"))) {
    return word;
  }
  return BYTES_NONE;
}
