// The home page of a development server: a way in for people, and the values
// that an application needs.
import type { OAuthGrant, User } from "@supabase/supabase-js";
import { alertBox, button, h, show } from "./dom";
import { httpsUrl } from "./links";
import { type Auth, type Config, openProject } from "./project";
import { signInForm } from "./signin";
import { explain, scopeWords, type Failure } from "./words";

async function start(): Promise<void> {
  const { config, auth } = await openProject();
  const account = h("section", { "aria-labelledby": "account-heading" });
  show(intro(config), account, settings(config), documents(config));
  const { error } = await auth.initialize();
  await fillAccount(auth, account, error ? explain(error) : "");
}

function intro(config: Config): HTMLElement {
  return h("section", {},
    h("h1", {}, "Truegrant is running"),
    h("p", {},
      "This server signs your users in with the Supabase client libraries, and lets other applications ",
      "act for them with OAuth 2.1 and OpenID Connect."),
    config.demo
      ? h("p", {}, h("a", { class: "button main", href: config.demo, "data-testid": "login-link" },
          "Log in with the demo client"))
      : null,
    config.mail ? h("p", { class: "note", "data-testid": "mail-note" }, config.mail) : null,
  );
}

async function fillAccount(auth: Auth, section: HTMLElement, message = ""): Promise<void> {
  const { data } = await auth.getSession();
  if (!data.session) {
    section.replaceChildren(
      h("h2", { id: "account-heading" }, "Sign in as a user of this project"),
      message ? h("p", { class: "problem", role: "alert" }, message) : "",
      signInForm(auth, new URL(location.pathname, location.origin).href, () => fillAccount(auth, section)),
    );
    return;
  }
  section.replaceChildren(...signedIn(auth, section, data.session.user));
  await fillGrants(auth, section);
}

function signedIn(auth: Auth, section: HTMLElement, user: User): HTMLElement[] {
  const signOut = async () => {
    await auth.signOut({ scope: "local" });
    await fillAccount(auth, section);
  };
  return [
    h("h2", { id: "account-heading" }, "Your account"),
    h("div", { class: "row" },
      h("p", {}, "Signed in as ", h("strong", { "data-testid": "account" }, user.email || user.id)),
      button("Sign out", { "data-testid": "sign-out" }, signOut)),
    h("h2", {}, "Connected applications"),
    alertBox(),
    h("ul", { "data-testid": "grants" }),
  ];
}

async function fillGrants(auth: Auth, section: HTMLElement): Promise<void> {
  const list = section.querySelector("ul");
  const problem = section.querySelector("[role=alert]");
  if (!list || !problem) return;
  const { data, error } = await auth.oauth.listGrants();
  problem.textContent = error ? explain(error) : "";
  if (error) return;
  const revoke = async (clientId: string) => {
    const result = await auth.oauth.revokeGrant({ clientId });
    if (result.error) problem.textContent = explain(result.error);
    else await fillGrants(auth, section);
  };
  list.replaceChildren(...(data.length > 0 ? data.map((grant) => grantItem(grant, revoke)) : [
    h("li", { class: "soft", "data-testid": "no-grants" }, "No application is connected to your account."),
  ]));
}

function grantItem(grant: OAuthGrant, revoke: (clientId: string) => Promise<void>): HTMLElement {
  const name = grant.client.name || grant.client.id;
  const site = httpsUrl(grant.client.uri);
  const since = new Date(grant.granted_at).toLocaleDateString();
  return h("li", { "data-testid": "grant" },
    h("div", { class: "row" },
      h("p", {}, h("strong", {}, h("bdi", { "data-testid": "grant-name" }, name)), site ? ` (${site.host})` : null),
      button("Disconnect", { "data-testid": "revoke", "aria-label": `Disconnect ${name}` }, () => revoke(grant.client.id))),
    h("p", { class: "soft" }, `Connected since ${since}. It may:`),
    h("ul", { class: "plain soft" }, ...scopeWords(grant.scopes.join(" ")).map((text) => h("li", {}, text))),
  );
}

function settings(config: Config): HTMLElement {
  return h("section", {},
    h("h2", {}, "Use it from an application"),
    h("pre", { "data-testid": "environment" }, `SUPABASE_URL=${config.url}\nSUPABASE_ANON_KEY=${config.anonKey}`),
    h("pre", {}, [
      'import { createClient } from "@supabase/supabase-js";',
      "const supabase = createClient(process.env.SUPABASE_URL, process.env.SUPABASE_ANON_KEY);",
    ].join("\n")),
  );
}

function documents(config: Config): HTMLElement {
  const link = (text: string, path: string) =>
    h("li", {}, h("a", { href: config.issuer.replace(/\/+$/, "") + path }, text));
  return h("section", {},
    h("h2", {}, "What clients discover"),
    h("p", { class: "soft" }, "Issuer: ", h("span", { "data-testid": "issuer" }, config.issuer)),
    h("ul", { class: "plain" },
      link("OpenID Connect discovery", "/.well-known/openid-configuration"),
      link("Authorization server metadata", "/.well-known/oauth-authorization-server"),
      link("Signing keys (JWKS)", "/.well-known/jwks.json")),
  );
}

start().catch((error: Failure) => {
  show(h("section", {}, h("h1", {}, "This did not work"), h("p", { class: "problem", role: "alert" }, explain(error))));
});
