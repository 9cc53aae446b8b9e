/* hl7/resource.tbl.h: the resources a message becomes, and how a store knows them again.
 *
 * RESOURCE(type, known)  IDENTIFIER: by its first identifier, when it has one
 *                        KEY: by an id that is made of what identifies it
 * Both are the same for the same content, however often it is sent. */
RESOURCE(MessageHeader, KEY)
RESOURCE(Provenance, KEY)
RESOURCE(Patient, IDENTIFIER)
RESOURCE(RelatedPerson, KEY)
RESOURCE(Account, IDENTIFIER)
RESOURCE(Encounter, IDENTIFIER)
RESOURCE(EpisodeOfCare, IDENTIFIER)
RESOURCE(AllergyIntolerance, KEY)
RESOURCE(Condition, KEY)
RESOURCE(Procedure, KEY)
RESOURCE(Coverage, KEY)
RESOURCE(ServiceRequest, IDENTIFIER)
RESOURCE(DiagnosticReport, KEY)
RESOURCE(Observation, KEY)
RESOURCE(Specimen, KEY)
RESOURCE(Immunization, KEY)
RESOURCE(MedicationRequest, IDENTIFIER)
RESOURCE(Appointment, IDENTIFIER)
RESOURCE(DocumentReference, KEY)
RESOURCE(Practitioner, IDENTIFIER)
RESOURCE(PractitionerRole, KEY)
RESOURCE(Organization, IDENTIFIER)
RESOURCE(Location, IDENTIFIER)
RESOURCE(Device, IDENTIFIER)
