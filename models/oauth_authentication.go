package models

import "time"

// Authentication is how and when a user had proved who they are, as an ID token
// tells it (OpenID Connect Core §2).
type Authentication struct {
	Time time.Time `json:"time"`
	// ACR is the assurance level of the session, AMR its methods in the words of
	// RFC 8176.
	ACR string   `json:"acr"`
	AMR []string `json:"amr"`
}

// authenticationJSON builds an Authentication from a row t of one of the two
// tables that keep it.
const authenticationJSON = `json_build_object('time', t.auth_time, 'acr', t.acr, 'amr', t.amr)`
