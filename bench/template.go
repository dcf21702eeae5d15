package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
)

// slot is a place in recorded arguments where each caller has its own value.
type slot int

const (
	slotUser slot = iota
	slotSession
	slotClient
	slotRequest // id of the authorization request
	slotRow     // id of a further row, new each time
	slotEvent   // id of a second audit entry, new each time
	slotDigest  // of a code
	slotHandle  // public handle of the authorization request
	slotKey     // of a session's refresh tokens
	slotEmail
	slots
)

// values are those of one operation of one caller.
type values struct {
	ids    [slots]uuid.UUID
	texts  [slots]string // those of ids included
	number int64         // generation of the refresh token
	now    time.Time
}

func (v *values) setID(at slot, id uuid.UUID) {
	v.ids[at], v.texts[at] = id, id.String()
}

// markers are the values that were recorded. They match no row.
type markers struct {
	values
}

func newMarkers() markers {
	var m markers
	for at := range slots {
		m.setID(at, uuid.UUID{0: 0xbe, 15: byte(at)})
	}
	for at := slotDigest; at < slots; at++ {
		m.texts[at] = fmt.Sprintf("~marker-%d~", at)
	}
	m.number, m.now = 1<<40, time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	return m
}

func (m markers) id(at slot) uuid.UUID { return m.ids[at] }
func (m markers) text(at slot) string  { return m.texts[at] }

func (m markers) trail() models.AuditTrail {
	trail := models.Auditor{Random: rand.Reader}.By(&models.User{
		ID: m.id(slotUser), Email: seededEmail(0), UserMetadata: json.RawMessage(`{}`),
	}, models.AuditTokenRefreshed, nil)
	trail[0].ID = m.id(slotRow)
	return trail
}

func (m markers) request() *models.OAuthAuthorization {
	return &models.OAuthAuthorization{
		ID: m.id(slotRequest), AuthorizationID: m.text(slotHandle), ClientID: m.id(slotClient),
		RedirectURI: redirectURI, Scope: scope, State: "state",
		CodeChallenge: strings.Repeat("c", 43), CodeChallengeMethod: "s256",
		CreatedAt: m.now, ExpiresAt: m.now.Add(time.Hour),
	}
}

func (m markers) newSession() models.NewSession {
	client := m.id(slotClient)
	return models.NewSession{
		ID: m.id(slotSession), UserID: m.id(slotUser), Method: methodOAuth, UserAgent: userAgent,
		IP: clientIP, OAuthClientID: &client, Scopes: scope, HMACKey: m.text(slotKey), AMRID: m.id(slotRow),
	}
}

// template is a recorded statement, ready to be filled with values.
type template struct {
	sql  string
	args []func(*values) any
}

// compile finds the markers in a statement's arguments.
func (m markers) compile(s statement) template {
	t := template{sql: s.sql}
	for _, arg := range s.args {
		t.args = append(t.args, m.compileArg(arg))
	}
	return t
}

func (m markers) compileArg(arg any) func(*values) any {
	switch arg := arg.(type) {
	case string:
		return m.compileText(arg)
	case []string:
		parts := make([]func(*values) any, len(arg))
		for i, text := range arg {
			parts[i] = m.compileText(text)
		}
		return func(v *values) any {
			filled := make([]string, len(parts))
			for i, part := range parts {
				filled[i], _ = part(v).(string)
			}
			return filled
		}
	case uuid.UUID:
		for at := range slots {
			if arg == m.ids[at] {
				return func(v *values) any { return v.ids[at] }
			}
		}
	case int64:
		if arg >= m.number {
			return func(v *values) any { return v.number + arg - m.number }
		}
	case time.Time:
		return func(v *values) any { return v.now.Add(arg.Sub(m.now)) }
	}
	return func(*values) any { return arg }
}

// compileText cuts a text at its markers.
func (m markers) compileText(text string) func(*values) any {
	var parts []func(*values) string
	for text != "" {
		at, first := slots, len(text)
		for candidate := range slots {
			if i := strings.Index(text, m.texts[candidate]); i >= 0 && i < first {
				at, first = candidate, i
			}
		}
		literal := text[:first]
		parts = append(parts, func(*values) string { return literal })
		text = text[first:]
		if at < slots {
			parts = append(parts, func(v *values) string { return v.texts[at] })
			text = text[len(m.texts[at]):]
		}
	}
	return func(v *values) any {
		var filled strings.Builder
		for _, part := range parts {
			filled.WriteString(part(v))
		}
		return filled.String()
	}
}

// fill returns the arguments for one operation.
func (t template) fill(v *values) []any {
	args := make([]any, len(t.args))
	for i, arg := range t.args {
		args[i] = arg(v)
	}
	return args
}
