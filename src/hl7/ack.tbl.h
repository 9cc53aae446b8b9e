/* hl7/ack.tbl.h: what can be wrong with a message, as ERR-3 says it (table 0357).
 *
 * HL7_FAULT(name, code, acknowledgement, text)  acknowledgement: E or R, behind A or C */
HL7_FAULT(NONE, 0, 'A', "Message accepted")
HL7_FAULT(SEGMENT_SEQUENCE, 100, 'E', "Segment sequence error")
HL7_FAULT(FIELD_MISSING, 101, 'E', "Required field missing")
HL7_FAULT(DATA_TYPE, 102, 'E', "Data type error")
HL7_FAULT(TABLE_VALUE, 103, 'E', "Table value not found")
HL7_FAULT(TOO_LONG, 104, 'E', "Value too long")
HL7_FAULT(MESSAGE_TYPE, 200, 'R', "Unsupported message type")
HL7_FAULT(EVENT_CODE, 201, 'R', "Unsupported event code")
HL7_FAULT(PROCESSING_ID, 202, 'R', "Unsupported processing id")
HL7_FAULT(VERSION_ID, 203, 'R', "Unsupported version id")
HL7_FAULT(UNKNOWN_KEY, 204, 'E', "Unknown key identifier")
HL7_FAULT(DUPLICATE_KEY, 205, 'E', "Duplicate key identifier")
HL7_FAULT(LOCKED, 206, 'E', "Application record locked")
HL7_FAULT(INTERNAL, 207, 'E', "Application internal error")
