import type { Passwords } from "@parley/core/ports";
import { argon2id, argon2Verify, setWASMModules } from "argon2-wasm-edge";
import argon2WASM from "argon2-wasm-edge/wasm/argon2.wasm";
import blake2bWASM from "argon2-wasm-edge/wasm/blake2b.wasm";

/** The same as on Node: hashes of one runtime are good on the other. */
const parameters = { memorySize: 19_456, iterations: 2, parallelism: 1, hashLength: 32 };
const currentHead = `$argon2id$v=19$m=${parameters.memorySize},t=${parameters.iterations},p=${parameters.parallelism}$`;
const saltLength = 16;

export async function wasmPasswords(): Promise<Passwords> {
  await setWASMModules({ argon2WASM, blake2bWASM });
  return {
    hash(password) {
      const salt = crypto.getRandomValues(new Uint8Array(saltLength));
      return argon2id({ password, salt, ...parameters, outputType: "encoded" });
    },
    // What no argon2 has made, such as a hash of bcrypt that came from elsewhere, cannot be verified here.
    verify: async (hash, password) => hash.startsWith("$argon2") && (await argon2Verify({ password, hash })),
    isOutdated: (stored) => !stored.startsWith(currentHead),
  };
}
