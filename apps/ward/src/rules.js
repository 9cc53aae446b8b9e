// The ward's device rules: what is plausible, what is a gap, what alarms and what clears it.
// They are data: a deploy evaluates them once into the snapshot, and another ward replaces the file.

export default {
  rules: [
    { id: "hr_high", m: "hr", cmp: ">", limit: 130, for_ms: 10000,
      clear: "<=", clear_limit: 120, clear_for_ms: 15000, severity: "high" },
    { id: "hr_low", m: "hr", cmp: "<", limit: 45, for_ms: 10000,
      clear: ">=", clear_limit: 50, clear_for_ms: 15000, severity: "high" },
    { id: "spo2_low", m: "spo2", cmp: "<", limit: 90, for_ms: 15000,
      clear: ">=", clear_limit: 92, clear_for_ms: 20000, severity: "high" },
    { id: "spo2_critical", m: "spo2", cmp: "<", limit: 80, for_ms: 0,
      clear: ">=", clear_limit: 85, clear_for_ms: 5000, severity: "critical" },
    { id: "rr_high", m: "rr", cmp: ">=", limit: 30, for_ms: 60000,
      clear: "<", clear_limit: 28, clear_for_ms: 60000, severity: "medium" },
    { id: "sbp_low", m: "sbp", cmp: "<", limit: 90, for_ms: 0,
      clear: ">=", clear_limit: 95, clear_for_ms: 30000, severity: "high" },
    { id: "temp_high", m: "temp", cmp: ">", limit: 38.5, for_ms: 60000,
      clear: "<=", clear_limit: 38.0, clear_for_ms: 60000, severity: "medium" },
  ],
  // Inclusive bounds; a value outside them is a fault of the sensor, not of the patient.
  plausible: { rr: [0, 120], spo2: [0, 100], sbp: [20, 320], hr: [0, 350], temp: [25, 45] },
  gap_ms: { rr: 180000, spo2: 30000, sbp: 180000, hr: 30000, temp: 180000 },
  // Devices that are not on air, alert and on scale 1: {dev, spo2_scale, on_oxygen, acvpu}.
  devices: [],
};
