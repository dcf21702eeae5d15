// truegrant dev as its user sees it: Ctrl-C ends it, the next start goes on
// where it ended.
import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";
import { freePort, startDev } from "../lib/server.mjs";
import { newEmail, ok, password } from "../lib/project.mjs";

test("dev ends with Ctrl-C and reuses its data, on another port, too", async (t) => {
  const work = await mkdtemp(path.join(tmpdir(), "truegrant-e2e-dev-"));
  t.after(() => rm(work, { recursive: true, force: true }));
  const dir = path.join(work, "project");
  const project = async () => JSON.parse(await readFile(path.join(dir, "project.json"), "utf8"));
  const client = async (port) => createClient(`http://localhost:${port}`, (await project()).anon_key, {
    auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: ws },
  });
  const email = newEmail();

  const first = await freePort();
  let server = await startDev(dir, first, path.join(work, "first"));
  let session, before;
  try {
    before = await project();
    session = ok(await (await client(first)).auth.signUp({ email, password })).session;
  } finally {
    assert.equal(await server.stop("SIGINT"), 0, await server.errors());
  }

  const second = await freePort();
  server = await startDev(dir, second, path.join(work, "second"));
  try {
    assert.deepEqual(await project(), before, "keys and demo client stay");
    const { auth } = await client(second);
    ok(await auth.signInWithPassword({ email, password }));
    ok(await auth.refreshSession(session));
    const demo = await fetch(`http://localhost:${second}/demo/login`, { redirect: "manual" });
    const authorize = await fetch(demo.headers.get("location"), { redirect: "manual" });
    assert.equal(authorize.status, 302, await authorize.text());
  } finally {
    assert.equal(await server.stop("SIGTERM"), 0, await server.errors());
  }
});
