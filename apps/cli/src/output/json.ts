/** JSON leaves these as they are, and some terminals obey them. */
const commands = /[\u007f-\u009f]/g;

export function escapeCommands(json: string): string {
  return json.replace(commands, (found) => `\\u00${found.charCodeAt(0).toString(16)}`);
}

export const toJson = (value: unknown, indent?: number) => escapeCommands(JSON.stringify(value, null, indent));
