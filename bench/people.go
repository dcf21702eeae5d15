package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/storage"
)

const (
	plainPassword = "correct horse battery staple"
	oneTimeCode   = "123456"
	// bcryptTurns is how often a comparison is measured; the least counts.
	bcryptTurns = 5
)

// hashPassword hashes the password that everybody has, and measures the CPU time
// of a comparison: the clock would also count what others do meanwhile.
func (w *world) hashPassword(ctx context.Context) (err error) {
	hasher := password.New(1, nil)
	if w.hash, err = hasher.Hash(ctx, plainPassword); err != nil {
		return err
	}
	for range bcryptTurns {
		before, err := ownCPUTime()
		if err != nil {
			return err
		}
		if err := hasher.Compare(ctx, w.hash, plainPassword); err != nil {
			return err
		}
		after, err := ownCPUTime()
		if err != nil {
			return err
		}
		if took := after - before; w.bcrypt == 0 || took < w.bcrypt {
			w.bcrypt = took
		}
	}
	return nil
}

// ownCPUTime is what this process has used so far.
func ownCPUTime() (time.Duration, error) {
	var used syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), err
}

// login: POST /token?grant_type=password
func (w *world) login(conn *wire, n int) operation {
	return func(context.Context) error {
		conn.request(http.MethodPost, "/token?grant_type=password", "", jsonType)
		return conn.do(`{"email":"`+w.next(&n).email+`","password":"`+plainPassword+`"}`, http.StatusOK)
	}
}

func (w *world) bareLogin(n int) operation {
	var v values
	return func(ctx context.Context) error {
		u := w.next(&n)
		w.own(&v, u)
		v.texts[slotEmail] = u.email
		w.redemption(&v)
		v.setID(slotEvent, newID())
		return w.send(ctx, w.recorded.login, &v)
	}
}

// signup: POST /signup, confirmed at once
func (w *world) signup(conn *wire, _ int) operation {
	return func(context.Context) error {
		conn.request(http.MethodPost, "/signup", "", jsonType)
		return conn.do(`{"email":"`+w.newEmail()+`","password":"`+plainPassword+`"}`, http.StatusOK)
	}
}

func (w *world) bareSignup(int) operation {
	var v values
	return func(ctx context.Context) error {
		for _, at := range []slot{slotUser, slotClient, slotRequest, slotEvent} {
			v.setID(at, newID())
		}
		w.redemption(&v)
		v.texts[slotEmail], v.now = w.newEmail(), w.now()
		return w.send(ctx, w.recorded.signup, &v)
	}
}

func (w *world) newEmail() string {
	return "new-" + strconv.FormatInt(w.fresh.Add(1), 10) + "@example.com"
}

// verify: POST /verify with a code that was mailed.
func (w *world) verify(conn *wire, _ int) operation {
	return func(context.Context) error {
		n, err := w.takeMember()
		if err != nil {
			return err
		}
		conn.request(http.MethodPost, "/verify", "", jsonType)
		return conn.do(`{"type":"email","email":"`+memberEmail(n)+`","token":"`+oneTimeCode+`"}`, http.StatusOK)
	}
}

func (w *world) bareVerify(int) operation {
	var v values
	return func(ctx context.Context) error {
		n, err := w.takeMember()
		if err != nil {
			return err
		}
		v.setID(slotUser, memberID(n))
		w.redemption(&v)
		v.setID(slotEvent, newID())
		v.texts[slotEmail], v.now = memberEmail(n), w.now()
		v.texts[slotDigest] = onetime.Hashes(v.texts[slotEmail], oneTimeCode)[0]
		return w.send(ctx, w.recorded.verify, &v)
	}
}

func (w *world) takeMember() (int, error) {
	n := int(w.pending.Add(1))
	if n > min(w.members, maxPending) {
		return 0, errNoneLeft
	}
	return n, nil
}

// login: POST /token?grant_type=password.
func (r *recording) login() []template {
	m := r.markers
	_, err := models.FindUserByEmail(r.conn, m.text(slotEmail), audience)
	sent := r.sent(err)
	return append(sent, r.sent(models.StartSession(r.conn, m.signIn("password"), m.trail(), m.now))...)
}

// verify: POST /verify.
func (r *recording) verify() []template {
	m := r.markers
	_, err := models.FindUserByEmail(r.conn, m.text(slotEmail), audience)
	sent := r.sent(err)
	hashes := []string{m.text(slotDigest), models.PKCEPrefix + m.text(slotDigest)}
	_, err = models.PendingType(r.conn, m.id(slotUser), []models.OneTimeType{models.ConfirmationToken, models.RecoveryToken}, hashes)
	sent = append(sent, r.sent(err)...)
	_, err = models.RedeemOneTimeToken(r.conn, models.Redemption{
		UserID: m.id(slotUser), Type: models.RecoveryToken, Hashes: hashes,
	}, m.signIn("otp"), m.trail(), m.now)
	return append(sent, r.sent(err)...)
}

// errUndo ends a transaction that must leave nothing.
var errUndo = errors.New("undo")

// signup: POST /signup. Its statement creates the user whoever it is, so what it
// did is undone.
func (r *recording) signup(ctx context.Context, db *storage.DB) []template {
	m := r.markers
	_, err := models.FindUserForSignUp(r.conn, m.text(slotEmail), audience)
	sent := r.sent(err)
	err = db.Tx(ctx, func(tx *storage.Conn) error {
		trail := append(m.trail(), m.trail()...)
		trail[1].ID = m.id(slotEvent)
		_, err := models.CreateUserWithSession(tx, m.newUser(), m.signIn("password"), trail, m.now)
		return errors.Join(errUndo, err)
	})
	if errors.Is(err, errUndo) {
		err = nil
	}
	return append(sent, r.sent(err)...)
}

func (m markers) newUser() models.NewUser {
	return models.NewUser{
		ID: m.id(slotUser), Aud: audience, Role: audience, Email: m.text(slotEmail), EmailConfirmedAt: &m.now, LastSignInAt: &m.now,
		EncryptedPassword: unusedHash, AppMetadata: []byte(`{"provider":"email","providers":["email"]}`),
		UserMetadata: []byte(`{"email":"` + m.text(slotEmail) + `","email_verified":true,"sub":"` + m.text(slotUser) + `"}`),
		Identities: []models.NewIdentity{{
			ID: m.id(slotClient), Provider: "email", ProviderID: m.text(slotUser),
			IdentityData: map[string]any{"sub": m.text(slotUser), "email": m.text(slotEmail), "email_verified": true},
		}},
	}
}

// signIn is a session of the user's own.
func (m markers) signIn(method string) models.NewSession {
	return models.NewSession{
		ID: m.id(slotSession), UserID: m.id(slotUser), Method: method, UserAgent: userAgent, IP: clientIP,
		HMACKey: m.text(slotKey), AMRID: m.id(slotRow),
	}
}

// unusedHash has the form of a bcrypt hash.
const unusedHash = "$2a$10$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// memberID and memberEmail name a user without a session, as addMembers does in
// SQL.
func memberID(n int) uuid.UUID {
	return uuid.FromStringOrNil(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

func memberEmail(n int) string { return fmt.Sprintf("member-%d@example.com", n) }

// maxPending bounds the codes that are prepared for a turn.
const maxPending = 20_000

// prepareMembers gives members a code that is pending, as mails do.
func (w *world) prepareMembers(ctx context.Context, turn time.Duration) error {
	count := min(w.members, maxPending, int(turn.Seconds()*codesPerSecond)+1)
	hashes := make([]string, count)
	for i := range hashes {
		hashes[i] = onetime.Hashes(memberEmail(i+1), oneTimeCode)[0]
	}
	_, err := w.pool.Exec(ctx, `with pending as (
			select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id, hash
			  from unnest($1::text[]) with ordinality as p(hash, n)),
		marked as (update users u set recovery_token = p.hash, recovery_sent_at = now() from pending p where u.id = p.id)
		insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to)
		select gen_random_uuid(), id, 'recovery_token', hash, 'member' from pending
		on conflict (user_id, token_type) do update set token_hash = excluded.token_hash`, hashes)
	if err != nil {
		return fmt.Errorf("prepare one-time codes: %w", err)
	}
	w.pending.Store(0)
	_, err = w.pool.Exec(ctx, `vacuum analyze one_time_tokens`)
	return err
}
