// What every test is given: the running project, clients for it, and people
// who use it. The runner puts the addresses into the environment.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const dir = process.env.E2E_PROJECT;
if (!dir) throw new Error("run the tests with npm test");

/** Where the project is served; supabase-js adds /auth/v1. */
export const url = process.env.E2E_URL;
export const issuer = `${url}/auth/v1`;
/** The endpoint of the example MCP server. */
export const mcpURL = process.env.E2E_MCP;

const keys = JSON.parse(readFileSync(path.join(dir, "project.json"), "utf8"));
/** The demo client's client_id. */
export const demoClientId = keys.client_id;
export const anonKey = keys.anon_key;

/** A client of the project, as an app makes it, with a session in memory. */
export function app(key = keys.anon_key) {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    // supabase-js wants a WebSocket before Node 22, though nothing here opens one.
    realtime: { transport: ws },
  });
}

/** A client with the service key, as a backend makes it. */
export const backend = () => app(keys.service_key);

/** The data of an answer that is no error. */
export function ok({ data, error }) {
  assert.ifError(error);
  return data;
}

/** Checks that an answer is auth-js's error of the given code and status. */
export function refused({ error }, code, status) {
  assert.ok(error, `expected ${code}, got no error`);
  assert.deepEqual([error.code, error.status], [code, status], error.message);
  return error;
}

export const newEmail = () => `e2e-${randomBytes(6).toString("hex")}@example.com`;
/** All users of the tests have this password, which must not appear in a log. */
export const password = process.env.E2E_PASSWORD;

/** A new user, signed in with a client of their own. */
export async function newUser() {
  const client = app();
  const { user, session } = ok(await client.auth.signUp({ email: newEmail(), password }));
  assert.ok(session, "sign-up gave no session");
  return { client, auth: client.auth, user, session, email: user.email };
}

/** Another session of a user. */
export async function signIn(email) {
  const client = app();
  const { session } = ok(await client.auth.signInWithPassword({ email, password }));
  return { client, auth: client.auth, session };
}

/** The claims of a JWT, not verified. */
export function claimsOf(jwt) {
  return JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());
}
