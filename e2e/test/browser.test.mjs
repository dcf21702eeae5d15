// A person with a browser: from the demo client's "Log in" link through sign-in
// and consent and back. E2E_SCREENSHOTS names a folder to keep pictures in.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import path from "node:path";
import { launch } from "../lib/browser.mjs";
import { demoClientId, newUser, ok, password, url } from "../lib/project.mjs";

const seconds = 1000;
let browser;

before(async () => { browser = await launch(); });
after(() => browser?.close());

/** A person with an empty browser profile; whatever the pages complain about fails the test. */
async function person(t, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15 * seconds);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // The browser reports refusals, too, which the tests provoke; the demo
    // client passes the issuer's on as 502.
    if (message.type() === "error" && !/status of (4\d\d|502)/.test(message.text())) complaints.push(message.text());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  return page;
}

async function signIn(page, email, secret = password) {
  await page.getByTestId("email").fill(email);
  await page.getByTestId("password").fill(secret);
  await page.getByTestId("sign-in").click();
}

async function startLogin(page) {
  await page.goto(`${url}/demo/`);
  await page.getByTestId("login").click();
}

/** Logs in at the demo client for the first time, with sign-in and consent. */
async function logIn(page, email) {
  await startLogin(page);
  await signIn(page, email);
  await page.getByTestId("approve").click();
  await page.getByTestId("signed-in").waitFor();
}

async function picture(page, name) {
  const folder = process.env.E2E_SCREENSHOTS;
  if (folder) await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

const text = (page, id) => page.getByTestId(id).innerText();
const json = async (page, id) => JSON.parse(await text(page, id));

test("log in: sign in, consent, claims", async (t) => {
  const user = await newUser();
  const page = await person(t);
  await startLogin(page);
  await page.waitForURL(`${url}/oauth/consent?authorization_id=*`);
  await page.getByTestId("sign-in").waitFor();
  await picture(page, "sign-in");

  await signIn(page, user.email, "wrong");
  await page.getByText("The e-mail address or the password is wrong.").waitFor();
  await signIn(page, user.email);

  await page.getByTestId("consent").waitFor();
  await picture(page, "consent");
  assert.equal(await text(page, "client-name"), "Demo client");
  assert.equal(await text(page, "account"), user.email);
  assert.ok((await text(page, "redirect-host")).includes(new URL(url).host));
  assert.equal(await page.getByTestId("scope-list").locator("li").count(), 4);
  await page.getByTestId("approve").click();

  await page.waitForURL(`${url}/demo/`);
  await page.getByTestId("signed-in").waitFor();
  await picture(page, "demo");
  const id = await json(page, "id-token-claims");
  assert.equal(id.sub, user.user.id);
  assert.equal(id.email, user.email);
  assert.equal((await json(page, "access-token-claims")).client_id, demoClientId);
  assert.equal((await json(page, "userinfo-claims")).email, user.email);

  await page.getByTestId("refresh").click();
  await page.getByText("Refreshed: 1").waitFor();
});

test("the second login asks nothing", async (t) => {
  const user = await newUser();
  const page = await person(t);
  await logIn(page, user.email);
  await page.getByTestId("logout").click();
  await page.getByTestId("login").click();
  await page.getByTestId("signed-in").waitFor();
  assert.equal((await json(page, "id-token-claims")).sub, user.user.id);
});

// OpenID Connect Core §3.1.2.1: prompt=login.
test("a client may ask for a new login", async (t) => {
  const user = await newUser();
  const page = await person(t);
  await logIn(page, user.email);
  const first = await json(page, "id-token-claims");
  await page.getByTestId("logout").click();
  await page.waitForTimeout(1100); // logins are known to the second

  const start = await page.request.get(`${url}/demo/login`, { maxRedirects: 0 });
  await page.goto(`${start.headers().location}&prompt=login`);
  await page.getByText("The application asks you to sign in again.").waitFor();
  await signIn(page, user.email);
  await page.getByTestId("signed-in").waitFor();
  assert.ok((await json(page, "id-token-claims")).auth_time > first.auth_time);
});

test("deny: the client learns it, and nothing is granted", async (t) => {
  const user = await newUser();
  const page = await person(t);
  await startLogin(page);
  await signIn(page, user.email);
  await page.getByTestId("deny").click();
  await page.waitForURL(`${url}/demo/callback?*`);
  assert.match(await text(page, "error"), /access_denied/);
  await picture(page, "denied");
  assert.deepEqual(ok(await user.auth.oauth.listGrants()), []);
});

test("use another account on the consent page", async (t) => {
  const [first, second] = [await newUser(), await newUser()];
  const page = await person(t);
  await startLogin(page);
  await signIn(page, first.email);
  await page.getByTestId("switch-account").click();
  await signIn(page, second.email);
  await page.getByTestId("approve").click();
  await page.getByTestId("signed-in").waitFor();
  assert.equal((await json(page, "id-token-claims")).sub, second.user.id);
});

test("create an account on the way", async (t) => {
  const page = await person(t);
  await startLogin(page);
  const email = `e2e-new-${Date.now()}@example.com`;
  await page.getByTestId("email").fill(email);
  await page.getByTestId("password").fill(password);
  await page.getByTestId("sign-up").click();
  await page.getByTestId("approve").click();
  await page.getByTestId("signed-in").waitFor();
  assert.equal((await json(page, "id-token-claims")).email, email);
});

test("disconnect on the home page: the client's refresh fails", async (t) => {
  const user = await newUser();
  const page = await person(t);
  await logIn(page, user.email);

  await page.goto(`${url}/`);
  await page.getByTestId("grant").waitFor();
  assert.equal(await text(page, "grant-name"), "Demo client");
  assert.equal(await text(page, "account"), user.email);
  await picture(page, "home");
  await page.getByTestId("revoke").click();
  await page.getByTestId("no-grants").waitFor();

  await page.goto(`${url}/demo/`);
  await page.getByTestId("refresh").click();
  assert.match(await text(page, "error"), /invalid_grant/);
});

test("a request that is too old or made up is explained", async (t) => {
  const user = await newUser();
  const page = await person(t);
  await page.goto(`${url}/oauth/consent?authorization_id=${"a".repeat(32)}`);
  await signIn(page, user.email);
  await page.getByText("This request is unknown, has expired").waitFor();
  await picture(page, "problem");
});

test("the pages fit a phone, in dark", async (t) => {
  const user = await newUser();
  const page = await person(t, { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  const fits = async (name) => {
    await picture(page, `phone-${name}`);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${name} is ${width} pixels wide`);
  };
  await page.goto(`${url}/`);
  await page.getByTestId("sign-in").waitFor();
  await fits("home");
  await startLogin(page);
  await signIn(page, user.email);
  await page.getByTestId("consent").waitFor();
  await fits("consent");
  await page.getByTestId("approve").click();
  await page.getByTestId("signed-in").waitFor();
  await fits("demo");
});

test("the consent page cannot be framed and says no address to others", async () => {
  const response = await fetch(`${url}/oauth/consent?authorization_id=x`);
  assert.match(response.headers.get("content-security-policy"), /frame-ancestors 'none'/);
  assert.match(response.headers.get("referrer-policy"), /no-referrer|same-origin/);
});
