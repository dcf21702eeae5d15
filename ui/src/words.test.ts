import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, scopeWords, sessionEnded, worthRetrying } from "./words";

test("scopeWords says every scope once", () => {
  assert.deepEqual(scopeWords("openid  email openid"), [
    "Know who you are: your user id",
    "See your e-mail address",
  ]);
  assert.deepEqual(scopeWords(""), []);
});

test("scopeWords keeps unknown names visible, also those every object has", () => {
  assert.deepEqual(scopeWords("constructor files.read"), [
    "Use the permission “constructor”",
    "Use the permission “files.read”",
  ]);
});

test("explain has words for what a person can meet", () => {
  assert.match(explain({ code: "oauth_authorization_not_found", status: 404 }), /has expired/);
  assert.match(explain({ name: "AuthRetryableFetchError", status: 0, message: "fetch failed" }), /can not be reached/);
  assert.match(explain({ name: "TypeError", message: "Failed to fetch" }), /can not be reached/);
  assert.match(explain({ status: 500, code: "unexpected_failure" }), /has a problem/);
  assert.match(explain({ name: "AuthRetryableFetchError", status: 503 }), /has a problem/);
  assert.match(
    explain({ status: 400, code: "validation_failed", message: "authorization request cannot be processed" }),
    /already been answered/,
  );
  assert.equal(explain({ status: 422, code: "weak_password", message: "Too short." }), "Too short.");
  assert.equal(explain({}), "Something went wrong.");
});

test("an ended session is told apart from a failed request", () => {
  assert.equal(sessionEnded({ name: "AuthSessionMissingError" }), true);
  assert.equal(sessionEnded({ code: "session_not_found" }), true);
  assert.equal(sessionEnded({ code: "oauth_authorization_not_found" }), false);
});

test("only trouble that may pass is worth another try", () => {
  assert.equal(worthRetrying({ name: "AuthRetryableFetchError", status: 0 }), true);
  assert.equal(worthRetrying({ status: 503 }), true);
  assert.equal(worthRetrying({ status: 404, code: "oauth_authorization_not_found" }), false);
});
