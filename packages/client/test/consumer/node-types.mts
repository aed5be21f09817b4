// As for Node: its own types, and a WebSocket class from elsewhere.
import { createParley } from "@parley/client";
import { configFolder, fileStore } from "@parley/client/node";
import { WebSocket } from "ws";

createParley({ url: process.argv[2] ?? "", transport: "websocket", WebSocket });
createParley({ url: "https://chat.example.com", fetch: (input, init) => fetch(input, init) });
createParley({ url: "https://chat.example.com", auth: { store: fileStore(`${configFolder("mine")}/credentials.json`) } });
