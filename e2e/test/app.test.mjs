// The project's own app: supabase-js, unmodified, signs its users up and in.
import { test } from "node:test";
import assert from "node:assert/strict";
import { AuthApiError, AuthSessionMissingError } from "@supabase/supabase-js";
import { app, claimsOf, issuer, newEmail, newUser, ok, password, refused, signIn } from "../lib/project.mjs";

test("sign-up signs in, and the token is the user's", async () => {
  const { auth, user, session } = await newUser();
  assert.equal(session.token_type, "bearer");
  assert.equal(user.identities.length, 1);
  assert.equal(user.identities[0].provider, "email");

  const { user: found } = ok(await auth.getUser());
  assert.equal(found.id, user.id);
  assert.equal(found.email, user.email);

  const { claims } = ok(await auth.getClaims()); // verified with the published keys
  assert.equal(claims.iss, issuer);
  assert.equal(claims.sub, user.id);
  assert.equal(claims.role, "authenticated");
  assert.equal(claims.aal, "aal1");
  assert.equal(claims.client_id, undefined, "a first-party token names no client");
});

test("sign-up keeps what the app knows about the user", async () => {
  const client = app();
  const { user } = ok(await client.auth.signUp({ email: newEmail(), password, options: { data: { name: "Ada" } } }));
  assert.equal(user.user_metadata.name, "Ada");
});

test("sign-up refuses a known address, a weak password and a malformed address", async () => {
  const { email } = await newUser();
  const error = refused(await app().auth.signUp({ email, password }), "user_already_exists", 422);
  assert.ok(error instanceof AuthApiError);

  const weak = refused(await app().auth.signUp({ email: newEmail(), password: "12345" }), "weak_password", 422);
  assert.equal(weak.name, "AuthWeakPasswordError");
  assert.deepEqual(weak.reasons, ["length"]);

  refused(await app().auth.signUp({ email: "no address", password }), "validation_failed", 400);
});

test("sign-in needs the right password and says the same about unknown users", async () => {
  const { email, user } = await newUser();
  const again = await signIn(email);
  assert.equal(again.session.user.id, user.id);
  const wrong = refused(await app().auth.signInWithPassword({ email, password: "wrong" }), "invalid_credentials", 400);
  const unknown = refused(
    await app().auth.signInWithPassword({ email: newEmail(), password }), "invalid_credentials", 400);
  assert.equal(wrong.message, unknown.message);
});

test("anonymous users sign in and can be told apart", async () => {
  const client = app();
  const { user } = ok(await client.auth.signInAnonymously());
  assert.equal(user.is_anonymous, true);
  assert.equal(ok(await client.auth.getClaims()).claims.is_anonymous, true);
});

test("updateUser merges data", async () => {
  const { auth } = await newUser();
  ok(await auth.updateUser({ data: { name: "Ada", theme: "dark" } }));
  const { user } = ok(await auth.updateUser({ data: { theme: null, lang: "en" } }));
  assert.equal(user.user_metadata.name, "Ada");
  assert.equal(user.user_metadata.lang, "en");
  assert.ok(!("theme" in user.user_metadata), "null removes");
});

test("updateUser changes the password", async () => {
  const { auth, email } = await newUser();
  const elsewhere = await signIn(email);
  refused(await auth.updateUser({ password }), "same_password", 422);

  const changed = `${password}-2`;
  ok(await auth.updateUser({ password: changed }));
  refused(await app().auth.signInWithPassword({ email, password }), "invalid_credentials", 400);
  ok(await app().auth.signInWithPassword({ email, password: changed }));

  ok(await auth.getUser());
  const { error } = await elsewhere.auth.getUser();
  assert.ok(error instanceof AuthSessionMissingError, "the change ends other sessions");
});

test("refreshSession rotates the refresh token", async () => {
  const { auth, session } = await newUser();
  const { session: next } = ok(await auth.refreshSession());
  assert.notEqual(next.refresh_token, session.refresh_token);
  assert.equal(claimsOf(next.access_token).session_id, claimsOf(session.access_token).session_id);
  ok(await auth.getUser());
});

test("a refresh that is repeated at once gives a usable session", async () => {
  // Two tabs refresh at the same time, or the answer was lost.
  const { email, session } = await newUser();
  const answers = await Promise.all([1, 2, 3].map(() => app().auth.refreshSession(session)));
  for (const each of answers) {
    const { session: next } = ok(each);
    const client = app();
    ok(await client.auth.setSession(next));
    assert.equal(ok(await client.auth.getUser()).user.email, email);
    ok(await client.auth.refreshSession());
  }
});

test("unknown and malformed refresh tokens are refused", async () => {
  for (const [refresh_token, code] of [
    ["abcdefgh2345", "refresh_token_not_found"], ["ABCDEFGH2345", "validation_failed"], ["x", "validation_failed"],
  ]) {
    refused(await app().auth.refreshSession({ refresh_token }), code, 400);
  }
});

for (const [scope, left] of [["local", [false, true]], ["others", [true, false]], ["global", [false, false]]]) {
  test(`signOut, scope ${scope}, ends the sessions that it says`, async () => {
    const here = await newUser();
    const there = await signIn(here.email);
    const sessions = [here.session, there.session];
    assert.ifError((await here.auth.signOut({ scope })).error);
    for (const [i, session] of sessions.entries()) {
      const { data, error } = await app().auth.getUser(session.access_token);
      if (left[i]) assert.equal(data.user?.id, here.user.id);
      else assert.ok(error instanceof AuthSessionMissingError, `session ${i} goes on`);
      const refreshed = await app().auth.refreshSession(session);
      assert.equal(refreshed.error === null, left[i], `refresh of session ${i}: ${refreshed.error?.code}`);
    }
  });
}

test("a forged token is refused", async () => {
  const { session } = await newUser();
  const [header, , signature] = session.access_token.split(".");
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(session.access_token), role: "service_role" }));
  const forged = `${header}.${payload.toString("base64url")}.${signature}`;
  refused(await app().auth.getUser(forged), "bad_jwt", 403);
});
