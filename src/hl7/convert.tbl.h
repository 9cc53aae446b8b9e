/* hl7/convert.tbl.h: conversions that are more than a table: CONVERT(name), done by convert_<name>
 * in map_convert.c and map_place.c. */
CONVERT(Text)    /* the leaf, escapes decoded */
CONVERT(Whole)   /* the value with its separators */
CONVERT(Used)    /* nothing: what it says is read elsewhere or is nothing in FHIR */
CONVERT(Code)    /* a FHIR enumeration, by vocabulary; else left over */
CONVERT(Literal) /* the same without quotes: true, false */
CONVERT(Date)
CONVERT(DateTime)
CONVERT(Instant)   /* only with a time of day; else left over */
CONVERT(BirthTime) /* the extension that holds a birth's time of day */
CONVERT(Number)
CONVERT(Positive)
CONVERT(Whole0)  /* a whole number, 0 too */
CONVERT(Concept) /* CE, CWE, CNE, IS, ID: CodeableConcept */
CONVERT(Coding)
CONVERT(TypeCode)    /* a code and, when the vocabulary knows it, its v2 system */
CONVERT(ClassCoding) /* Encounter.class: the vocabulary's coding, else the original */
CONVERT(SectionConcept)
CONVERT(SystemText)      /* a coding system's name as a URI */
CONVERT(Authority)       /* HD: who assigned an identifier, as Identifier.system */
CONVERT(EntityAuthority) /* the same in EI.2 to EI.4 */
CONVERT(Unit)            /* CE, CWE: unit, code and system of a Quantity */
CONVERT(TimeUnit)
CONVERT(TelecomValue)
CONVERT(LanguageTag)
CONVERT(Sender)   /* HD: MessageHeader.source */
CONVERT(Receiver) /* HD: MessageHeader.destination */
CONVERT(SenderCountry)
CONVERT(MothersName)
CONVERT(Congregation)
CONVERT(SourceType) /* SPS.1 */
CONVERT(NoteConcept)
CONVERT(Lines)    /* NTE-3: repetitions are lines */
CONVERT(Observed) /* OBX-5 by OBX-2 */
CONVERT(ReferenceRange)
CONVERT(Place) /* PL: Locations from the building down, a reference to the innermost */
CONVERT(NdlPlace)
CONVERT(DischargeLocation)
CONVERT(Document) /* OBX-5 as an Attachment */
CONVERT(Title)
