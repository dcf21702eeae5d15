// Runs the built programs, as an operator would, and stops them.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

const startSeconds = 90; // the first start creates a PostgreSQL cluster
const stopSeconds = 30;

/** The path of the server's program; TRUEGRANT_BIN names another than bin/truegrant. */
export function truegrant() {
  const given = process.env.TRUEGRANT_BIN;
  if (given) return path.resolve(given);
  const program = path.join(repository, "bin/truegrant");
  if (!existsSync(program)) goBuild("./cmd/truegrant", program);
  return program;
}

/** Builds a Go program of the repository. */
export function goBuild(folder, program) {
  const { status, error } = spawnSync("go", ["build", "-o", program, folder], { cwd: repository, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`go build ${folder} failed`);
}

/** A port of the loopback address that nobody listens on. */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/**
 * Starts a program and waits until `url` answers. Its output goes to two files,
 * `<log>.out` and `<log>.err`.
 */
export async function start(program, args, { url, log, env = {} }) {
  const [out, err] = await Promise.all([open(`${log}.out`, "w"), open(`${log}.err`, "w")]);
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", out.fd, err.fd] });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(String(error)));
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  await Promise.all([out.close(), err.close()]);
  const running = new Running(child, ended, log);
  try {
    await running.ready(url);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return running;
}

class Running {
  #child;
  #ended;
  #log;

  constructor(child, ended, log) {
    this.#child = child;
    this.#ended = ended;
    this.#log = log;
  }

  async ready(url) {
    const deadline = Date.now() + startSeconds * 1000;
    for (;;) {
      const answered = await fetch(url).then((r) => r.ok, () => false);
      if (answered) return;
      const end = await Promise.race([this.#ended, pause(100, undefined)]);
      if (end !== undefined) throw new Error(`ended with ${end} before it was ready:\n${await this.errors()}`);
      if (Date.now() > deadline) throw new Error(`not ready after ${startSeconds} s:\n${await this.errors()}`);
    }
  }

  /** Asks the program to end; returns its exit code, or the signal that it died of. */
  async stop(signal = "SIGTERM") {
    this.#child.kill(signal);
    const timeout = new AbortController();
    const end = await Promise.race([
      this.#ended,
      pause(stopSeconds * 1000, `still running ${stopSeconds} s after ${signal}`, timeout),
    ]);
    timeout.abort();
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    return end;
  }

  /** What the program has written to its standard error: the log. */
  errors() {
    return readFile(`${this.#log}.err`, "utf8");
  }
}

/** Starts `truegrant dev` in a folder. */
export function startDev(dir, port, log, env) {
  return start(truegrant(), ["dev", "--dir", dir, "--port", String(port)], {
    url: `http://localhost:${port}/auth/v1/health`, log, env,
  });
}
