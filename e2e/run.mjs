// Starts the built server and the example MCP server once, runs the tests
// against them and stops both: node run.mjs [test file ...]
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort, goBuild, start, startDev } from "./lib/server.mjs";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);

// Test phones: their codes are fixed and nothing is sent (test/phone.test.mjs).
const phones = {
  GOTRUE_EXTERNAL_PHONE_ENABLED: "true",
  GOTRUE_SMS_TEST_OTP: ["01", "02", "03", "04"].map((end) => `155500010${end}:135790`).join(","),
  GOTRUE_SMS_MAX_FREQUENCY: "1ns",
};

async function testFiles() {
  if (process.argv.length > 2) return process.argv.slice(2);
  const names = await readdir(path.join(here, "test"));
  return names.filter((name) => name.endsWith(".test.mjs")).sort().map((name) => path.join("test", name));
}

function runTests(files, env) {
  const args = ["--test", "--test-reporter=spec", ...files];
  const child = spawn(process.execPath, args, { cwd: here, env: { ...process.env, ...env }, stdio: "inherit" });
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

/** What the server's log must not have: secrets, people's addresses, failures. */
function findings(log, password) {
  if (!log.includes("request completed")) return ["the server's log has no requests"];
  const wrong = [
    [/eyJ[\w-]{10,}/, "a JWT"],
    [/@example\.com/, "an e-mail address"],
    [/1555000/, "a phone number"],
    [new RegExp(password), "a password"],
    [/panic|level=(error|fatal)| status=5\d\d/, "a failure of the server"],
  ];
  return wrong.flatMap(([pattern, what]) => {
    const line = log.split("\n").find((text) => pattern.test(text));
    return line ? [`the server's log has ${what}: ${line}`] : [];
  });
}

async function main() {
  const work = await mkdtemp(path.join(tmpdir(), "truegrant-e2e-"));
  const running = [];
  const problems = [];
  try {
    const [port, mcpPort] = [await freePort(), await freePort()];
    const url = `http://localhost:${port}`;
    const server = await startDev(path.join(work, "project"), port, path.join(work, "server"), phones);
    running.push(["server", server]);

    const mcp = `http://localhost:${mcpPort}`;
    goBuild("./examples/mcp-server/cmd/mcp-server", path.join(work, "mcp-server"));
    running.push(["MCP server", await start(
      path.join(work, "mcp-server"),
      ["-issuer", `${url}/auth/v1`, "-resource", `${mcp}/mcp`, "-listen", `localhost:${mcpPort}`],
      { url: `${mcp}/.well-known/oauth-protected-resource/mcp`, log: path.join(work, "mcp") },
    )]);

    const password = `pw-${randomBytes(12).toString("hex")}`;
    const code = await runTests(await testFiles(), {
      E2E_URL: url, E2E_MCP: `${mcp}/mcp`, E2E_PROJECT: path.join(work, "project"), E2E_PASSWORD: password,
    });
    if (code !== 0) problems.push(`tests failed (exit code ${code})`);
    problems.push(...findings(await server.errors(), password));
  } catch (error) {
    problems.push(error.stack);
  } finally {
    for (const [name, one] of running.reverse()) {
      const end = await one.stop();
      // The example has nothing to clean up and just dies of the signal.
      if (name === "server" && end !== 0) problems.push(`the server ended with ${end}:\n${await one.errors()}`);
    }
    await rm(work, { recursive: true, force: true });
  }
  for (const problem of problems) console.error(`e2e: ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

await main();
