// The kinds of OAuth clients that relying parties are tested as.
import { backend, ok } from "./project.mjs";

export const redirectURI = "https://rp.example/callback";

/** Every way to authenticate at the token endpoint that clients can register. */
export const authMethods = ["client_secret_basic", "client_secret_post", "none"];

/** Registers a client as an administrator does. */
export async function register(token_endpoint_auth_method, settings = {}) {
  return ok(await backend().auth.admin.oauth.createClient({
    client_name: `RP ${token_endpoint_auth_method}`, redirect_uris: [redirectURI], token_endpoint_auth_method, ...settings,
  }));
}
