import { createClient } from "@supabase/supabase-js";

/** The Go handler's config.json. Empty strings mean "not given". */
export interface Config {
  url: string;
  anonKey: string;
  issuer: string;
  demo: string;
  mail: string;
}

/** The configuration with its defaults filled in, and a client for it. */
export async function openProject() {
  const config = await load();
  const client = createClient(config.url, config.anonKey, {
    // With PKCE the link in a confirmation message carries a code instead of
    // tokens, and only this browser can redeem it (RFC 7636).
    auth: { flowType: "pkce" },
  });
  return { config, auth: client.auth };
}

export type Auth = Awaited<ReturnType<typeof openProject>>["auth"];

async function load(): Promise<Config> {
  // The scripts are in assets/, one level below config.json, whatever the
  // prefix the pages are served under.
  const response = await fetch(new URL("../config.json", import.meta.url));
  if (!response.ok) throw new Error(`the configuration can not be read (${response.status})`);
  const config = (await response.json()) as Config;
  const url = config.url || location.origin;
  return { ...config, url, issuer: config.issuer || `${url}/auth/v1` };
}
