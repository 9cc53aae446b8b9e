"""Where the package's StructureDefinitions are not R4 4.0.1 and its JSON schema cannot tell."""

URL = "http://hl7.org/fhir/StructureDefinition/"
CHARACTERISTIC = "EvidenceVariable.characteristic."

# Of R4B, kept beside R4; the rules name what only later releases have.
NOT_R4 = {"SubscriptionStatus"}
NOT_R4_RULES = {"dom-r4b", "evv-1"}
NOT_R4_ELEMENTS = {"HealthcareService.offeredIn"} | {
    CHARACTERISTIC + name for name in ("definitionReference", "definitionCanonical",
                                       "definitionCodeableConcept", "definitionExpression")}
MINIMUMS = {"EvidenceVariable.characteristic": 1, "DeviceDefinition.classification.type": 1}


def element(path, minimum, maximum, *types, **more):
    return dict({"path": path, "min": minimum, "max": maximum,
                 "type": [each if isinstance(each, dict) else {"code": each} for each in types]},
                **more)


# What the package has put the later release's elements in place of, by the element before it.
MISSING = {
    CHARACTERISTIC + "description": [
        element(CHARACTERISTIC + "definition[x]", 1, "1",
                {"code": "Reference", "targetProfile": [URL + "Group"]},
                {"code": "canonical", "targetProfile": [URL + "ActivityDefinition"]},
                "CodeableConcept", "Expression", "DataRequirement", "TriggerDefinition"),
        element(CHARACTERISTIC + "usageContext", 0, "*", "UsageContext"),
        element(CHARACTERISTIC + "participantEffective[x]", 0, "1",
                "dateTime", "Period", "Duration", "Timing"),
        element(CHARACTERISTIC + "timeFromStart", 0, "1", "Duration"),
        element(CHARACTERISTIC + "groupMeasure", 0, "1", "code", binding={
            "strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/group-measure"}),
    ],
}


def corrected(elements, schema):
    """R4's elements out of a snapshot."""
    for each in elements:
        path = each["path"]
        if path in NOT_R4_ELEMENTS or "." in path and not schema.keeps(each):
            continue
        each["min"] = MINIMUMS.get(path, each["min"])
        yield each
        yield from MISSING.get(path, [])
