import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, clientFolder, mustRun, type Outcome, run } from "./workspace.ts";

const sources = fileURLToPath(new URL("consumer", import.meta.url));
const tools = {
  typescript: "5.9.3",
  "typescript-7": "npm:typescript@7.0.2",
  esbuild: "0.28.2",
  ws: "8.23.0",
  "@types/ws": "8.18.2",
  "@types/node": "20.19.0",
  react: "19.3.1",
  "react-dom": "19.3.1",
  "@types/react": "19.3.0",
  "@types/react-dom": "19.3.0",
  "@tanstack/react-query": "5.108.0",
};
/** What a page brings along by itself. */
const peers = ["react", "@tanstack/react-query"];

export const compilers = { "TypeScript 5.9": "typescript", "TypeScript 7": "typescript-7" };
export const resolutions = { bundler: "esnext", node16: "node16" };

export interface Project {
  compiler: keyof typeof compilers;
  resolution: keyof typeof resolutions;
}

/** A project outside the workspace that has installed the client from its tarball, as anybody would. */
export class Consumer implements AsyncDisposable {
  readonly folder: string;
  readonly client: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.client = path.join(folder, "node_modules/@parley/client");
  }

  static async create(more: Record<string, string> = {}): Promise<Consumer> {
    const folder = await mkdtemp(path.join(tmpdir(), "parley-client-"));
    await build("@parley/client");
    const packed = await mustRun("pnpm", ["pack", "--json", "--pack-destination", folder], clientFolder);
    const { filename } = JSON.parse(packed.slice(packed.indexOf("{"))) as { filename: string };
    const manifest = {
      private: true,
      type: "module",
      dependencies: { "@parley/client": `file:${filename}` },
      devDependencies: { ...tools, ...more },
    };
    await writeFile(path.join(folder, "package.json"), JSON.stringify(manifest));
    await mustRun("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"], folder);
    await cp(sources, folder, { recursive: true });
    return new Consumer(folder);
  }

  read(file: string): Promise<string> {
    return readFile(path.join(this.client, file), "utf8");
  }

  async files(): Promise<string[]> {
    const entries = await readdir(this.client, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.relative(this.client, path.join(parentPath, name)))
      .sort();
  }

  async compile(sources: string[], { compiler, resolution }: Project, folder = this.folder): Promise<Outcome> {
    const module = resolutions[resolution];
    const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, target: "es2022", types: [], jsx: "react-jsx" };
    const config = { compilerOptions: { ...compilerOptions, module, moduleResolution: resolution }, files: sources };
    const file = path.join(folder, `tsconfig.${sources[0]}.${compilers[compiler]}.${resolution}.json`);
    await writeFile(file, JSON.stringify(config));
    const program = path.join(this.folder, "node_modules", compilers[compiler], "bin/tsc");
    return run(process.execPath, [program, "-p", file], folder);
  }

  /** The same consumer with another client: what is not in it is found in the folder above. */
  async withDeclarations(change: (declarations: string) => string): Promise<string> {
    const folder = await mkdtemp(path.join(this.folder, "changed-"));
    const client = path.join(folder, "node_modules/@parley/client");
    await mkdir(path.dirname(client), { recursive: true });
    await cp(this.client, client, { recursive: true });
    await cp(path.join(sources, "types.mts"), path.join(folder, "types.mts"));
    await cp(path.join(this.folder, "package.json"), path.join(folder, "package.json"));
    await writeFile(path.join(client, "dist/index.d.ts"), change(await this.read("dist/index.d.ts")));
    return folder;
  }

  /** The client with everything it needs, as a browser would load it at first. */
  async bundle(...entries: string[]): Promise<Buffer> {
    await writeFile(path.join(this.folder, "bundle.mjs"), entries.map((entry) => `export * from "${entry}";`).join("\n"));
    const others = [...peers, "@parley/client/tabs"].filter((name) => !entries.includes(name));
    return this.esbuild("bundle.mjs", ...others.map((name) => `--external:${name}`));
  }

  /** A page's program, with React in it. In development React warns, and mounts everything twice. */
  page(source: string, mode: "production" | "development" = "production"): Promise<Buffer> {
    return this.esbuild(source, "--jsx=automatic", `--define:process.env.NODE_ENV="${mode}"`);
  }

  /** A component with everything that it needs, Svelte included. */
  async svelte(source: string): Promise<Buffer> {
    await this.node("compile-svelte.mjs", source);
    return this.esbuild(`${source}.js`);
  }

  /** A Worker's program, in one file. */
  worker(source: string): Promise<Buffer> {
    return this.esbuild(source, "--conditions=workerd,worker");
  }

  private async esbuild(source: string, ...options: string[]): Promise<Buffer> {
    const outfile = path.join(this.folder, `${source}.min.js`);
    const program = path.join(this.folder, "node_modules/.bin/esbuild");
    const usual = ["--bundle", "--minify", "--format=esm", "--platform=browser", "--log-level=warning"];
    await mustRun(program, [source, ...usual, ...options, `--outfile=${outfile}`], this.folder);
    return readFile(outfile);
  }

  async node(file: string, ...args: string[]): Promise<string> {
    return mustRun(process.execPath, [file, ...args], this.folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
