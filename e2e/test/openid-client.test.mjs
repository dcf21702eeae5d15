// openid-client, a certified relying party library, knows the issuer's address
// only.
import { test } from "node:test";
import assert from "node:assert/strict";
import * as client from "openid-client";
import { answer } from "../lib/consent.mjs";
import { authMethods, redirectURI, register } from "../lib/clients.mjs";
import { claimsOf, issuer, newUser, ok } from "../lib/project.mjs";

const insecure = { execute: [client.allowInsecureRequests] }; // http, for this test only

const authentication = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  none: client.None,
};

async function discover(registered, secret = registered.client_secret) {
  const how = authentication[registered.token_endpoint_auth_method](secret);
  return client.discovery(new URL(issuer), registered.client_id, {}, how, insecure);
}

/** Starts a login: the address for the browser, and what the response must fit. */
async function login(config, scope = "openid email profile", redirect_uri = redirectURI) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri, scope, state: expectedState, nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: scope.includes("openid") } };
}

/** An error response of the server, as the library reports it. */
const answered = (error, status) => (thrown) => {
  assert.ok(thrown instanceof client.ResponseBodyError || thrown instanceof client.WWWAuthenticateChallengeError, thrown);
  assert.equal(thrown.status, status);
  // With a challenge the library does not read the body.
  if (thrown instanceof client.ResponseBodyError) assert.equal(thrown.error, error);
  return true;
};

for (const method of authMethods) {
  test(`${method}: login, userinfo, refresh`, async () => {
    const user = await newUser();
    ok(await user.auth.updateUser({ data: { name: "Ada", picture: "https://ada.example/me.png" } }));
    const registered = await register(method);
    const config = await discover(registered);
    const { url, checks } = await login(config);
    const { location } = await answer(user, url);
    const tokens = await client.authorizationCodeGrant(config, location, checks); // verifies iss, state, nonce, ID token

    assert.equal(tokens.scope, "openid email profile");
    assert.equal(tokens.expires_in, 3600);
    const id = tokens.claims();
    assert.equal(id.sub, user.user.id);
    assert.equal(id.email, user.email);
    assert.equal(id.email_verified, true);
    assert.equal(id.name, "Ada");
    assert.equal(id.picture, "https://ada.example/me.png");

    const access = claimsOf(tokens.access_token);
    assert.equal(access.client_id, registered.client_id);
    assert.equal(access.role, "authenticated");

    const info = await client.fetchUserInfo(config, tokens.access_token, id.sub);
    assert.equal(info.email, user.email);
    assert.equal(info.name, "Ada");

    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    assert.equal(next.claims().sub, id.sub); // an ID token again, of the same login
    assert.equal(next.claims().auth_time, id.auth_time);
    assert.equal((await client.refreshTokenGrant(config, next.refresh_token, { scope: "email" })).scope, "email");
    assert.equal(claimsOf(next.access_token).session_id, access.session_id);
    assert.equal(claimsOf(next.access_token).client_id, registered.client_id);
    await client.fetchUserInfo(config, next.access_token, id.sub);

    if (method !== "none") { // a client without a secret is told nothing
      const known = await client.tokenIntrospection(config, next.access_token);
      assert.equal(known.active, true);
      assert.equal(known.sub, id.sub);
      assert.equal(known.scope, "openid email profile");
    }
    await client.tokenRevocation(config, next.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), answered("invalid_grant", 400));
    await assert.rejects(client.fetchUserInfo(config, next.access_token, id.sub));
  });
}

test("what was not granted is not told", async () => {
  const user = await newUser();
  ok(await user.auth.updateUser({ data: { name: "Ada" } }));
  const config = await discover(await register("client_secret_basic"));
  const { url, checks } = await login(config, "openid");
  const tokens = await client.authorizationCodeGrant(config, (await answer(user, url)).location, checks);
  assert.equal(tokens.claims().email, undefined);
  assert.deepEqual(await client.fetchUserInfo(config, tokens.access_token, user.user.id), { sub: user.user.id });
});

test("without openid there is no ID token", async () => {
  const config = await discover(await register("client_secret_basic"));
  const { url, checks } = await login(config, "email");
  delete checks.expectedNonce;
  const tokens = await client.authorizationCodeGrant(config, (await answer(await newUser(), url)).location, checks);
  assert.equal(tokens.id_token, undefined);
});

test("a client that registers itself can log a user in", async () => {
  const config = await client.dynamicClientRegistration(
    new URL(issuer),
    { client_name: "Self-made", redirect_uris: [redirectURI], token_endpoint_auth_method: "client_secret_post" },
    client.ClientSecretPost(), insecure);
  const { client_id, client_id_issued_at } = config.clientMetadata();
  assert.ok(client_id_issued_at > 0, client_id);
  const user = await newUser();
  const { url, checks } = await login(config);
  const tokens = await client.authorizationCodeGrant(config, (await answer(user, url)).location, checks);
  assert.equal(tokens.claims().sub, user.user.id);
});

test("a native app may come back on any loopback port", async () => {
  const config = await discover(await register("none", { redirect_uris: ["http://127.0.0.1/cb"] }));
  const { url, checks } = await login(config, "openid", "http://127.0.0.1:51234/cb");
  const { location } = await answer(await newUser(), url);
  assert.equal(location.port, "51234");
  await client.authorizationCodeGrant(config, location, checks);
});

/** An error of the library with the given reason. */
const caused = (reason) => (thrown) => {
  assert.match(thrown.cause.message, reason);
  return true;
};

test("a response from another issuer is noticed", async () => {
  const config = await discover(await register("client_secret_basic"));
  const { url, checks } = await login(config);
  const { location } = await answer(await newUser(), url);
  const forged = new URL(location);
  forged.searchParams.set("iss", "https://evil.example");
  await assert.rejects(client.authorizationCodeGrant(config, forged, checks), caused(/unexpected "iss"/));
  // Metadata says that iss is always there (RFC 9207 §2.3), so its absence is noticed, too.
  forged.searchParams.delete("iss");
  await assert.rejects(client.authorizationCodeGrant(config, forged, checks), caused(/"iss".*missing/));
  await client.authorizationCodeGrant(config, location, checks);
});

test("a wrong verifier is refused", async () => {
  const config = await discover(await register("none"));
  const { url, checks } = await login(config);
  const { location } = await answer(await newUser(), url);
  const wrong = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
  await assert.rejects(client.authorizationCodeGrant(config, location, wrong), answered("invalid_grant", 400));
});

test("a code works once, and its second use ends the first's tokens", async () => {
  const user = await newUser();
  const config = await discover(await register("client_secret_post"));
  const { url, checks } = await login(config);
  const { location } = await answer(user, url);
  const tokens = await client.authorizationCodeGrant(config, location, checks);
  await client.fetchUserInfo(config, tokens.access_token, user.user.id);

  await assert.rejects(client.authorizationCodeGrant(config, location, checks), answered("invalid_grant", 400));
  await assert.rejects(
    client.fetchUserInfo(config, tokens.access_token, user.user.id), answered("invalid_token", 401));
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), answered("invalid_grant", 400));
});

for (const method of ["client_secret_basic", "client_secret_post"]) {
  test(`${method}: a wrong secret is invalid_client and spends nothing`, async () => {
    const registered = await register(method);
    const config = await discover(registered);
    const stranger = await discover(registered, "not-the-secret");
    const { url, checks } = await login(config);
    const { location } = await answer(await newUser(), url);
    await assert.rejects(client.authorizationCodeGrant(stranger, location, checks), answered("invalid_client", 401));
    await client.authorizationCodeGrant(config, location, checks);
  });
}

test("a client cannot use another's code or refresh token", async () => {
  const config = await discover(await register("client_secret_basic"));
  const other = await discover(await register("client_secret_basic"));
  const user = await newUser();
  const { url, checks } = await login(config);
  const { location } = await answer(user, url);
  await assert.rejects(client.authorizationCodeGrant(other, location, checks), answered("invalid_grant", 400));
  const tokens = await client.authorizationCodeGrant(config, location, checks);
  await assert.rejects(client.refreshTokenGrant(other, tokens.refresh_token), answered("invalid_grant", 400));
  await client.refreshTokenGrant(config, tokens.refresh_token);
});

test("the user's denial reaches the client", async () => {
  const config = await discover(await register("client_secret_basic"));
  const { url, checks } = await login(config);
  const { location } = await answer(await newUser(), url, "deny");
  await assert.rejects(client.authorizationCodeGrant(config, location, checks), (error) => {
    assert.ok(error instanceof client.AuthorizationResponseError);
    assert.equal(error.error, "access_denied");
    return true;
  });
});
