// supabase-js as the consent front end: the user answers requests, sees what
// was granted and takes it back.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { AuthApiError, AuthSessionMissingError } from "@supabase/supabase-js";
import { answer, request } from "../lib/consent.mjs";
import { app, backend, issuer, newUser, ok, refused } from "../lib/project.mjs";

const callback = "https://notes.example/callback";

/** A client and the address that starts an authorization, without any library. */
async function newClient(settings = {}) {
  const client = ok(await backend().auth.admin.oauth.createClient({
    client_name: "Notes", client_uri: "https://notes.example", redirect_uris: [callback], ...settings,
  }));
  const verifier = randomBytes(32).toString("base64url");
  const authorize = (scope = "openid email") => `${issuer}/oauth/authorize?${new URLSearchParams({
    client_id: client.client_id, redirect_uri: client.redirect_uris[0], response_type: "code", scope, state: "s-1",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
  })}`;
  const token = (parameters) => fetch(`${issuer}/oauth/token`, {
    method: "POST",
    headers: client.client_secret
      ? { authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64")}` }
      : {},
    body: new URLSearchParams(client.client_secret ? parameters : { ...parameters, client_id: client.client_id }),
  });
  const redeem = (location) => token({
    grant_type: "authorization_code", code: location.searchParams.get("code"),
    redirect_uri: client.redirect_uris[0], code_verifier: verifier,
  });
  return { ...client, authorize, redeem, token };
}

test("the details say who asks for what", async () => {
  const user = await newUser();
  const client = await newClient();
  const id = await request(client.authorize("openid email phone"));
  for (let i = 0; i < 2; i++) { // a page may be loaded again
    const details = ok(await user.auth.oauth.getAuthorizationDetails(id));
    assert.equal(details.authorization_id, id);
    assert.equal(details.redirect_uri, callback);
    assert.deepEqual(details.client, { id: client.client_id, name: "Notes", uri: "https://notes.example" });
    assert.deepEqual(details.user, { id: user.user.id, email: user.email });
    assert.equal(details.scope, "openid email phone");
  }
});

test("approval leads back with code, state and iss", async () => {
  const { location, asked } = await answer(await newUser(), (await newClient()).authorize());
  assert.ok(asked);
  assert.equal(location.origin + location.pathname, callback);
  assert.deepEqual([...location.searchParams.keys()].sort(), ["code", "iss", "state"]);
  assert.equal(location.searchParams.get("state"), "s-1");
  assert.equal(location.searchParams.get("iss"), issuer);
});

test("denial leads back with access_denied, and nothing is granted", async () => {
  const user = await newUser();
  const { location } = await answer(user, (await newClient()).authorize(), "deny");
  assert.equal(location.searchParams.get("error"), "access_denied");
  assert.equal(location.searchParams.get("state"), "s-1");
  assert.equal(location.searchParams.get("iss"), issuer);
  assert.equal(location.searchParams.get("code"), null);
  assert.deepEqual(ok(await user.auth.oauth.listGrants()), []);
});

test("a request is answered once", async () => {
  const user = await newUser();
  const id = await request((await newClient()).authorize());
  ok(await user.auth.oauth.getAuthorizationDetails(id));
  ok(await user.auth.oauth.denyAuthorization(id, { skipBrowserRedirect: true }));
  const late = await user.auth.oauth.approveAuthorization(id, { skipBrowserRedirect: true });
  refused(late, "validation_failed", 400);
  refused(await user.auth.oauth.getAuthorizationDetails(id), "validation_failed", 400);
});

test("an assured client is asked for once, more scopes are asked for again", async () => {
  const user = await newUser();
  const client = await newClient();
  assert.ok((await answer(user, client.authorize("openid email"))).asked);
  const again = await answer(user, client.authorize("openid"));
  assert.equal(again.asked, false);
  assert.ok(again.location.searchParams.get("code"));
  assert.ok((await answer(user, client.authorize("openid email profile"))).asked);
  assert.equal((await answer(user, client.authorize("openid email profile"))).asked, false);
  const other = await newUser();
  assert.ok((await answer(other, client.authorize("openid"))).asked, "one user's consent is not another's");
});

test("a public client on a loopback address is asked for every time", async () => {
  const user = await newUser();
  const client = await newClient({
    redirect_uris: ["http://127.0.0.1/cb"], token_endpoint_auth_method: "none",
  });
  for (let i = 0; i < 2; i++) assert.ok((await answer(user, client.authorize())).asked);
});

test("grants are listed, and a revoked one ends at once", async () => {
  const user = await newUser();
  const client = await newClient();
  const { location } = await answer(user, client.authorize("openid email"));
  const tokens = await (await client.redeem(location)).json();
  assert.ok(tokens.access_token, JSON.stringify(tokens));

  const [grant, ...rest] = ok(await user.auth.oauth.listGrants());
  assert.deepEqual(rest, []);
  assert.equal(grant.client.id, client.client_id);
  assert.equal(grant.client.name, "Notes");
  assert.deepEqual(grant.scopes, ["openid", "email"]);
  assert.ok(Math.abs(Date.now() - Date.parse(grant.granted_at)) < 60_000);

  const pending = await answer(user, client.authorize("openid email"));
  ok(await user.auth.oauth.revokeGrant({ clientId: client.client_id }));
  assert.deepEqual(ok(await user.auth.oauth.listGrants()), []);
  refused(await user.auth.oauth.revokeGrant({ clientId: client.client_id }), "oauth_consent_not_found", 404);

  const refresh = await client.token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
  assert.deepEqual([refresh.status, (await refresh.json()).error], [400, "invalid_grant"]);
  const unredeemed = await client.redeem(pending.location);
  assert.deepEqual([unredeemed.status, (await unredeemed.json()).error], [400, "invalid_grant"]);
  const userinfo = await fetch(`${issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal(userinfo.status, 401);
  ok(await user.auth.getUser()); // the user's own session goes on
  assert.ok((await answer(user, client.authorize("openid email"))).asked);
});

test("a deleted client is gone from the grants and its tokens with it", async () => {
  const user = await newUser();
  const client = await newClient();
  const { location } = await answer(user, client.authorize());
  const tokens = await (await client.redeem(location)).json();
  ok(await backend().auth.admin.oauth.deleteClient(client.client_id));
  assert.deepEqual(ok(await user.auth.oauth.listGrants()), []);
  const refresh = await client.token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
  assert.deepEqual([refresh.status, (await refresh.json()).error], [401, "invalid_client"]);
});

test("a client's token cannot consent, change credentials or sign out", async () => {
  const user = await newUser();
  const client = await newClient();
  const { location } = await answer(user, client.authorize());
  const tokens = await (await client.redeem(location)).json();
  const thief = app();
  ok(await thief.auth.setSession(tokens));
  const id = await request(client.authorize("openid email profile"));
  const calls = {
    details: () => thief.auth.oauth.getAuthorizationDetails(id),
    approve: () => thief.auth.oauth.approveAuthorization(id, { skipBrowserRedirect: true }),
    grants: () => thief.auth.oauth.listGrants(),
    revoke: () => thief.auth.oauth.revokeGrant({ clientId: client.client_id }),
    password: () => thief.auth.updateUser({ password: "another password" }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const { error } = await call();
    assert.ok(error instanceof AuthApiError, `${name}: ${error}`);
    assert.equal(error.status, 403, name);
  }
  // supabase-js hides that signOut was refused; the user's session shows it.
  await thief.auth.signOut({ scope: "global" });
  ok(await user.auth.getUser());
});

test("the consent endpoints need a signed-in user and a known request", async () => {
  const user = await newUser();
  const unknown = "a".repeat(32);
  refused(await user.auth.oauth.getAuthorizationDetails(unknown), "oauth_authorization_not_found", 404);
  refused(await user.auth.oauth.approveAuthorization(unknown), "oauth_authorization_not_found", 404);
  refused(await user.auth.oauth.revokeGrant({ clientId: randomUUID() }), "oauth_consent_not_found", 404);
  refused(await user.auth.oauth.revokeGrant({ clientId: "no-uuid" }), "validation_failed", 400);
  const { error } = await app().auth.oauth.getAuthorizationDetails(unknown);
  assert.ok(error instanceof AuthSessionMissingError);
});

test("requests that cannot be trusted stay here, others go back with an error", async () => {
  const client = await newClient();
  const start = (change) => {
    const url = new URL(client.authorize());
    for (const [name, value] of Object.entries(change)) {
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    return fetch(url, { redirect: "manual" });
  };
  for (const change of [
    { client_id: null }, { client_id: randomUUID() }, { redirect_uri: "https://evil.example/" },
    { redirect_uri: `${callback}/` },
  ]) {
    const response = await start(change);
    assert.equal(response.status, 400, JSON.stringify(change));
    assert.equal(response.headers.get("location"), null);
  }
  for (const [change, error] of [
    [{ response_type: "token" }, "unsupported_response_type"], [{ code_challenge: null }, "invalid_request"],
    [{ code_challenge_method: "plain" }, "invalid_request"], [{ scope: "nothing-known" }, "invalid_scope"],
    [{ prompt: "none" }, "login_required"],
  ]) {
    const response = await start(change);
    const location = new URL(response.headers.get("location"));
    assert.equal(location.origin + location.pathname, callback);
    assert.equal(location.searchParams.get("error"), error, JSON.stringify(change));
    assert.equal(location.searchParams.get("state"), "s-1");
    assert.equal(location.searchParams.get("iss"), issuer);
  }
});
