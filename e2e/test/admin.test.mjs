// A backend with the service key: auth.admin and auth.admin.oauth.
import { test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { app, backend, newEmail, newUser, ok, password, refused, signIn } from "../lib/project.mjs";

test("admin creates, reads, updates and deletes users", async () => {
  const { admin } = backend().auth;
  const email = newEmail();
  const { user } = ok(await admin.createUser({
    email, password, email_confirm: true, user_metadata: { name: "Grace" }, app_metadata: { plan: "pro" },
  }));
  assert.ok(user.email_confirmed_at);
  assert.equal(user.app_metadata.plan, "pro");
  await signIn(email);

  assert.equal(ok(await admin.getUserById(user.id)).user.user_metadata.name, "Grace");

  const renamed = newEmail();
  const { user: updated } = ok(await admin.updateUserById(user.id, {
    email: renamed, email_confirm: true, app_metadata: { plan: "free" },
  }));
  assert.equal(updated.email, renamed);
  assert.equal(updated.app_metadata.plan, "free");
  assert.equal(updated.user_metadata.name, "Grace", "what is not named stays");
  const { session } = await signIn(renamed);

  ok(await admin.deleteUser(user.id));
  refused(await admin.getUserById(user.id), "user_not_found", 404);
  refused(await app().auth.signInWithPassword({ email: renamed, password }), "invalid_credentials", 400);
  assert.ok((await app().auth.getUser(session.access_token)).error, "the deleted user's token still works");
});

test("admin lists users in pages", async () => {
  const { admin } = backend().auth;
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await newUser()).user.id);
  const found = new Set();
  for (let page = 1; page !== null;) {
    const list = ok(await admin.listUsers({ page, perPage: 2 }));
    assert.ok(list.users.length <= 2);
    assert.ok(list.total >= 3);
    for (const user of list.users) found.add(user.id);
    page = list.users.length > 0 && list.nextPage ? list.nextPage : null;
    if (page > 9) break; // auth-js reads one digit of the next page
  }
  for (const id of made) assert.ok(found.has(id), "a new user is not in the list");
});

test("admin refuses duplicates, malformed ids and callers without the service role", async () => {
  const { admin } = backend().auth;
  const { email, client } = await newUser();
  refused(await admin.createUser({ email, password }), "email_exists", 422);
  refused(await admin.getUserById(randomUUID()), "user_not_found", 404);
  refused(await app().auth.admin.listUsers(), "not_admin", 403);
  refused(await client.auth.admin.listUsers(), "not_admin", 403);
});

test("a banned user is shut out until the ban is lifted", async () => {
  const { admin } = backend().auth;
  const { user, email, session } = await newUser();
  ok(await admin.updateUserById(user.id, { ban_duration: "1h" }));
  refused(await app().auth.signInWithPassword({ email, password }), "user_banned", 400);
  refused(await app().auth.getUser(session.access_token), "user_banned", 403);
  ok(await admin.updateUserById(user.id, { ban_duration: "none" }));
  await signIn(email);
});

test("admin manages OAuth clients", async () => {
  const { oauth } = backend().auth.admin;
  const redirect_uris = ["https://app.example/b", "https://app.example/a"];
  const created = ok(await oauth.createClient({
    client_name: "Notes", client_uri: "https://app.example", redirect_uris,
  }));
  assert.ok(created.client_secret);
  assert.deepEqual(created.redirect_uris, redirect_uris);
  assert.deepEqual(created.grant_types, ["authorization_code", "refresh_token"]);
  assert.deepEqual(created.response_types, ["code"]);
  assert.equal(created.client_type, "confidential");
  assert.equal(created.registration_type, "manual");
  const id = created.client_id;

  const found = ok(await oauth.getClient(id));
  assert.equal(found.client_name, "Notes");
  assert.equal(found.client_secret, undefined, "a secret is shown once");

  const updated = ok(await oauth.updateClient(id, { client_name: "Notes 2" }));
  assert.equal(updated.client_name, "Notes 2");
  assert.deepEqual(updated.redirect_uris, redirect_uris, "what is not named stays");

  const renewed = ok(await oauth.regenerateClientSecret(id));
  assert.ok(renewed.client_secret);
  assert.notEqual(renewed.client_secret, created.client_secret);

  const { clients } = ok(await oauth.listClients());
  assert.ok(clients.some((one) => one.client_id === id));

  ok(await oauth.deleteClient(id));
  refused(await oauth.getClient(id), "oauth_client_not_found", 404);
});

test("a public client has no secret", async () => {
  const { oauth } = backend().auth.admin;
  const created = ok(await oauth.createClient({
    client_name: "Phone", redirect_uris: ["https://phone.example/cb"], token_endpoint_auth_method: "none",
  }));
  assert.equal(created.client_type, "public");
  assert.equal(created.client_secret, undefined);
  refused(await oauth.regenerateClientSecret(created.client_id), "validation_failed", 400);
});

test("admin refuses clients that could not work or would be dangerous", async () => {
  const { oauth } = backend().auth.admin;
  const client_name = "Bad";
  for (const redirect_uris of [
    [], ["http://app.example/cb"], ["javascript:alert(1)"], ["https://app.example/cb#fragment"], ["/relative"],
  ]) {
    const error = refused(await oauth.createClient({ client_name, redirect_uris }), "validation_failed", 400);
    assert.match(error.message, /redirect_uri/);
  }
  refused(await oauth.getClient("00000000-0000-0000-0000-000000000000"), "oauth_client_not_found", 404);
  refused(await app().auth.admin.oauth.listClients(), "not_admin", 403);
});
