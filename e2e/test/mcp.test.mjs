// An MCP client that knows the address of an MCP server only: it learns the
// authorization server from the refusal, registers itself, lets the user log in
// and calls a tool. All of it is the MCP SDK's work but the user's part.
import { test } from "node:test";
import assert from "node:assert/strict";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { answer } from "../lib/consent.mjs";
import { issuer, mcpURL, newUser, ok } from "../lib/project.mjs";

/** What an MCP client keeps between its steps: the SDK's OAuthClientProvider. */
class Memory {
  redirectUrl = "http://127.0.0.1:33418/callback";
  clientMetadata = {
    client_name: "MCP client", redirect_uris: [this.redirectUrl], token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
  };
  kept = {};
  saved = 0;

  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => { this.kept.client = client; };
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => { this.kept.tokens = tokens; this.saved++; };
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = (verifier) => { this.kept.verifier = verifier; };
  redirectToAuthorization = (url) => { this.kept.authorization = url; };
  // The SDK calls this when the server says invalid_grant or invalid_client.
  invalidateCredentials = (scope) => {
    if (scope === "tokens" || scope === "all") delete this.kept.tokens;
    if (scope === "client" || scope === "all") delete this.kept.client;
  };
}

async function connect(provider) {
  const transport = new StreamableHTTPClientTransport(new URL(mcpURL), { authProvider: provider });
  const client = new Client({ name: "e2e", version: "1.0.0" });
  try {
    await client.connect(transport);
    return { client, transport };
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    return { client: null, transport };
  }
}

/** Lets the user log in and connects; returns the connected client. */
async function connectAs(user, provider) {
  const { client, transport } = await connect(provider);
  assert.equal(client, null, "connected without a token");
  const { location } = await answer(user, provider.kept.authorization);
  await transport.finishAuth(location.searchParams.get("code"));
  const connected = await connect(provider);
  assert.ok(connected.client, "not connected with a token");
  return connected.client;
}

const whoami = async (client) => (await client.callTool({ name: "whoami" })).structuredContent;

test("metadata, registration, login, tool call, refresh", async () => {
  const user = await newUser();
  const provider = new Memory();
  const client = await connectAs(user, provider);

  const { authorization, client: registered } = provider.kept;
  assert.ok(authorization.href.startsWith(`${issuer}/oauth/authorize?`));
  assert.equal(authorization.searchParams.get("code_challenge_method"), "S256");
  assert.equal(authorization.searchParams.get("resource"), mcpURL);
  assert.equal(registered.client_secret, undefined);

  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["whoami"]);
  const who = await whoami(client);
  assert.deepEqual(who, {
    sub: user.user.id, client_id: registered.client_id, scope: "openid email", email: user.email,
  });

  // A token that the resource server refuses makes the SDK refresh it.
  const before = provider.kept.tokens;
  provider.kept.tokens = { ...before, access_token: `${before.access_token}x` };
  assert.deepEqual(await whoami(client), who);
  assert.equal(provider.saved, 2, "the tokens were not refreshed");
  assert.notEqual(provider.kept.tokens.refresh_token, before.refresh_token);
  await client.close();
});

test("after revocation the user is asked again", async () => {
  const user = await newUser();
  const provider = new Memory();
  const client = await connectAs(user, provider);
  ok(await user.auth.oauth.revokeGrant({ clientId: provider.kept.client.client_id }));

  provider.kept.authorization = undefined;
  provider.kept.tokens = { ...provider.kept.tokens, access_token: "expired" };
  await assert.rejects(whoami(client), UnauthorizedError);
  assert.ok(provider.kept.authorization, "the SDK did not start a new login");
  assert.ok((await answer(user, provider.kept.authorization)).asked);
  await client.close();
});

test("the user's own token is not for MCP servers", async () => {
  const { session } = await newUser();
  const response = await fetch(mcpURL, {
    method: "POST",
    headers: { authorization: `Bearer ${session.access_token}`, "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });
  assert.equal(response.status, 401);
  assert.match(response.headers.get("www-authenticate"), /resource_metadata="/);
});
