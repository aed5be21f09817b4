import * as loaded from "@node-rs/argon2";

export const argon2 = loaded.default ?? loaded;
export const parameters = { memoryCost: 19456, timeCost: 2, parallelism: 1 }; // argon2id is the default algorithm
