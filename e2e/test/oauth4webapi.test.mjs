// oauth4webapi leaves every step to the caller and checks each response
// strictly: content types, status codes, headers, required members.
import { test } from "node:test";
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { answer } from "../lib/consent.mjs";
import { authMethods, redirectURI, register } from "../lib/clients.mjs";
import { issuer, newUser } from "../lib/project.mjs";

const insecure = { [oauth.allowInsecureRequests]: true }; // http, for this test only

const authentication = {
  client_secret_basic: (c) => oauth.ClientSecretBasic(c.client_secret),
  client_secret_post: (c) => oauth.ClientSecretPost(c.client_secret),
  none: () => oauth.None(),
};

async function discover(algorithm) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm, ...insecure });
  return oauth.processDiscoveryResponse(new URL(issuer), response);
}

async function login(as, client, user) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: redirectURI, response_type: "code", scope: "openid email", state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const { location } = await answer(user, url);
  return { parameters: oauth.validateAuthResponse(as, client, location, state), verifier, nonce };
}

const exchange = (as, client, how, { parameters, verifier }) =>
  oauth.authorizationCodeGrantRequest(as, client, how, parameters, redirectURI, verifier, insecure);

for (const algorithm of ["oidc", "oauth2"]) {
  // OpenID Connect appends its well-known path, RFC 8414 §3.1 inserts its own.
  test(`discovery, ${algorithm}`, async () => {
    const as = await discover(algorithm);
    assert.equal(as.authorization_response_iss_parameter_supported, true);
    assert.deepEqual(as.code_challenge_methods_supported, ["S256"]);
    assert.deepEqual(as.id_token_signing_alg_values_supported, ["ES256"]);
    assert.ok(as.registration_endpoint);
    for (const name of ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]) {
      assert.ok(as[name].startsWith(`${issuer}/`), `${name} is ${as[name]}`);
    }
  });
}

for (const method of authMethods) {
  test(`${method}: login, userinfo, refresh`, async () => {
    const as = await discover("oauth2");
    const user = await newUser();
    const registered = await register(method);
    const client = { client_id: registered.client_id, id_token_signed_response_alg: "ES256" };
    const how = authentication[method](registered);
    const attempt = await login(as, client, user);

    const response = await exchange(as, client, how, attempt);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, {
      expectedNonce: attempt.nonce, requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(as, response, insecure); // the ID token's, by the published keys
    assert.equal(tokens.scope, "openid email");
    const { sub, email, auth_time } = oauth.getValidatedIdTokenClaims(tokens);
    assert.equal(sub, user.user.id);
    assert.equal(email, user.email);
    assert.equal(auth_time, Math.floor(Date.parse(user.user.last_sign_in_at) / 1000));

    const info = await oauth.processUserInfoResponse(
      as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure));
    assert.equal(info.email, user.email);

    const refreshed = await oauth.processRefreshTokenResponse(
      as, client, await oauth.refreshTokenGrantRequest(as, client, how, tokens.refresh_token, insecure));
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);

    const revoke = (token) => oauth.revocationRequest(as, client, how, token, insecure);
    await oauth.processRevocationResponse(await revoke(refreshed.refresh_token));
    await oauth.processRevocationResponse(await revoke("no token at all"));
    await assert.rejects(async () => oauth.processUserInfoResponse(
      as, client, sub, await oauth.userInfoRequest(as, client, refreshed.access_token, insecure)));
    assert.equal(refreshed.scope, "openid email");
  });
}

test("a wrong secret is challenged", async () => {
  const as = await discover("oauth2");
  const registered = await register("client_secret_basic");
  const client = { client_id: registered.client_id };
  const attempt = await login(as, client, await newUser());
  const response = await exchange(as, client, oauth.ClientSecretBasic("wrong"), attempt);
  assert.equal(response.status, 401);
  assert.deepEqual((await response.clone().json()).error, "invalid_client");
  await assert.rejects(oauth.processAuthorizationCodeResponse(as, client, response), (error) => {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError);
    assert.equal(error.cause[0].scheme, "basic");
    return true;
  });
});

test("another way to authenticate than the registered one is refused", async () => {
  const as = await discover("oauth2");
  const registered = await register("client_secret_basic");
  const client = { client_id: registered.client_id };
  const attempt = await login(as, client, await newUser());
  for (const how of [oauth.ClientSecretPost(registered.client_secret), oauth.None()]) {
    const response = await exchange(as, client, how, attempt);
    assert.deepEqual([response.status, (await response.json()).error], [401, "invalid_client"]);
  }
});

test("userinfo refuses what is no access token", async () => {
  const as = await discover("oauth2");
  const registered = await register("client_secret_post");
  const client = { client_id: registered.client_id };
  const attempt = await login(as, client, await newUser());
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, await exchange(as, client, oauth.ClientSecretPost(registered.client_secret), attempt),
    { expectedNonce: attempt.nonce });
  for (const bad of [tokens.id_token, tokens.refresh_token, "x.y.z"]) {
    const response = await oauth.userInfoRequest(as, client, bad, insecure);
    assert.equal(response.status, 401);
    assert.match(response.headers.get("www-authenticate"), /^Bearer .*error="invalid_token"/);
  }
});
