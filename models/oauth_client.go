package models

import (
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// How a client came to be registered, and whether it can keep a secret
// (RFC 6749 §2.1).
const (
	RegistrationManual  = "manual"
	RegistrationDynamic = "dynamic"
	ClientPublic        = "public"
	ClientConfidential  = "confidential"
)

// OAuthClient is a row of oauth_clients.
type OAuthClient struct {
	// ID is the client_id.
	ID uuid.UUID `db:"id" json:"id"`
	// SecretHash is secret.Digest of the client secret; '' for public clients.
	SecretHash              string    `db:"client_secret_hash" json:"client_secret_hash"`
	RegistrationType        string    `db:"registration_type" json:"registration_type"`
	ClientType              string    `db:"client_type" json:"client_type"`
	TokenEndpointAuthMethod string    `db:"token_endpoint_auth_method" json:"token_endpoint_auth_method"`
	RedirectURIs            CommaList `db:"redirect_uris" json:"redirect_uris"`
	GrantTypes              CommaList `db:"grant_types" json:"grant_types"`
	Name                    string    `db:"client_name" json:"client_name"`
	URI                     string    `db:"client_uri" json:"client_uri"`
	LogoURI                 string    `db:"logo_uri" json:"logo_uri"`
	CreatedAt               time.Time `db:"created_at" json:"created_at"`
	UpdatedAt               time.Time `db:"updated_at" json:"updated_at"`
}

// TableName is the table of the model.
func (OAuthClient) TableName() string { return "oauth_clients" }

// CommaList is a list kept as comma-joined text. No element contains a comma.
type CommaList []string

// Scan splits the stored text.
func (l *CommaList) Scan(src any) error {
	var text string
	switch value := src.(type) {
	case string:
		text = value
	case []byte:
		text = string(value)
	}
	if text == "" {
		*l = nil
		return nil
	}
	*l = strings.Split(text, ",")
	return nil
}

// UnmarshalJSON splits the stored text inside a JSON row.
func (l *CommaList) UnmarshalJSON(raw []byte) error {
	var text string
	if err := storage.ScanJSON(raw, &text); err != nil {
		return err
	}
	return l.Scan(text)
}

func (l CommaList) text() string { return strings.Join(l, ",") }

const oauthClientColumns = `c.id, coalesce(c.client_secret_hash, '') as client_secret_hash,
	c.registration_type::text as registration_type, c.client_type::text as client_type,
	c.token_endpoint_auth_method, c.redirect_uris, c.grant_types,
	coalesce(c.client_name, '') as client_name, coalesce(c.client_uri, '') as client_uri,
	coalesce(c.logo_uri, '') as logo_uri, c.created_at, c.updated_at`

const oauthClientJSON = `
	json_build_object('id', c.id, 'client_secret_hash', coalesce(c.client_secret_hash, ''),
		'registration_type', c.registration_type, 'client_type', c.client_type,
		'token_endpoint_auth_method', c.token_endpoint_auth_method,
		'redirect_uris', c.redirect_uris, 'grant_types', c.grant_types,
		'client_name', coalesce(c.client_name, ''), 'client_uri', coalesce(c.client_uri, ''),
		'logo_uri', coalesce(c.logo_uri, ''), 'created_at', c.created_at, 'updated_at', c.updated_at)`

// Scan reads the JSON that oauthClientJSON builds.
func (cl *OAuthClient) Scan(src any) error { return storage.ScanJSON(src, cl) }

// Allows reports whether the client is registered for a grant type.
func (cl *OAuthClient) Allows(grantType string) bool {
	for _, registered := range cl.GrantTypes {
		if registered == grantType {
			return true
		}
	}
	return false
}

// FindOAuthClient returns a client that is not deleted.
func FindOAuthClient(c *storage.Conn, id uuid.UUID) (*OAuthClient, error) {
	cl := new(oauthClientRow)
	err := c.Get(cl, `select `+oauthClientColumns+` from oauth_clients c
		where c.id = $1 and c.deleted_at is null`, id)
	return (*OAuthClient)(cl), err
}

// oauthClientRow is OAuthClient without its Scan method: sqlx would take the
// whole row for one column otherwise.
type oauthClientRow OAuthClient

// ListOAuthClients returns the clients that are not deleted, newest first.
func ListOAuthClients(c *storage.Conn) ([]OAuthClient, error) {
	var rows []oauthClientRow
	err := c.Select(&rows, `select `+oauthClientColumns+` from oauth_clients c
		where c.deleted_at is null order by c.created_at desc, c.id`)
	clients := make([]OAuthClient, len(rows))
	for i, row := range rows {
		clients[i] = OAuthClient(row)
	}
	return clients, err
}

// InsertOAuthClient registers a client.
func InsertOAuthClient(c *storage.Conn, cl *OAuthClient) error {
	_, err := c.Exec(`insert into oauth_clients (id, client_secret_hash, registration_type, client_type,
		token_endpoint_auth_method, redirect_uris, grant_types, client_name, client_uri, logo_uri,
		created_at, updated_at)
		values ($1, $2, $3::oauth_registration_type, $4::oauth_client_type, $5, $6, $7,
			nullif($8, ''), nullif($9, ''), nullif($10, ''), $11, $11)`,
		cl.ID, cl.SecretHash, cl.RegistrationType, cl.ClientType, cl.TokenEndpointAuthMethod,
		cl.RedirectURIs.text(), cl.GrantTypes.text(), cl.Name, cl.URI, cl.LogoURI, cl.CreatedAt)
	return err
}

// UpdateOAuthClient writes the metadata of a client that is not deleted.
func UpdateOAuthClient(c *storage.Conn, cl *OAuthClient, now time.Time) error {
	n, err := c.Exec(`update oauth_clients set token_endpoint_auth_method = $2, redirect_uris = $3,
		grant_types = $4, client_name = nullif($5, ''), client_uri = nullif($6, ''),
		logo_uri = nullif($7, ''), updated_at = $8 where id = $1 and deleted_at is null`,
		cl.ID, cl.TokenEndpointAuthMethod, cl.RedirectURIs.text(), cl.GrantTypes.text(),
		cl.Name, cl.URI, cl.LogoURI, now)
	return foundOne(n, err)
}

// SetOAuthClientSecret replaces the secret of a client; the old one dies.
func SetOAuthClientSecret(c *storage.Conn, id uuid.UUID, hash string, now time.Time) error {
	n, err := c.Exec(`update oauth_clients set client_secret_hash = $2, updated_at = $3
		where id = $1 and deleted_at is null`, id, hash, now)
	return foundOne(n, err)
}

// DeleteOAuthClient marks a client as deleted and ends every grant it holds:
// its sessions, and requests and codes that are still open.
func DeleteOAuthClient(c *storage.Conn, id uuid.UUID, now time.Time) error {
	var deleted uuid.UUID
	return c.Get(&deleted, `with changed as (
		update oauth_clients set deleted_at = $2, updated_at = $2
		 where id = $1 and deleted_at is null returning id),
		ended as (delete from sessions where oauth_client_id in (select id from changed)),
		dropped as (delete from oauth_authorizations where client_id in (select id from changed)),
		revoked as (update oauth_consents set revoked_at = $2
		 where client_id in (select id from changed) and revoked_at is null and granted_at <= $2)
		select id from changed`, id, now)
}

func foundOne(n int64, err error) error {
	if err == nil && n == 0 {
		return storage.ErrNotFound
	}
	return err
}
