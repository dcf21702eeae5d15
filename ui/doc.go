// Package ui serves the pages that come with the server: the consent page of
// the authorization server and the home page of a development server.
//
// The pages are an ordinary supabase-js application. They use the same public
// endpoints as any project's own page and get no privilege from being served
// here, so a project may replace them by pages of its own. Their sources are in
// src, their build in dist; dist is committed and embedded, so that building
// the server needs Go only. After a change in src run "npm ci && npm run build
// && npm run check".
//
// Every page works under the policy of [Handler]: no inline script or style,
// nothing from other origins but clients' logos, no framing (RFC 9700 §4.16).
package ui
