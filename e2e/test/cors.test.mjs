// A project's app lives on another origin than the auth server, so that the
// browser asks the server before it sends anything (CORS).
import { test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { request } from "../lib/consent.mjs";
import { launch } from "../lib/browser.mjs";
import { anonKey, backend, issuer, newEmail, ok, password, url } from "../lib/project.mjs";

/** Serves supabase-js for browsers on an origin of its own. */
async function serveApp(t) {
  const library = createRequire(import.meta.url).resolve("@supabase/supabase-js/dist/umd/supabase.js");
  const script = await readFile(library);
  const server = createServer((req, res) => {
    const page = req.url === "/supabase.js"
      ? ["text/javascript", script]
      : ["text/html", '<!doctype html><title>App</title><link rel="icon" href="data:,"><script src="/supabase.js"></script>'];
    res.writeHead(200, { "content-type": page[0] }).end(page[1]);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/`;
}

async function newAuthorization() {
  const client = ok(await backend().auth.admin.oauth.createClient({
    client_name: "Notes", redirect_uris: ["https://notes.example/cb"],
  }));
  const id = await request(`${issuer}/oauth/authorize?${new URLSearchParams({
    client_id: client.client_id, redirect_uri: client.redirect_uris[0], response_type: "code", scope: "openid",
    code_challenge: "c".repeat(43), code_challenge_method: "S256",
  })}`);
  return { id, clientId: client.client_id };
}

test("supabase-js works from a page of another origin", async (t) => {
  const address = await serveApp(t);
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(address);

  const { id, clientId } = await newAuthorization();
  const input = { url, anonKey, email: newEmail(), password, id, clientId };
  const steps = await page.evaluate(async (given) => {
    const { auth } = window.supabase.createClient(given.url, given.anonKey);
    const done = {};
    const step = async (name, call) => {
      const { data, error } = await call();
      done[name] = error ? `${error.name} ${error.status} ${error.code}: ${error.message}` : "ok";
      return data;
    };
    const { email, password } = given;
    await step("signUp", () => auth.signUp({ email, password }));
    await step("updateUser", () => auth.updateUser({ data: { name: "Ada" } }));
    await step("refreshSession", () => auth.refreshSession());
    await step("getClaims", () => auth.getClaims());
    await step("details", () => auth.oauth.getAuthorizationDetails(given.id));
    const next = await step("approve", () => auth.oauth.approveAuthorization(given.id, { skipBrowserRedirect: true }));
    await step("listGrants", () => auth.oauth.listGrants());
    await step("revokeGrant", () => auth.oauth.revokeGrant({ clientId: given.clientId }));
    await step("signOut", () => auth.signOut());
    await step("wrongPassword", () => auth.signInWithPassword({ email, password: "wrong" }));
    return { done, redirect: next?.redirect_url };
  }, input);

  const { wrongPassword, ...others } = steps.done;
  for (const [name, outcome] of Object.entries(others)) assert.equal(outcome, "ok", name);
  assert.match(wrongPassword, /^AuthApiError 400 invalid_credentials/, "errors are readable, too");
  assert.match(steps.redirect, /^https:\/\/notes\.example\/cb\?code=/);
});

test("a single-page client gets its tokens from a page of another origin", async (t) => {
  // A public client runs in the browser and calls token, userinfo, metadata.
  const address = await serveApp(t);
  const browser = await launch();
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(address);
  const answers = await page.evaluate(async (base) => {
    const seen = {};
    const metadata = await fetch(`${base}/.well-known/oauth-authorization-server`).then((r) => r.json());
    seen.issuer = metadata.issuer;
    seen.keys = (await fetch(metadata.jwks_uri).then((r) => r.json())).keys.length;
    const body = new URLSearchParams({ grant_type: "authorization_code", code: "none", client_id: "none" });
    seen.token = await fetch(metadata.token_endpoint, { method: "POST", body }).then((r) => r.json());
    const userinfo = await fetch(metadata.userinfo_endpoint, { headers: { authorization: "Bearer none" } });
    seen.userinfo = userinfo.status;
    const registered = await fetch(metadata.registration_endpoint, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: ["https://spa.example/cb"], token_endpoint_auth_method: "none" }),
    });
    seen.registered = registered.status;
    seen.authorize = await fetch(metadata.authorization_endpoint).then((r) => r.status, (error) => error.name);
    return seen;
  }, issuer);
  assert.equal(answers.issuer, issuer);
  assert.equal(answers.keys, 1);
  assert.equal(answers.token.error, "invalid_client");
  assert.equal(answers.userinfo, 401);
  assert.equal(answers.registered, 201);
  // docs/differences.md, "No CORS on authorize": a browser navigates there.
  assert.equal(answers.authorize, "TypeError");
});
