// Everything the pages say that depends on data: scopes and errors in words.

const scopeTexts = new Map([
  ["openid", "Know who you are: your user id"],
  ["profile", "See your name, picture and user name"],
  ["email", "See your e-mail address"],
  ["phone", "See your phone number"],
  ["offline_access", "Stay connected while you are away, until you disconnect it"],
]);

/** The scopes of a space-separated list (RFC 6749 §3.3), each once, in words. */
export function scopeWords(scope: string): string[] {
  const names = new Set(scope.split(" ").filter((name) => name !== ""));
  return [...names].map((name) => scopeTexts.get(name) ?? `Use the permission “${name}”`);
}

/** What the pages read of an auth-js error. */
export interface Failure {
  name?: string;
  code?: string | undefined;
  status?: number | undefined;
  message?: string;
}

const errorTexts = new Map([
  [
    "oauth_authorization_not_found",
    "This request is unknown, has expired, or was opened by another account. Go back to the application and start again.",
  ],
  ["oauth_login_required", "The application asks you to sign in again."],
  ["oauth_client_not_found", "The application that sent you here is not known."],
  ["oauth_consent_not_found", "This application is no longer connected."],
  ["feature_disabled", "This server does not let other applications sign in."],
  ["invalid_credentials", "The e-mail address or the password is wrong."],
  ["email_not_confirmed", "Confirm your e-mail address first: open the link in the message we sent you."],
  ["user_already_exists", "There is already an account with this e-mail address. Sign in instead."],
  ["email_exists", "There is already an account with this e-mail address. Sign in instead."],
  ["signup_disabled", "New accounts can not be created here."],
  ["email_provider_disabled", "Signing in with e-mail and password is switched off."],
  ["user_banned", "This account is blocked."],
  ["over_request_rate_limit", "Too many attempts. Wait a few minutes and try again."],
  ["over_email_send_rate_limit", "Too many messages were sent. Wait a few minutes and try again."],
  ["otp_expired", "This link has expired or was already used. Sign in, or ask for a new message."],
  ["flow_state_not_found", "This link was opened in another browser. Your address is confirmed: sign in."],
  ["insufficient_aal", "This needs a second factor. Sign in again with it in the application first."],
]);

const endedSession = new Set([
  "session_not_found",
  "session_expired",
  "user_not_found",
  "bad_jwt",
  "no_authorization",
  "refresh_token_not_found",
  "refresh_token_already_used",
]);

/** Whether the error says that nobody is signed in any more. */
export function sessionEnded(error: Failure): boolean {
  return error.name === "AuthSessionMissingError" || endedSession.has(error.code ?? "");
}

/** Whether trying the same again may help. */
export function worthRetrying(error: Failure): boolean {
  return unreachable(error) || (error.status ?? 0) >= 500;
}

/** The error as a sentence for the person in front of the page. */
export function explain(error: Failure): string {
  const known = errorTexts.get(error.code ?? "");
  if (known) return known;
  if (unreachable(error)) return "The server can not be reached. Check your connection and try again.";
  if ((error.status ?? 0) >= 500) return "The server has a problem. Try again in a moment.";
  if (/cannot be processed|no longer pending/.test(error.message ?? "")) {
    return "This request has already been answered. Go back to the application.";
  }
  return error.message || "Something went wrong.";
}

// auth-js gives fetch failures this name with status 0; gateway errors have
// the same name and their own status.
function unreachable(error: Failure): boolean {
  return (error.name === "AuthRetryableFetchError" && !error.status) || error.name === "TypeError";
}
