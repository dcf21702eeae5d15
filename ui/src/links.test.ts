import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizationId, destination, httpsUrl, mayFollow } from "./links";

test("authorizationId lets only one id through, and no path", () => {
  assert.equal(authorizationId("?authorization_id=abc234-_X"), "abc234-_X");
  const refused = [
    "",
    "?authorization_id=",
    "?authorization_id=..%2F..%2Fuser",
    "?authorization_id=a.b",
    "?authorization_id=a%3Fb",
    "?authorization_id=a&authorization_id=b",
    `?authorization_id=${"a".repeat(129)}`,
  ];
  for (const search of refused) assert.equal(authorizationId(search), null, search);
});

test("httpsUrl refuses everything but absolute https", () => {
  assert.equal(httpsUrl("https://client.example/logo.png")?.host, "client.example");
  for (const value of [undefined, "", "/logo.png", "http://client.example", "javascript:alert(1)", "data:image/png,x"]) {
    assert.equal(httpsUrl(value), null, value);
  }
});

test("destination names the host, the computer or the app", () => {
  assert.equal(destination("https://client.example:8443/cb?x=1"), "client.example:8443");
  assert.equal(destination("https://user@client.example/cb"), "client.example");
  assert.equal(destination("http://127.0.0.1:5000/cb"), "this computer (127.0.0.1:5000)");
  assert.equal(destination("http://[::1]/cb"), "this computer ([::1])");
  assert.equal(destination("com.example.app:/cb"), "an app on this device (com.example.app://)");
  assert.equal(destination("/cb"), "an unknown address");
});

test("destination shows look-alike letters in their ASCII form", () => {
  assert.equal(destination("https://аpple.example/cb"), "xn--pple-43d.example"); // Cyrillic first letter
});

test("mayFollow refuses addresses that run or show content", () => {
  for (const address of ["https://client.example/cb?code=1", "http://localhost/cb", "com.example.app:/cb"]) {
    assert.equal(mayFollow(address), true, address);
  }
  for (const address of ["", "/relative", "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "blob:https://a/b"]) {
    assert.equal(mayFollow(address), false, address);
  }
});
