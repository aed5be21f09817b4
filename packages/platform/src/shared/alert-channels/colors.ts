import { type AlertTone, toneOf } from "@parley/core";
import type { AlertNotice } from "@parley/core/ports";

const colors: Record<AlertTone, string> = { critical: "#d1242f", warning: "#bf8700", resolved: "#1a7f37", test: "#0969da" };

export const colorOf = (notice: AlertNotice) => colors[toneOf(notice)];
