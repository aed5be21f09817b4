export { configFolder } from "./config-folder.ts";
export { fileStore } from "./file-store.ts";
export { writePrivateFile } from "./private-file.ts";
