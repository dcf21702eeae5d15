// Users of supabase-js who sign up and in by phone. The phones are test phones,
// whose code is always the same (run.mjs).
import { test } from "node:test";
import assert from "node:assert/strict";
import { app, newUser, ok, password, refused } from "../lib/project.mjs";

const code = "135790";

test("a code by text signs up and in", async () => {
  const phone = "+15550001001";
  refused(await app().auth.signInWithOtp({ phone, options: { shouldCreateUser: false } }), "otp_disabled", 422);
  const { auth } = app();
  ok(await auth.signInWithOtp({ phone }));
  refused(await auth.verifyOtp({ phone, token: "135791", type: "sms" }), "otp_expired", 403);
  const { user, session } = ok(await auth.verifyOtp({ phone, token: code, type: "sms" }));
  assert.equal(user.phone, "15550001001");
  assert.equal(user.app_metadata.provider, "phone");
  assert.ok(session.access_token);

  const again = app().auth;
  assert.equal(ok(await again.signInWithOtp({ phone })).messageId, "test-otp");
  assert.equal(ok(await again.verifyOtp({ phone, token: code, type: "sms" })).user.id, user.id);
});

test("a sign-up by phone waits for its code", async () => {
  const phone = "+15550001002";
  const { auth } = app();
  const { user, session } = ok(await auth.signUp({ phone, password }));
  assert.equal(session, null);
  assert.equal(user.phone_confirmed_at, undefined);
  refused(await auth.signInWithPassword({ phone, password }), "phone_not_confirmed", 400);
  assert.equal(ok(await auth.resend({ type: "sms", phone })).messageId, "test-otp");
  ok(await auth.verifyOtp({ phone, token: code, type: "sms" }));
  assert.equal(ok(await app().auth.signInWithPassword({ phone, password })).user.id, user.id);
});

test("a user adds a phone and changes it", async () => {
  const { auth, user } = await newUser();
  assert.equal(ok(await auth.updateUser({ phone: "+15550001003" })).user.new_phone, "15550001003");
  const { user: added } = ok(await auth.verifyOtp({ phone: "+15550001003", token: code, type: "phone_change" }));
  assert.equal(added.id, user.id);
  assert.equal(added.phone, "15550001003");
  assert.deepEqual(added.app_metadata.providers, ["email", "phone"]);
  ok(await auth.updateUser({ phone: "15550001004" }));
  ok(await auth.resend({ type: "phone_change", phone: "15550001003" }));
  ok(await auth.verifyOtp({ phone: "15550001004", token: code, type: "phone_change" }));
  assert.equal(ok(await app().auth.signInWithPassword({ phone: "15550001004", password })).user.id, user.id);
});
