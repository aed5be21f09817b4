/** Any numbers that no other program is likely to take a lock by. Versions that run beside each other have them in common. */
export const advisoryLocks = {
  migration: "7215846303015",
  administrators: "7215846303016",
  pastAlerts: "7215846303017",
  eventLogSweep: "7215846303018",
  metricsSweep: "7215846303019",
  alertsSweep: "7215846303020",
} as const;
