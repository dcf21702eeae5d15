// Second factors and recovery codes with auth-js, unmodified: the version that
// the other tests use enrolls the factor, a newer one knows recovery codes.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { AuthClient } from "auth-js-with-recovery-codes";
import { anonKey, issuer, newUser, ok, password, refused } from "../lib/project.mjs";

/** What an authenticator app shows now (RFC 6238). */
function totp(secret) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** A client with a session in memory, signed in with the password only. */
async function signInAgain(email) {
  const kept = new Map();
  const auth = new AuthClient({
    url: issuer, headers: { apikey: anonKey }, autoRefreshToken: false, persistSession: true, detectSessionInUrl: false,
    storage: {
      getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key),
    },
    experimental: { recoveryCodes: true },
  });
  ok(await auth.signInWithPassword({ email, password }));
  return auth;
}

/** A user with an authenticator app, at aal2. */
async function withFactor() {
  const { auth, email } = await newUser();
  const factor = ok(await auth.mfa.enroll({ factorType: "totp", friendlyName: "app" }));
  ok(await auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }));
  const newer = await signInAgain(email);
  ok(await newer.setSession(ok(await auth.getSession()).session));
  return { auth, newer, email, factor };
}

const level = async (auth) => ok(await auth.mfa.getAuthenticatorAssuranceLevel());

test("a recovery code stands in for a lost factor, once", async () => {
  const { auth, newer, email, factor } = await withFactor();
  const made = ok(await newer.mfa.recoveryCodes.generate({ friendlyName: "Backup" }));
  assert.deepEqual([made.type, made.friendly_name, made.total, made.codes.length], ["recovery_code", "Backup", 10, 10]);
  refused(await newer.mfa.recoveryCodes.generate(), "mfa_verified_factor_exists", 422);

  const lost = await signInAgain(email);
  assert.deepEqual([(await level(lost)).currentLevel, (await level(lost)).nextLevel], ["aal1", "aal2"]);
  refused(await lost.mfa.recoveryCodes.verify({ code: "K4M9-X7QP-2AB8-HT3Z" }), "mfa_verification_failed", 422);
  const typed = made.codes[0].toUpperCase().match(/.{4}/g).join("-");
  ok(await lost.mfa.recoveryCodes.verify({ code: typed }));
  const reached = await level(lost);
  assert.equal(reached.currentLevel, "aal2");
  assert.ok(reached.currentAuthenticationMethods.some(({ method }) => method === "mfa/recovery_code"));
  ok(await lost.refreshSession());
  assert.equal((await level(lost)).currentLevel, "aal2");
  assert.equal(ok(await lost.mfa.recoveryCodes.getStatus()).remaining, 9);
  refused(await lost.mfa.recoveryCodes.verify({ code: typed }), "mfa_verification_failed", 422);

  // An older SDK lists the factors as if there were no codes.
  assert.deepEqual(ok(await auth.mfa.listFactors()).all.map(({ id }) => id), [factor.id]);
});

test("new codes void the old ones, and removing them leaves none", async () => {
  const { newer, email } = await withFactor();
  const old = ok(await newer.mfa.recoveryCodes.generate());
  const fresh = ok(await newer.mfa.recoveryCodes.regenerate());
  assert.deepEqual([fresh.id, fresh.friendly_name], [old.id, "Recovery codes"]);

  const lost = await signInAgain(email);
  refused(await lost.mfa.recoveryCodes.regenerate(), "insufficient_aal", 403);
  refused(await lost.mfa.recoveryCodes.verify({ code: old.codes[0] }), "mfa_verification_failed", 422);
  ok(await lost.mfa.recoveryCodes.verify({ code: fresh.codes[0] }));
  assert.deepEqual(ok(await newer.mfa.recoveryCodes.unenroll()), { id: fresh.id });
  refused(await newer.mfa.recoveryCodes.getStatus(), "mfa_factor_not_found", 404);
});

test("codes do not stand alone", async () => {
  const { email } = await newUser();
  const auth = await signInAgain(email);
  refused(await auth.mfa.recoveryCodes.generate(), "mfa_recovery_codes_sole_factor", 422);
});
