export { followTogether } from "./follow-together.ts";
