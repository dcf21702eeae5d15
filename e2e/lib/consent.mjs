// The user's part of an authorization, done by supabase-js as on a project's
// own consent page.
import assert from "node:assert/strict";
import { ok } from "./project.mjs";

/**
 * Follows an authorization request to the consent page and returns its id, as
 * the page finds it in its address.
 */
export async function request(authorizationURL) {
  const response = await fetch(authorizationURL, { redirect: "manual" });
  assert.equal(response.status, 302, await response.text());
  const page = new URL(response.headers.get("location"));
  assert.equal(page.pathname, "/oauth/consent", `redirected to ${page}`);
  return page.searchParams.get("authorization_id");
}

/**
 * Answers an authorization request. It returns where the browser goes next, and
 * whether the user was asked.
 */
export async function answer(user, authorizationURL, action = "approve") {
  const id = await request(authorizationURL);
  const details = ok(await user.auth.oauth.getAuthorizationDetails(id));
  if (details.redirect_url) return { location: new URL(details.redirect_url), asked: false };
  const give = action === "approve" ? "approveAuthorization" : "denyAuthorization";
  const data = ok(await user.auth.oauth[give](id, { skipBrowserRedirect: true }));
  return { location: new URL(data.redirect_url), asked: true, details };
}
