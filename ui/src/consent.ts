// The consent front end: an application like any other that is written with
// supabase-js. It uses nothing that a project could not use for its own page.
import type { OAuthAuthorizationDetails } from "@supabase/supabase-js";
import { alertBox, button, h, show } from "./dom";
import { authorizationId, destination, httpsUrl, mayFollow } from "./links";
import { type Auth, openProject } from "./project";
import { signInForm } from "./signin";
import { explain, scopeWords, sessionEnded, worthRetrying, type Failure } from "./words";

async function start(): Promise<void> {
  const id = authorizationId(location.search);
  if (id === null) {
    return showProblem("This link is incomplete. Go back to the application and start again.");
  }
  const { auth } = await openProject();
  const { error } = await auth.initialize(); // redeems the code of a confirmation link
  const { data } = await auth.getSession();
  if (data.session) return showRequest(auth, id);
  showSignIn(auth, id, error ? explain(error) : "");
}

function showSignIn(auth: Auth, id: string, message = ""): void {
  const back = new URL(location.pathname, location.origin);
  back.searchParams.set("authorization_id", id);
  show(
    h("section", {},
      h("h1", {}, "Sign in to continue"),
      h("p", { class: "soft" }, "An application asks for access to your account."),
      message ? h("p", { class: "problem", role: "alert", "data-testid": "message" }, message) : null,
      signInForm(auth, back.href, () => showRequest(auth, id)),
    ),
  );
}

/** Asks the server what is requested; a grant given earlier leads straight on. */
async function showRequest(auth: Auth, id: string): Promise<void> {
  show(h("section", {}, h("p", { role: "status" }, "Loading…")));
  const { data, error } = await auth.oauth.getAuthorizationDetails(id);
  if (error) return handle(auth, id, error);
  if ("redirect_url" in data) return leave(data.redirect_url);
  const { requirements = [] } = data as Demanding;
  if (requirements.includes("login")) {
    await auth.signOut({ scope: "local" });
    return showSignIn(auth, id, "The application asks you to sign in again.");
  }
  if (requirements.includes("aal2")) return handle(auth, id, { code: "insufficient_aal" });
  showConsent(auth, id, data);
}

/** What the server tells beside supabase-js's type: which login the client wants. */
type Demanding = OAuthAuthorizationDetails & { requirements?: string[] };

function showConsent(auth: Auth, id: string, details: OAuthAuthorizationDetails): void {
  const problem = alertBox();
  const name = details.client.name || "An application without a name";
  document.title = `Allow access: ${name}`;

  const answer = async (give: "approveAuthorization" | "denyAuthorization") => {
    problem.textContent = "";
    // Another tab may have signed in as somebody else: the answer must come
    // from the account that this page shows.
    const { data: now } = await auth.getSession();
    if (now.session?.user.id !== details.user.id) return showRequest(auth, id);
    const { data, error } = await auth.oauth[give](id, { skipBrowserRedirect: true });
    if (!error) return leave(data.redirect_url);
    if (sessionEnded(error)) return handle(auth, id, error);
    problem.textContent = explain(error);
  };

  show(
    h("section", { "data-testid": "consent" },
      clientHeading(details.client.logo_uri, name),
      clientSite(details.client.uri),
      h("p", {}, "It wants to:"),
      h("ul", { "data-testid": "scope-list" }, ...scopeWords(details.scope).map((text) => h("li", {}, text))),
      h("p", { class: "soft" },
        "Afterwards you are taken to ",
        h("strong", { "data-testid": "redirect-host" }, destination(details.redirect_uri)),
        ". Allow this only if you trust it; the application chose its name and logo itself."),
      problem,
      h("div", { class: "actions" },
        button("Deny", { "data-testid": "deny" }, () => answer("denyAuthorization")),
        button("Allow", { class: "main", "data-testid": "approve" }, () => answer("approveAuthorization")),
      ),
    ),
    h("section", {},
      h("div", { class: "row" },
        h("p", {}, "Signed in as ", h("strong", { "data-testid": "account" }, details.user.email || details.user.id)),
        button("Use another account", { class: "link", "data-testid": "switch-account" }, () => switchAccount(auth, id)),
      ),
    ),
  );
}

function clientHeading(logoUri: string | undefined, name: string): HTMLElement {
  const logo = httpsUrl(logoUri);
  return h("div", { class: "client" },
    logo
      ? h("img", { src: logo.href, alt: "", referrerpolicy: "no-referrer", "data-testid": "client-logo" })
      : null,
    h("h1", {}, h("bdi", { "data-testid": "client-name" }, name), " asks for access to your account"),
  );
}

function clientSite(uri: string | undefined): HTMLElement | null {
  const site = httpsUrl(uri);
  if (!site) return null;
  return h("p", { class: "soft" }, "Website: ",
    h("a", { href: site.href, target: "_blank", rel: "noopener noreferrer", "data-testid": "client-uri" }, site.host));
}

async function switchAccount(auth: Auth, id: string): Promise<void> {
  const { error } = await auth.signOut({ scope: "local" });
  if (error) return handle(auth, id, error);
  showSignIn(auth, id);
}

/** Leads back to the form when the session is over, else says what is wrong. */
async function handle(auth: Auth, id: string, error: Failure): Promise<void> {
  if (sessionEnded(error)) {
    await auth.signOut({ scope: "local" });
    return showSignIn(auth, id, "You are not signed in any more. Please sign in again.");
  }
  const actions = [button("Use another account", { "data-testid": "switch-account" }, () => switchAccount(auth, id))];
  if (worthRetrying(error)) {
    actions.push(button("Try again", { class: "main", "data-testid": "retry" }, () => showRequest(auth, id)));
  }
  showProblem(explain(error), ...actions);
}

function showProblem(text: string, ...actions: HTMLElement[]): void {
  show(
    h("section", {},
      h("h1", {}, "This did not work"),
      h("p", { class: "problem", role: "alert", "data-testid": "error" }, text),
      actions.length > 0 ? h("div", { class: "actions" }, ...actions) : null,
    ),
  );
}

function leave(address: string): void {
  if (!mayFollow(address)) return showProblem("The server named an address that can not be opened.");
  // Stays on screen when the address opens an app instead of a page.
  show(
    h("section", {},
      h("h1", {}, "Back to the application"),
      h("p", { role: "status", "data-testid": "leaving" }, "You can close this page if nothing happens."),
    ),
  );
  location.assign(address);
}

start().catch((error: Failure) => showProblem(explain(error)));
