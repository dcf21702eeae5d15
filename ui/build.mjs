// Builds dist/, which the Go package embeds and which is committed so that the
// server builds without Node.
//
//   node build.mjs          write dist/
//   node build.mjs --check  fail if dist/ is not what the sources give
//   node build.mjs --test   bundle and run src/*.test.ts
//
// The output is a function of the sources and the pinned versions: no dates,
// no absolute paths.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, "dist");

const copied = new Map([
  ["src/index.html", "index.html"],
  ["src/consent.html", "consent.html"],
  ["src/style.css", "assets/style.css"],
  ["src/icon.svg", "assets/icon.svg"],
]);

/** Bundles the pages; the library they share goes to one common file. */
async function bundle() {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["src/home.ts", "src/consent.ts"],
    outdir: "dist/assets",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    charset: "utf8",
    legalComments: "none", // the licences are in dist/LICENSES.txt
    chunkNames: "shared-[hash]",
    metafile: true,
    write: false,
  });
  const files = new Map();
  for (const file of result.outputFiles) {
    files.set(path.relative(dist, file.path).replaceAll(path.sep, "/"), Buffer.from(file.contents));
  }
  return { files, inputs: Object.keys(result.metafile.inputs) };
}

/** The licence texts of every package that is part of the bundle. */
async function licences(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const match = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) packages.add(match[1]);
  }
  const parts = ["The scripts in assets/ contain the following packages.\n"];
  for (const name of [...packages].sort()) {
    const folder = path.join(root, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    const text = file ? (await readFile(path.join(folder, file), "utf8")).trim() : `Licence: ${license}`;
    parts.push(`${"-".repeat(72)}\n${name} ${version} (${license})\n\n${text}\n`);
  }
  return Buffer.from(parts.join("\n"));
}

async function output() {
  const { files, inputs } = await bundle();
  for (const [from, to] of copied) files.set(to, await readFile(path.join(root, from)));
  files.set("LICENSES.txt", await licences(inputs));
  return files;
}

async function committed() {
  const files = new Map();
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    files.set(path.relative(dist, file).replaceAll(path.sep, "/"), await readFile(file));
  }
  return files;
}

async function write() {
  const files = await output();
  await rm(dist, { recursive: true, force: true });
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const file = path.join(dist, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    console.log(`${String(content.length).padStart(8)}  dist/${name}`);
  }
}

async function check() {
  const [want, have] = await Promise.all([output(), committed()]);
  const names = new Set([...want.keys(), ...have.keys()]);
  const wrong = [...names].filter((name) => !want.get(name)?.equals(have.get(name) ?? Buffer.alloc(0)));
  for (const name of wrong) console.error(`dist/${name} is not what the sources give`);
  if (wrong.length > 0) {
    console.error("run: npm run build");
    process.exit(1);
  }
  console.log(`dist is up to date (${names.size} files)`);
}

async function test() {
  const out = await mkdtemp(path.join(tmpdir(), "truegrant-ui-"));
  try {
    const sources = (await readdir(path.join(root, "src"))).filter((name) => name.endsWith(".test.ts")).sort();
    await build({
      absWorkingDir: root,
      entryPoints: sources.map((name) => `src/${name}`),
      outdir: out,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
    });
    const files = sources.map((name) => path.join(out, name.replace(/\.ts$/, ".mjs")));
    process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

const modes = new Map([[undefined, write], ["--check", check], ["--test", test]]);
const mode = modes.get(process.argv[2]);
if (!mode) throw new Error(`unknown argument ${process.argv[2]}`);
await mode();
